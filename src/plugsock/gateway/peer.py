"""One client: its session, and the socket that it holds open at the moment.

This is the conversation that a connection leads. A peer that said `hello` outlives its socket: whoever comes back with
its resume key goes on as the same peer, over the new connection.
"""

import secrets
from typing import Final, Protocol

from plugsock.gateway.calls import Calls, OpenCall
from plugsock.gateway.conversation import Wire
from plugsock.gateway.routes import Routes
from plugsock.wire import codes
from plugsock.wire.session import NEW, Session

_ZERO: Final = 0x30
"""No id begins with it."""


class Office(Protocol):
    """What all peers share."""

    routes: Routes
    calls: Calls

    def receive(self, peer: "Peer", binary: bool, message: bytes) -> None:  # noqa: FBT001 - as in `Peer.received`
        """Take a frame that is not a plain call."""

    def joined(self, peer: "Peer") -> None:
        """A peer's socket has opened."""

    def left(self, peer: "Peer") -> None:
        """A peer's socket has gone."""


class Peer:
    """A client, with or without a socket.

    Attributes:
        id: Names it to plugs (`Socket.id`); random, since who knows it may send to it.
        session: Its ids and open calls.
        binary: It wants what is pushed as MessagePack.
        held: Too much is unsent on its socket.
        introduced: The worker knows it.
        key: Its resume key, if it said `hello`.
    """

    __slots__ = ("_office", "_wire", "binary", "held", "id", "introduced", "key", "session")

    def __init__(self, office: Office, wire: Wire) -> None:
        self._office = office
        self._wire: Wire | None = wire
        self.id = secrets.token_urlsafe(9)
        self.session: Session[OpenCall] = Session()
        self.binary = False
        self.held = False
        self.introduced = False
        self.key = ""

    def opened(self) -> None:
        """The handshake is done."""
        self._office.joined(self)

    def received(self, binary: bool, message: bytes) -> None:  # noqa: FBT001 - by position: once a message
        """Take one message: a plain call is split and opened right here, everything else takes the longer way."""
        parts = message.split(b" ", 3)
        if len(parts) == 4 and parts[0] == b"call":
            _, id, name, payload = parts
            office = self._office
            route = office.routes.by_name.get(name)
            if (
                route is not None
                and route.is_call
                and id.isdigit()
                and id[0] != _ZERO
                and len(id) <= 16
                and self.session.state is not NEW
            ):
                office.calls.open(self, binary, id, route, payload)
                return
        self._office.receive(self, binary, message)

    def send(self, binary: bool, frame: bytes) -> None:  # noqa: FBT001 - by position: once a frame
        """Hand a frame to the socket; without one it is dropped (a session keeps its answers by itself)."""
        if self._wire is not None:
            self._wire.send(binary, frame)

    def kick(self, code: int, reason: str) -> None:
        """Close the socket."""
        if self._wire is not None:
            self._wire.close(code, reason)

    def congested(self, *, congested: bool) -> None:
        """More is unsent than the client takes, or no longer so."""
        self.held = congested
        if self.introduced:
            self._office.calls.hold(self)

    def closed(self, code: int) -> None:  # noqa: ARG002 - others who lead a connection want to know
        """The socket has gone."""
        self._wire = None
        self.held = False
        self._office.left(self)

    def take_over(self, newcomer: "Peer") -> None:
        """Go on over the connection of a newcomer, who gets the old one, if there still is one, and closes it."""
        self._wire, newcomer._wire = newcomer._wire, self._wire
        if self._wire is not None:
            self._wire.conversation = self
        if newcomer._wire is not None:
            newcomer._wire.conversation = newcomer
            newcomer.kick(codes.DRAIN, "The session goes on over another connection.")
