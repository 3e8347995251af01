"""A TCP proxy that cuts its connections where it is told to: behind the n-th byte of either direction."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, and no time, so that closing is a RST."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a connection is cut, and how either side hears of it.

    Attributes:
        up: Bytes that still pass to the server; None if there is no limit.
        down: Likewise to the client. Whichever is used up first is the end of both.
        near: What the client gets: "fin" or "rst".
        far: What the server gets: likewise, or "nothing", as if a cable had been pulled.
    """

    up: int | None = 0
    down: int | None = None
    near: str = "fin"
    far: str = "fin"


NEVER = Cut(up=None)


class Proxy:
    """Listens, and hands everything on to one port; each connection is cut as `cut` says when it comes."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.cut = NEVER
        self.port = 0
        self.links: list[Link] = []

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(self._come, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Listen no more, and end what there is."""
        self._server.close()
        self.clear()

    def clear(self) -> None:
        """End every connection, also those of which one side was not told."""
        for link in self.links:
            link.close()
        self.links.clear()
        self.cut = NEVER

    def _come(self) -> "Side":
        link = Link(self.target, self.cut)
        self.cut = NEVER
        self.links.append(link)
        return link.near


class Link:
    """One connection that is handed on."""

    def __init__(self, target: int, cut: Cut) -> None:
        self.near = Side(self)
        self.far = Side(self)
        self._target = target
        self._is_over = False
        self._opening: asyncio.Task | None = None
        self.arm(cut)

    def arm(self, cut: Cut) -> None:
        """Be cut like this from now on."""
        self._cut = cut
        self._room = {self.near: cut.up, self.far: cut.down}
        if 0 in self._room.values() and self.near.transport is not None:
            self._end(cut.near, cut.far)

    def opened(self, side: "Side") -> None:
        """One side is there; for the client's the other one is fetched."""
        if side is self.near:
            loop = asyncio.get_running_loop()
            connecting = loop.create_connection(lambda: self.far, "127.0.0.1", self._target)
            self._opening = loop.create_task(self._fetch(connecting))

    async def _fetch(self, connecting) -> None:
        with suppress(OSError):
            await connecting

    def take(self, side: "Side", data: bytes) -> None:
        """Bytes have come from one side."""
        if self._is_over:
            return
        other = self.far if side is self.near else self.near
        room = self._room[side]
        if room is None or len(data) < room:
            self._room[side] = None if room is None else room - len(data)
            other.write(data)
        else:
            other.write(data[:room])
            self._end(self._cut.near, self._cut.far)

    def lost(self, side: "Side") -> None:
        """One side has hung up."""
        if not self._is_over:
            self._end("fin", "fin")

    def close(self) -> None:
        """End it now, whatever was ended before."""
        self._end("rst", "rst")

    def _end(self, near: str, far: str) -> None:
        self._is_over = True
        self.near.end(near)
        self.far.end(far)


class Side(asyncio.Protocol):
    """One of the two sides of a connection."""

    def __init__(self, link: Link) -> None:
        self.transport: asyncio.Transport | None = None
        self._link = link
        self._early: list[bytes] = []
        self._ends = ""

    def connection_made(self, transport):
        self.transport = transport
        self._link.opened(self)
        for data in self._early:
            transport.write(data)
        if self._ends:
            self.end(self._ends)

    def data_received(self, data):
        self._link.take(self, data)

    def connection_lost(self, exc):
        self._link.lost(self)

    def write(self, data: bytes) -> None:
        """Hand something on, as soon as this side is there."""
        if self.transport is None:
            self._early.append(data)
        else:
            self.transport.write(data)

    def end(self, how: str) -> None:
        """Hang up, as soon as this side is there, if it shall be told at all."""
        self._ends = how
        if self.transport is None or how == "nothing":
            return
        if how == "rst":
            with suppress(OSError):  # it has gone already
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
        else:
            self.transport.close()
