"""A process that starts workers by forking itself: they are ready in milliseconds and share what it has imported.

Forking is safe here because nothing runs that a fork would cut in half: there is one thread, no event loop, no watcher.
It serves the gateway that started it and ends with it. Its children don't end with the nursery.
"""

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from plugsock.errors import PlugsockError
from plugsock.rpc import start
from plugsock.rpc.start import Ended, Failed, Fork, Forked
from plugsock.worker import lifeline, stdio

Main: TypeAlias = Callable[[str, str], int]
"""What a worker does, given an address and a key; returns its exit status."""

PRELOADED: Final = ("uvloop", "watchfiles", "anyio.to_thread", "anyio.streams.tls", "anyio._backends._asyncio")
"""Beside what `main` has imported already: what a worker only imports when it runs, those of `anyio` because
watchfiles uses it. In each worker they would take 90 ms of its start, which is 40."""

FAILED: Final = 1

_CHUNK: Final = 65_536


def serve(main: Main) -> int:
    """Fork workers as the gateway asks, until it closes the control socket; the exit status.

    Args:
        main: What the workers do.

    Raises:
        PlugsockError: No gateway has started this process.
    """
    number = os.environ.pop(start.CONTROL, "")
    if not number:
        raise PlugsockError("a nursery is only of use to the plugsock that starts it")
    stdio.by_lines()
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # not on every system
            importlib.import_module(name)
    with socket.socket(fileno=int(number)) as control:
        Nursery(control, stdio.take_stdin(), main).run()
    return 0


class Nursery:
    """The loop of that process.

    Args:
        control: The socket over which the gateway speaks.
        pipe: The read end of the lifeline, for every child to hold.
        main: What the children do.
    """

    def __init__(self, control: socket.socket, pipe: int, main: Main) -> None:
        self._control = control
        self._pipe = pipe
        self._armed = lifeline.arm(pipe)
        self._main = main
        self._unread = b""
        self._children: set[int] = set()
        self._is_wanted = True
        self._woken, self._wakeup = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Fork and reap until the gateway closes its end."""
        self._listen_to_signals()
        self._selector.register(self._control, selectors.EVENT_READ, self._obey)
        self._selector.register(self._woken, selectors.EVENT_READ, self._reap)
        gc.collect()
        gc.freeze()  # the collector writes into what it looks at, and what is written to is no longer shared
        while self._is_wanted:
            for key, _ in self._selector.select():
                key.data()

    def _listen_to_signals(self) -> None:
        """Wake up when a child has ended, and leave Ctrl-C and SIGTERM to the gateway.

        They are caught, not ignored: programs that plugs start would inherit that they are ignored.
        """
        for end in (self._woken, self._wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _nothing)

    def _obey(self) -> None:
        try:
            data = self._control.recv(_CHUNK)
        except ConnectionError:
            data = b""
        self._is_wanted = bool(data)
        lines, newline, self._unread = (self._unread + data).rpartition(b"\n")
        for request in start.requests(lines + newline):
            self._fork(request)

    def _fork(self, request: Fork) -> None:
        try:
            pid = os.fork()
        except (OSError, MemoryError) as error:
            self._tell(Failed(request.token, str(error)))
            return
        if pid == 0:
            self._become(request)
        self._children.add(pid)
        self._tell(Forked(request.token, pid))

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(_CHUNK)
        for child in list(self._children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._children.remove(pid)
                self._tell(Ended(pid, os.waitstatus_to_exitcode(status)))

    def _tell(self, answer: start.Answer) -> None:
        try:
            self._control.sendall(start.encode(answer))
        except ConnectionError:
            self._is_wanted = False

    def _become(self, request: Fork) -> NoReturn:
        """Be a worker. Whatever happens, a child must never get back into the nursery's loop."""
        status = FAILED
        try:
            self._leave()
            lifeline.hold(self._pipe)
            status = int(self._main(request.address, request.key)) & 0xFF
        except BaseException:
            traceback.print_exc()
        finally:
            stdio.flush()
            os._exit(status)

    def _leave(self) -> None:
        """Let go of what is the nursery's. Ctrl-C and SIGTERM stay caught until `main` decides on them."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for mine in (self._control, self._woken, self._wakeup):
            mine.close()
        if self._armed is not None:
            os.close(self._armed)


def _nothing(_number: int, _frame: object) -> None:
    """Only wakes the loop."""
