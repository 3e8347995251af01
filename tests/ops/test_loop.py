import asyncio
import os
import signal
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


@pytest.mark.skipif(sys.platform == "win32", reason="a process can't send itself such a signal there")
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, loop.factory()])
def test_what_is_to_be_done_on_a_signal_is_done_on_the_loop(factory):
    async def main():
        heard = asyncio.Event()
        loop.on_signal(signal.SIGUSR1, heard.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await heard.wait()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
