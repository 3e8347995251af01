"""Keeps a plug that is run for a look from ending whoever looks, from holding it up for ever, and from its output."""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Final, Never

GRACE_S: Final = 1.0
"""Beyond a limit: until then the event loop has ended what awaits something."""


class Stuck(BaseException):
    """The plug was interrupted: it never let go of the event loop. No `except Exception` of its own keeps it running."""


@contextmanager
def guarded(limit_s: float) -> Iterator[None]:
    """Run a plug within, in this thread or another one that is waited for.

    What it prints goes to the standard error, as the output is that of the program. Where it ends the process by
    `os._exit`, which nobody could tell from success, that is a `SystemExit`.

    Args:
        limit_s: Seconds after which code that runs in this thread still is interrupted with `Stuck`.
    """
    timer = threading.Timer(limit_s + GRACE_S, _interrupt, [threading.get_ident()])
    timer.daemon = True
    exit = os._exit
    os._exit = _exiting(os.getpid(), exit)  # type: ignore[assignment]  # mypy takes its name for part of its type
    timer.start()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        timer.cancel()
        os._exit = exit


def _exiting(process: int, exit: Callable[[int], Never]) -> Callable[[int], Never]:
    def ends(status: int) -> Never:
        if os.getpid() == process:
            raise SystemExit(status)
        exit(status)  # one that was forked off ends as ever

    return ends


def _interrupt(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stuck))
