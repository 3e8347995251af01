"""Ends a worker when the gateway ends, however that ends: by SIGKILL too, and whatever the worker is doing.

The gateway alone has the write end of a pipe, so the system closes it when the gateway has gone. Who has the read end
learns of it:

- on Linux from the kernel, which sends SIGKILL then: also into C code that never comes back to the interpreter, and to
  a process that is stopped;
- elsewhere from a thread that waits for the end of the pipe. C code that keeps the GIL keeps that thread waiting.

Unlike PR_SET_PDEATHSIG this is about the gateway, not about the parent: a worker survives the nursery that forked it.
"""

import contextlib
import os
import select
import signal
import sys
import threading
from typing import Final

from plugsock.rpc import start
from plugsock.worker import stdio

ORPHANED: Final = 1
"""The exit status where a thread ends the process; nobody is left who would read it."""


def hold_if_given() -> None:
    """Hold the lifeline that a started worker has for its stdin; one that was started by hand has none."""
    if os.environ.pop(start.LIFELINE, "") == "stdin":
        hold(stdio.take_stdin())


def hold(lifeline: int) -> None:
    """End this process when the last write end of a pipe is closed; it may have been closed before.

    Args:
        lifeline: The pipe's read end. It belongs to this function from now on.
    """
    if arm(lifeline) is None:
        threading.Thread(target=_wait, args=(lifeline,), name="lifeline", daemon=True).start()
    else:
        os.close(lifeline)


def arm(lifeline: int) -> int | None:
    """Let the kernel end this process when the last write end of a pipe is closed, where it can.

    Who gets the signal is a property of an open file, and a fork shares those with its parent. So each process opens
    the read end anew, by its name in /proc.

    Args:
        lifeline: The pipe's read end.

    Returns:
        What must stay open for it, or None if this system can't.
    """
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    try:
        own = os.open(f"/proc/self/fd/{lifeline}", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # no /proc here, or no pipe
        return None
    fcntl.fcntl(own, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    if _is_cut(own):  # before the kernel was asked to tell
        os.kill(os.getpid(), signal.SIGKILL)
    return own


def _is_cut(lifeline: int) -> bool:
    poller = select.poll()
    poller.register(lifeline, 0)  # POLLHUP comes unasked
    return bool(poller.poll(0))


def _wait(lifeline: int) -> None:
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)  # nobody ever writes
    os._exit(ORPHANED)
