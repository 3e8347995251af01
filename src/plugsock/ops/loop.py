"""Which event loop plugsock runs on, and how that hears of signals."""

import asyncio
import signal
import sys
from collections.abc import Callable


def factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop's maker: uvloop's, which halves the cost of a message, wherever there is one."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


def on_signal(number: signal.Signals, do: Callable[[], None]) -> None:
    """Have the running loop do something whenever a signal comes."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, do)
    except NotImplementedError:  # Windows: handlers run between two bytecodes of the main thread
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(do))
