import asyncio
import sys

import pytest

from plugsock.ops import loop


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not there")
def test_it_is_uvloops():
    import uvloop

    with asyncio.Runner(loop_factory=loop.factory()) as runner:
        assert isinstance(runner.get_loop(), uvloop.Loop)


def test_on_windows_it_is_pythons(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")

    assert loop.factory() is None
