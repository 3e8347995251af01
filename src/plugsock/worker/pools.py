"""Pools of processes that plugs start: they find what they are to run, can be ended, and end with this process.

Python starts such processes in one of three ways. `fork` copies this one, with all that it holds; `spawn` and
`forkserver` start from nothing, and import by name what they are sent. Whichever it is, and on any system:

- `plugs.…` can be imported in them, though the folder may be called anything and is on no path;
- SIGTERM, by which pools end their processes, ends them. A copy of this process would pass it on to this process,
  whose event loop hears of signals through a descriptor that the copy shares. So signals wait while it is copied;
- when this process ends, however it does, so do they. By themselves those of `concurrent.futures` would wait for ever.

Each process object takes along the configuration of the process that has made it. What is put there arrives before
what is to be run.
"""

import multiprocessing.process
import multiprocessing.reduction
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, cast

from plugsock.loader import export
from plugsock.worker import lifeline

_KEY: Final = "plugsock"
_ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class _Share:
    """What processes of pools share with this one; unpickled, it prepares the process that it arrives in.

    It has a pipe whose write end only this process keeps. A copy of this process closes that, keeps the read end, and
    has a pipe of its own for those that it starts.
    """

    def __init__(self) -> None:
        self._parent: int | None = None
        self._open()
        multiprocessing.util.register_after_fork(self, _Share.begin)
        if sys.platform != "win32":
            self._forking = threading.local()
            os.register_at_fork(before=self._hold_signals, after_in_parent=self._let_signals, after_in_child=self.part)

    def _open(self) -> None:
        if sys.platform != "win32":
            self._read, self._write = os.pipe()

    def __reduce__(self) -> tuple[Callable[..., "_Share"], tuple[export.Exported | None, Any]]:
        if sys.platform == "win32":
            return _arrive, (export.export(), os.getpid())
        return _arrive, (export.export(), multiprocessing.reduction.DupFd(self._read))

    def _hold_signals(self) -> None:
        """Keep for the copy what it is sent before it heeds it: a pool that is soon done with ends it by then."""
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)

    def _let_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def part(self) -> None:
        """Be a copy: heed what ends processes, and stop telling the loop of the process that this one is a copy of."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._let_signals()
        os.close(self._write)
        if self._parent is not None:
            os.close(self._parent)
        self._parent = self._read
        self._open()

    def begin(self) -> None:
        """Be the process of a pool, if this is a copy: end with the process that it is one of."""
        if self._parent is not None:
            lifeline.hold(os.dup(self._parent))


def enable() -> None:
    """Let plugs in this process have pools from now on. It may be done again."""
    # Private, but the same since Python 3.4; there is no other place that all three ways have in common.
    process = cast(Any, multiprocessing.process.current_process())
    if _KEY not in process._config:
        process._config[_KEY] = _Share()


def _arrive(exported: export.Exported | None, parent: Any) -> _Share:
    """Be the process of a pool that was started from nothing; called before what it is to run is looked for.

    Args:
        exported: The modules that it may import.
        parent: What it ends with: the read end of a pipe, or on Windows a process.
    """
    if exported is not None:
        export.install(exported)
    if sys.platform == "win32":
        threading.Thread(target=_outlast, args=(parent,), name="parent", daemon=True).start()
    else:
        pipe = parent.detach()
        os.set_inheritable(pipe, False)
        lifeline.hold(pipe)
    return _Share()


def _outlast(pid: int) -> None:
    if sys.platform == "win32":
        import _winapi  # noqa: PLC0415 - exists nowhere else

        process = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, pid)
        _winapi.WaitForSingleObject(process, _winapi.INFINITE)
        os._exit(lifeline.ORPHANED)
