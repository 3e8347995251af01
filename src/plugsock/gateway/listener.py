"""Accepts connections: listening sockets, TLS, the sweep, and the end of them all."""

import asyncio
import socket
import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Final

from plugsock.gateway.context import Context
from plugsock.gateway.conversation import Converse, Wire
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.opening import Opening
from plugsock.ops.log import get_logger

_log = get_logger()

BACKLOG: Final = 4_096
"""Connections that wait to be accepted; Linux cuts it to net.core.somaxconn, whose default is the same."""

NOTSENT_LOWAT: Final = 16_384
"""Bytes that the kernel holds beyond what is on its way: what is not handed over can still be dropped or replaced."""

_RETRY_S: Final = 0.5
"""How long accepting pauses when the system has nothing left for a connection, file descriptors above all."""
_QUIET_S: Final = 60.0
"""So long nothing more is logged about that."""
_ACCEPTS_A_TURN: Final = 64


class Listener:
    """Listens on one address and owns every connection accepted there."""

    def __init__(
        self, handshake: Handshake, limits: Limits, converse: Converse, *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Set up, inside a running loop; `start` listens."""
        self._loop = asyncio.get_running_loop()
        self._context = Context(self._loop, limits, handshake, converse)
        self._limits = limits
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._acceptors: list[asyncio.Task[None]] = []
        self._opening: dict[asyncio.Task[None], Opening] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._quiet_until = 0.0

    @property
    def wires(self) -> Collection[Wire]:
        """Every open WebSocket."""
        return self._context.wires

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, as host and port."""
        return [listening.getsockname()[:2] for listening in self._sockets]

    async def start(self, host: str, port: int) -> None:
        """Listen on every address of a host; port 0 takes a free one.

        Raises:
            OSError: The host is unknown, or the address can't be listened on.
        """
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, address in dict.fromkeys((family, address[:2]) for family, _, _, _, address in found):
                port = port or (self._sockets[0].getsockname()[1] if self._sockets else 0)
                self._sockets.append(_listen(family, str(address[0]), port))
        except OSError:
            self.stop()
            raise
        for listening in self._sockets:
            name = "accept on {}:{}".format(*listening.getsockname()[:2])
            self._acceptors.append(self._loop.create_task(self._accept(listening), name=name))
        self._sweep()

    def stop(self) -> None:
        """Accept no more; what is open stays."""
        for task in self._acceptors:
            task.cancel()
        for listening in self._sockets:
            listening.close()
        self._acceptors.clear()
        self._sockets.clear()

    async def close(self, code: int, reason: str = "") -> None:
        """Stop, close every connection, and return when all are gone, at most twice `Limits.close_s` later."""
        self.stop()
        for task, opening in list(self._opening.items()):
            # uvloop forgets to tell the protocol of a transport that is cancelled once it stands.
            if not opening.stands:
                task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for wire in list(self._context.wires):
            wire.close(code, reason)
        for member in list(self._context.members):
            if isinstance(member, Opening):
                member.tick(self._loop.time())
        while self._context.members:
            self._context.emptied.clear()
            await self._context.emptied.wait()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _sweep(self) -> None:
        self._sweeper = self._loop.call_later(self._limits.sweep_s, self._sweep)
        self._context.sweep()

    async def _accept(self, listening: socket.socket) -> None:
        accepted = 0
        while True:
            try:
                connection, _ = await self._loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._warn(error)
                await asyncio.sleep(_RETRY_S)
                continue
            opening = Opening(self._context, self._loop.time() + self._limits.handshake_s)
            task = self._loop.create_task(self._open(connection, opening), name="open a connection")
            self._opening[task] = opening
            task.add_done_callback(self._opening.pop)
            accepted += 1
            if accepted % _ACCEPTS_A_TURN == 0:
                await asyncio.sleep(0)

    def _warn(self, error: OSError) -> None:
        now = self._loop.time()
        if now >= self._quiet_until:
            _log.warning("no more connections can be accepted for now", error=error.strerror, open=len(self.wires))
            self._quiet_until = now + _QUIET_S

    async def _open(self, connection: socket.socket, opening: Opening) -> None:
        """Make a transport; with TLS that takes until its handshake is done."""
        limit = self._limits.handshake_s if self._tls else None
        try:
            _tune(connection)
            await self._loop.connect_accepted_socket(
                lambda: opening, connection, ssl=self._tls, ssl_handshake_timeout=limit
            )
        except OSError as error:
            _log.debug("connection lost before it was open", error=str(error))
            connection.close()


def tls_context(cert: Path, key: Path | None) -> ssl.SSLContext:
    """Load a certificate chain and its key (in the same file if there is none of its own).

    Raises:
        OSError: A file can't be read, or is no certificate or key (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _listen(family: int, host: str, port: int) -> socket.socket:
    # `create_server` sets SO_REUSEADDR where it means "although old connections are in TIME_WAIT": not on Windows.
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setblocking(False)
    return listening


def _tune(connection: socket.socket) -> None:
    # TCP_NODELAY is set by every event loop.
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT)
