"""What worker processes print: forwarded line by line, within bounds, never waited for.

A plug that prints a gigabyte must not stop the gateway, fill its memory or its disk, nor wait long itself. So
everything is read at once, and what is too much, or what nobody reads at the other end, is left out and counted.
"""

import asyncio
import os
import select
import sys
from io import FileIO
from typing import Final, TextIO

from plugsock.ops.log import get_logger
from plugsock.ops.output import to_nowhere
from plugsock.pool.lines import BURST, RATE, Bucket, Lines

PIECE: Final = getattr(select, "PIPE_BUF", 4096)
"""Bytes that can be written without waiting once a pipe says that it is ready."""

QUIET_S: Final = 1.0
"""So often at most it is said how much was left out."""

_PIECES_A_TURN: Final = 64
_RETRY_S: Final = 0.005

log = get_logger()


class Output:
    """Where all that workers print comes together.

    Args:
        stdout: Where what they write to stdout goes; None for nowhere.
        stderr: The same for stderr.
    """

    def __init__(self, stdout: TextIO | None, stderr: TextIO | None) -> None:
        """Set up, inside a running loop."""
        self._loop = asyncio.get_running_loop()
        self._outlets = {1: Outlet(self._loop, stdout), 2: Outlet(self._loop, stderr)}
        self._left_out = 0
        self._report: asyncio.TimerHandle | None = None

    def source(self) -> "Source":
        """For one more process, or several that share their pipes."""
        return Source(self)

    def write(self, fd: int, lines: bytes) -> int:
        """Forward whole lines to stdout (1) or stderr (2) as far as they fit; bytes that didn't."""
        return self._outlets[fd].write(lines) if lines else 0

    def leave_out(self, count: int) -> None:
        """Say soon that so many bytes more were left out."""
        self._left_out += count
        if self._left_out and self._report is None:
            self._report = self._loop.call_later(QUIET_S, self._say)

    def close(self) -> None:
        """Write what can still be written at once, and stop."""
        for outlet in self._outlets.values():
            self._left_out += outlet.close()
        if self._report is not None:
            self._report.cancel()
        if self._left_out:
            self._say()

    def _say(self) -> None:
        log.warning("output of plugs was left out", bytes=self._left_out)
        self._left_out = 0
        self._report = None


class Source:
    """What one process writes to its stdout and stderr."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines = {1: Lines(), 2: Lines()}

    def feed(self, fd: int, data: bytes) -> None:
        """It has written this."""
        self._forward(fd, self._lines[fd].feed(data))

    def end(self, fd: int) -> None:
        """It will write no more to one of the two."""
        self._forward(fd, self._lines[fd].end())

    def _forward(self, fd: int, shown: bytes) -> None:
        lines = self._lines[fd]
        if left_out := self._output.write(fd, shown) + lines.left_out:
            lines.left_out = 0
            self._output.leave_out(left_out)


class Outlet:
    """One of the gateway's own streams, written to without ever waiting for its reader.

    Args:
        loop: Writes later what can't be written yet.
        stream: Only its file descriptor is used; what has none leads nowhere.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, stream: TextIO | None) -> None:
        self._loop = loop
        self._stream = stream
        self._terminal = _opened_anew(stream)
        self._bucket = Bucket(RATE, BURST, loop.time())
        self._waiting = bytearray()
        self._retry: asyncio.TimerHandle | None = None

    def write(self, lines: bytes) -> int:
        """Write whole lines now or soon; how many bytes are never written, because it is too much."""
        taken = self._bucket.take(lines, self._loop.time(), BURST - len(self._waiting))
        self._waiting += taken
        if self._retry is None:
            self._flush()
        return len(lines) - len(taken)

    def close(self) -> int:
        """Write what can be written at once; bytes that can't."""
        if self._retry is not None:
            self._retry.cancel()
        while self._waiting and self._write():
            pass
        if self._terminal is not None:
            self._terminal.close()
        return len(self._waiting)

    def _flush(self) -> None:
        """Write a bounded share, so that other things go on, and the rest a moment later."""
        self._retry = None
        pieces = 0
        while self._waiting and pieces < _PIECES_A_TURN and self._write():
            pieces += 1
        if self._waiting:
            self._retry = self._loop.call_later(_RETRY_S, self._flush)

    def _write(self) -> bool:
        """Write a piece, if that goes without waiting; False if it doesn't."""
        try:
            fd = self._ready()
            if fd is None:
                return False
            end = self._waiting.rfind(b"\n", 0, PIECE) + 1
            del self._waiting[: os.write(fd, self._waiting[: end or PIECE])]
        except BlockingIOError:  # somebody has made it so that it never waits
            return False
        except (OSError, ValueError) as error:  # its reader has gone, the disk is full, it is closed
            self._waiting.clear()
            if isinstance(error, BrokenPipeError) and self._stream is not None:
                to_nowhere(self._stream)
        return True

    def _ready(self) -> int | None:
        """What a piece can be written to without waiting, or None while that would wait."""
        if self._terminal is not None:
            return self._terminal.fileno()
        fd = self._stream.fileno() if self._stream is not None else -1
        return fd if _is_ready(fd) else None


def _opened_anew(stream: TextIO | None) -> FileIO | None:
    """A terminal, opened once more so that writing there never waits; None if it is none, or that can't be done.

    A terminal says that it is ready when it has room for one byte, and a piece would wait for the rest for as long as
    nobody reads. O_NONBLOCK can't be set on the stream's own file descriptor: the user's shell would have it too.
    """
    if sys.platform == "win32" or stream is None:
        return None
    try:
        name = os.ttyname(stream.fileno())
        return FileIO(os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY), "w")
    except (OSError, ValueError):  # no terminal, or one of another user, of another container
        return None


def _is_ready(fd: int) -> bool:
    """Can a piece be written without waiting? Also if that fails at once; and on Windows, which can't tell."""
    if not hasattr(select, "poll"):
        return True
    poller = select.poll()
    poller.register(fd, select.POLLOUT)
    return bool(poller.poll(0))
