"""Waits for what Python starts beside pools of processes, and leaves to itself in the end: its resource tracker.

It is this executable once more, and uses what was unpacked. A program that is done at once would take that away while
its tracker still begins, which then says on the standard error that its files are gone.
"""

import os
import sys
import time
from typing import Any, Final

LIMIT_S: Final = 2.0
"""A process of a pool that goes on keeps the tracker going."""

LAST: Final = -100
"""The priority of `multiprocessing.util.Finalize`: after what pools put away, which they tell the tracker of."""

PAUSE_S: Final = 0.01


def wait() -> None:
    """End the tracker, if there is one, and wait for it; it ends by itself as soon as nobody has its pipe any more."""
    module = sys.modules.get("multiprocessing.resource_tracker")
    if module is None or sys.platform == "win32":
        return
    tracker: Any = module._resource_tracker  # private, but the same since Python 3.8
    pid, pipe = tracker._pid, tracker._fd
    if pid is None or pipe is None:
        return
    tracker._fd = None
    os.close(pipe)
    by = time.monotonic() + LIMIT_S
    while _is_there(pid) and time.monotonic() < by:
        time.sleep(PAUSE_S)


def _is_there(pid: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # a fork has it from its parent
        return False
