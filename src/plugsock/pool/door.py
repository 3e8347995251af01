"""The door: where workers connect, and say who they are before they are given anything to do.

    connected ─ same user? ─ a registration, 5 s and 64 KiB at most ─ same version? ─ known? ─ a `ProcessLink`

Whatever else connects or is said there, the connection is closed, with a line in the log, and nothing else happens.
"""

import asyncio
import hmac
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, TypeAlias, cast

from msgspec.structs import replace

from plugsock.ops.datadir import Address
from plugsock.ops.log import get_logger
from plugsock.pool.link import ProcessLink
from plugsock.rpc import batches, join
from plugsock.rpc.batches import HEAD, Violation
from plugsock.rpc.join import Register, Turned, Welcome

REGISTER_S: Final = 5.0
"""A worker registers as soon as it is connected; 5 s are what a client has for its handshake."""

MOST: Final = 64
"""Connections that may not have registered yet."""

Decide: TypeAlias = Callable[[Register, ProcessLink], Welcome | Turned]
"""Says whether a worker may join. Its key is empty if it was started by hand; whoever welcomes it attaches the link."""

log = get_logger()


class Door:
    """Listens for workers.

    Args:
        plugsock: This gateway's version.
        decide: Is asked about each worker that has registered.
        limit: Bytes of a batch that a worker may send, see `rpc.batches.limit`.
    """

    def __init__(self, plugsock: str, decide: Decide, *, limit: int = batches.LIMIT) -> None:
        self._plugsock = plugsock
        self._decide = decide
        self._limit = limit
        self._server: asyncio.Server | None = None
        self._address = Address()
        self._arrivals: set[Arrival] = set()

    @property
    def address(self) -> str:
        """Where workers connect: a path, or `127.0.0.1:PORT`."""
        return str(self._address)

    async def open(self, listening: socket.socket, address: Address) -> None:
        """Let workers in from now on.

        Args:
            listening: A socket that listens.
            address: Where that is, and the key of a port.
        """
        loop = asyncio.get_running_loop()
        listen = loop.create_unix_server if address.path else loop.create_server
        self._address = address
        self._server = await listen(lambda: Arrival(self), sock=listening)

    def close(self) -> None:
        """Let nobody in any more; those who are in stay."""
        if self._server is not None:
            self._server.close()
        for arrival in list(self._arrivals):
            arrival.hang_up("the server ends")

    def enter(self, arrival: "Arrival", peer: socket.socket) -> None:
        """Take in a connection that has not said anything.

        Raises:
            Violation: It is turned away, because.
        """
        if len(self._arrivals) >= MOST:
            raise Violation(f"{MOST} others have not said who they are yet")
        if self._address.path and not is_same_user(peer):
            raise Violation("it belongs to another user")
        self._arrivals.add(arrival)

    def leave(self, arrival: "Arrival") -> None:
        """It has registered, or it has gone."""
        self._arrivals.discard(arrival)

    def register(self, said: Register) -> tuple[Welcome | Turned, ProcessLink]:
        """Decide about a worker, whose link takes over the connection if it is welcome."""
        link = ProcessLink(self._limit)
        if (said.plugsock, said.rpc) != (self._plugsock, join.VERSION):
            return Turned(self._other_version(said)), link
        if self._address.key:
            if not said.key:
                return Turned("Where there are no Unix sockets a worker needs a key, in PLUGSOCK_WORKER_KEY."), link
            if hmac.compare_digest(said.key.encode(), self._address.key.encode()):
                said = replace(said, key="")  # of somebody who may ask the admin socket, and started it by hand
        return self._decide(said, link), link

    def _other_version(self, said: Register) -> str:
        mine = f"plugsock {self._plugsock} (rpc {join.VERSION})"
        return f"The server is {mine}, the worker is plugsock {said.plugsock} (rpc {said.rpc}): both must be the same."


class Arrival(asyncio.Protocol):
    """A connection until it has registered."""

    _transport: asyncio.Transport

    def __init__(self, door: Door) -> None:
        self._door = door
        self._data = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, for a while."""
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport = transport
        try:
            self._door.enter(self, transport.get_extra_info("socket"))
        except Violation as wrong:
            self.hang_up(str(wrong))
        else:
            late = f"it has not registered within {REGISTER_S:g} s"
            self._timer = asyncio.get_running_loop().call_later(REGISTER_S, self.hang_up, late)

    def data_received(self, data: bytes) -> None:
        """Read its registration, and hand the connection over to its link."""
        self._data += data
        try:
            said = self._registration()
        except Violation as wrong:
            self.hang_up(str(wrong))
        else:
            if said is not None:
                self._answer(said)

    def connection_lost(self, _error: Exception | None) -> None:
        """It has gone."""
        self._end()

    def hang_up(self, reason: str) -> None:
        """Close the connection."""
        log.warning("a connection to the workers' socket was closed", reason=reason)
        self._end()
        self._transport.abort()

    def _registration(self) -> Register | None:
        """What was said, None as long as it is not complete."""
        if len(self._data) < HEAD:
            return None
        length = join.length(self._data)
        if len(self._data) < HEAD + length:
            return None
        if len(self._data) > HEAD + length:
            raise Violation("it has gone on before it was answered")
        return join.decode_register(self._data[HEAD:])

    def _answer(self, said: Register) -> None:
        self._end()
        said = replace(said, pid=pid_of(self._transport.get_extra_info("socket"), said.pid))
        answer, link = self._door.register(said)
        self._transport.write(join.encode(answer))
        if isinstance(answer, Turned):
            log.warning("a worker can't join", pid=said.pid, reason=answer.message)
            self._transport.close()
        else:
            self._transport.set_protocol(link)
            link.connection_made(self._transport)

    def _end(self) -> None:
        self._door.leave(self)
        if self._timer is not None:
            self._timer.cancel()


if sys.platform == "linux":

    def _credentials(peer: socket.socket) -> tuple[int, int]:
        """Process and user at the other end of a Unix socket, as the kernel knows them."""
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _gid = struct.unpack("3i", credentials)
        return pid, uid

    def is_same_user(peer: socket.socket) -> bool:
        """Does the other end of a Unix socket belong to this process's user?"""
        return _credentials(peer)[1] == os.getuid()

    def pid_of(peer: socket.socket, said: int) -> int:
        """The process at the other end; what it has said itself where that is no Unix socket."""
        return _credentials(peer)[0] if peer.family == socket.AF_UNIX else said
else:

    def is_same_user(peer: socket.socket) -> bool:  # noqa: ARG001
        """Only this user can open the directory that the socket is in, see `ops.datadir`."""
        return True

    def pid_of(peer: socket.socket, said: int) -> int:  # noqa: ARG001
        """What it has said itself."""
        return said
