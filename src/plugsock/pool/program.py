"""A process in which plugsock itself runs, started anew by its own command."""

import asyncio
import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from plugsock.frozen import executable
from plugsock.ops.log import get_logger
from plugsock.pool.output import Output, Source
from plugsock.pool.pipe import Pipe

Ended: TypeAlias = Callable[[int, int | None], None]
"""Told that a process has ended: its pid, and its exit status; negative is the signal that ended it, None unknown."""

KILL: Final = 9
"""SIGKILL, which Windows has no name for; there it means TerminateProcess."""

END_S: Final = 2.0
"""So long a process may take to end by itself before it is killed, and as long again once it is."""

_LAST_WORDS_S: Final = 0.2
"""So long what a process has printed before its end is read, if programs that it has started hold its pipes open."""

log = get_logger()


class Lifeline:
    """The pipe whose write end nobody but this process has, so that the system closes it when this process ends.

    Those who have the read end are to end then.
    """

    def __init__(self) -> None:
        self.end, self._write = os.pipe()

    def close(self) -> None:
        """Let all end that hold it and haven't yet."""
        os.close(self.end)
        os.close(self._write)


class Program(asyncio.SubprocessProtocol):
    """One such process: what it prints is forwarded, its end is known."""

    def __init__(self, source: Source) -> None:
        """Set up, inside a running loop; `start` starts it."""
        self._source = source
        self._transport: asyncio.SubprocessTransport | None = None
        self._pipes: list[Pipe] = []
        self._printing = {1, 2}
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its exit status, negative for a signal, once it has ended."""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it has ended and nothing has its pipes any more, or it was `end`ed."""

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        lifeline: Lifeline,
        output: Output,
        variables: Mapping[str, str],
        inherited: Sequence[int] = (),
    ) -> "Program":
        """Start a process; the lifeline is its stdin.

        It gets a session of its own, so that a Ctrl-C meant for the gateway does not hit it while Python still starts
        and can't ignore it.

        Args:
            command: The program and its arguments.
            lifeline: What it ends with.
            output: Where what it prints goes.
            variables: Added to the environment.
            inherited: File descriptors that it gets beside the usual three.

        Raises:
            OSError: It could not be started; `executable.Replaced` if it would be another plugsock than this one.
        """
        if executable.is_replaced():
            raise executable.Replaced
        made = cls(output.source())
        with contextlib.ExitStack() as stack:
            try:
                await asyncio.get_running_loop().subprocess_exec(
                    lambda: made,
                    command[0],
                    *command[1:],
                    stdin=lifeline.end,
                    env={**executable.environment(), **variables},
                    **made._streams(stack),
                    **_apart(inherited),
                )
            except BaseException:
                made._close()
                raise
        return made

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._transport is not None
        return self._transport.get_pid()

    def send(self, number: int) -> None:
        """Send a signal; nothing happens if it has ended."""
        assert self._transport is not None
        with contextlib.suppress(ProcessLookupError):
            if number == KILL:
                self._transport.kill()
            else:
                self._transport.send_signal(number)

    async def end(self, within_s: float = END_S) -> None:
        """Wait until it has ended, and kill it if that takes too long; then nothing more that it prints is read.

        One that the kernel can't end, as it hangs in a driver, is left behind.
        """
        await asyncio.wait({self.ended}, timeout=within_s)
        self.send(KILL)
        await asyncio.wait({self.ended}, timeout=END_S)
        if not self.ended.done():
            log.warning("a process was killed and does not end, it is left behind", pid=self.pid)
            self._close()
            return
        await asyncio.wait({self.closed}, timeout=_LAST_WORDS_S)
        self._close()
        await self.closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs; called by asyncio, as what follows."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It has printed something."""
        self._source.feed(fd, data)

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        """Nobody has the other end of one of its pipes."""
        self._source.end(fd)
        self._printing.discard(fd)
        self._settle()

    def process_exited(self) -> None:
        """It has ended; what it has started may still print."""
        assert self._transport is not None
        status = self._transport.get_returncode()
        assert status is not None
        if not self.ended.done():
            self.ended.set_result(status)
        self._settle()

    def _streams(self, stack: contextlib.ExitStack) -> dict[str, Any]:
        """Its stdout and stderr; the stack closes what only it needs of them."""
        if sys.platform == "win32":
            return {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        for fd in (1, 2):
            fed = functools.partial(self.pipe_data_received, fd)
            ended = functools.partial(self.pipe_connection_lost, fd, None)
            self._pipes.append(Pipe(fed, ended))
            stack.callback(os.close, self._pipes[-1].other_end)
        return {"stdout": self._pipes[0].other_end, "stderr": self._pipes[1].other_end}

    def _settle(self) -> None:
        if self.ended.done() and not self._printing and not self.closed.done():
            self.closed.set_result(None)
            self._close()

    def _close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        if self._transport is not None:
            self._transport.close()


def _apart(inherited: Sequence[int]) -> dict[str, Any]:
    """How Ctrl-C is kept away from a process, and descriptors are given to it; on Windows none can be."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True, "pass_fds": inherited}
