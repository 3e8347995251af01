"""One flush for everything that was sent in one turn of the event loop."""

import asyncio
from typing import Protocol

from plugsock.wire.frames import SHORT_HEADS, head


class Flushable(Protocol):
    """What can be flushed: a connection."""

    def flush(self) -> bool:
        """Hand over what is short, up to the first long frame; is there one?"""

    def flush_all(self) -> None:
        """Hand over everything."""


class Turn:
    """Collects connections that have something to send and flushes each once.

    Long frames go last: on one connection the order is always kept, but a connection whose next frame is long waits
    until all the others have handed over their short ones.
    """

    __slots__ = ("_frame", "_long", "_loop", "_opcode", "_payload", "_short")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._short: list[Flushable] = []
        self._long: list[Flushable] = []
        self._opcode = 0
        self._payload = self._frame = b""

    def frame(self, opcode: int, payload: bytes) -> bytes:
        """Put a frame together; what goes to many is put together once."""
        if payload is not self._payload or opcode != self._opcode:
            length = len(payload)
            self._opcode, self._payload = opcode, payload
            self._frame = (SHORT_HEADS[opcode][length] if length < 126 else head(opcode, length)) + payload
        return self._frame

    def add(self, connection: Flushable) -> None:
        """Flush a connection when this turn's callbacks have run."""
        if not self._short and not self._long:
            self._loop.call_soon(self._flush)
        self._short.append(connection)

    def add_long(self, connection: Flushable) -> None:
        """Flush a connection, whose next frame is long, after all the others."""
        if not self._short and not self._long:
            self._loop.call_soon(self._flush)
        self._long.append(connection)

    def _flush(self) -> None:
        short, long = self._short, self._long
        self._short, self._long = [], []
        long += [connection for connection in short if connection.flush()]
        for connection in long:
            connection.flush_all()
        self._payload = self._frame = b""
