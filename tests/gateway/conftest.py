"""Tests that own sockets run on every event loop that the product runs on; all others on asyncio's own."""

import asyncio
import sys

ON_EVERY_LOOP = {"test_connection", "test_fence", "test_listener", "test_withholding"}

LOOPS = {"asyncio": asyncio.new_event_loop}
if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


def pytest_asyncio_loop_factories(config, item):
    everywhere = item.path.stem in ON_EVERY_LOOP
    return LOOPS if everywhere else {"asyncio": LOOPS["asyncio"]}
