"""A hold on a process that is no child of this one."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable


class Handle:
    """Signals a process and sees its end; never another's that has got its number since, where there are pidfds.

    Args:
        pid: Its number; it may have ended already.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd = _opened(pid)
        self._loop: asyncio.AbstractEventLoop | None = None

    def send(self, number: int) -> None:
        """Send a signal; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            if self._fd is not None and sys.platform == "linux":
                signal.pidfd_send_signal(self._fd, number)
            else:
                os.kill(self._pid, number)

    def watch(self, ended: Callable[[], None]) -> None:
        """Call back once it has ended; before Linux 5.3 and on other systems only if it has ended already."""
        loop = asyncio.get_running_loop()
        if self._fd is not None:
            self._loop = loop
            loop.add_reader(self._fd, ended)
        elif not _exists(self._pid):
            loop.call_soon(ended)

    def close(self) -> None:
        """Let go of it."""
        if self._fd is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = None


def _opened(pid: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # it has ended, the kernel is too old, or there are no descriptors left
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
