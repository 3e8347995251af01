"""The process that unpacked a one-file executable: it waits for this one, and forwards signals to it.

When it is killed, this process has to end as well: whoever has killed it meant the server, and waits for that to be
gone. And what a terminal or a service manager sends to all processes at once comes twice to this one.
"""

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from plugsock.frozen import unpacked

LAST_S: Final = 1.0
"""So long this process may take to end by itself when its launcher has died."""

ECHO_S: Final = 0.5
"""A signal that comes again within this time was sent once; people take longer to press a key again and mean it."""

LOOK_S: Final = 0.25
"""How often it is looked whether the launcher is still there, where the system can't tell."""

KILLED: Final = 137
"""What shells report for a program that SIGKILL ended; nobody is left who would read it."""

_pid: int | None = None
_has_ended: Final = threading.Event()
_told: list[Callable[[], object]] = []


def watch(*, by_launcher: bool) -> None:
    """End with the launcher from now on, if it is this process that it waits for; its folder is removed then.

    Args:
        by_launcher: It is known that the launcher has started this process, even if it has died since.
    """
    global _pid  # noqa: PLW0603 - a process has one launcher
    folder = unpacked.folder()
    launcher = None if folder is None else unpacked.launcher_of(folder)
    if launcher is not None and (by_launcher or launcher == os.getppid()):
        _pid = launcher
        threading.Thread(target=_end_with_it, name="launcher", daemon=True).start()


def when_gone(do: Callable[[], object]) -> None:
    """Have something done in another thread when the launcher has died; then there is `LAST_S` left to end."""
    if _pid is not None:
        _told.append(do)


def is_gone() -> bool:
    """Has the launcher died that should wait for this process?"""
    return _has_ended.is_set() or (_pid is not None and sys.platform != "win32" and os.getppid() != _pid)


def leave() -> None:
    """Do what the launcher can't any more, if it has died: remove its folder. This process must end right after that."""
    folder = unpacked.folder()
    if folder is not None and is_gone():
        unpacked.remove(folder)


class Echoes:
    """Tells signals that the launcher has forwarded from those that came here by themselves: they are the same one."""

    def __init__(self) -> None:
        self._heard_s: dict[int, float] = {}

    def has(self, number: int, now_s: float) -> bool:
        """Is this the second time that one and the same signal is heard?"""
        is_echo = _pid is not None and now_s - self._heard_s.get(number, -ECHO_S) < ECHO_S
        if not is_echo:
            self._heard_s[number] = now_s
        return is_echo


def _end_with_it() -> None:
    assert _pid is not None
    _wait(_pid)
    _has_ended.set()
    for do in _told:
        with contextlib.suppress(Exception):  # whatever goes wrong there, this process ends
            do()
    if _told:
        time.sleep(LAST_S)
    leave()
    os._exit(KILLED)


def _wait(launcher: int) -> None:
    """Wait until the launcher has ended."""
    with contextlib.suppress(OSError):  # it has ended meanwhile; an old kernel or a sandbox knows nothing of this
        if sys.platform == "linux":
            _wait_on_linux(launcher)
        elif sys.platform == "darwin":
            _wait_on_macos(launcher)
        elif sys.platform == "win32":
            _wait_on_windows(launcher)
    while sys.platform != "win32" and os.getppid() == launcher:
        time.sleep(LOOK_S)


def _wait_on_linux(launcher: int) -> None:
    if sys.platform == "linux":
        descriptor = os.pidfd_open(launcher)
        try:
            if os.getppid() == launcher:  # else it is another one's number by now
                poller = select.poll()
                poller.register(descriptor, select.POLLIN)
                poller.poll()
        finally:
            os.close(descriptor)


def _wait_on_macos(launcher: int) -> None:
    if sys.platform == "darwin":
        ended = select.kevent(launcher, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        with contextlib.closing(select.kqueue()) as queue:
            queue.control([ended], 1)


def _wait_on_windows(launcher: int) -> None:
    if sys.platform == "win32":
        import _winapi  # noqa: PLC0415 - exists nowhere else

        process = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, launcher)
        _winapi.WaitForSingleObject(process, _winapi.INFINITE)
