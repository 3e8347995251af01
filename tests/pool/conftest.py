"""Tests that own processes and their pipes run on every event loop that the product runs on; others on asyncio's."""

import asyncio
import sys

ON_EVERY_LOOP = {
    *("test_processes", "test_program", "test_nursery", "test_spawn", "test_output", "test_door", "test_link"),
}

LOOPS = {"asyncio": asyncio.new_event_loop}
if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop


def pytest_asyncio_loop_factories(config, item):
    everywhere = item.path.stem in ON_EVERY_LOOP
    return LOOPS if everywhere else {"asyncio": LOOPS["asyncio"]}
