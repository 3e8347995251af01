"""One client: its session, and the socket that it holds open at the moment.

This is the conversation that a connection leads. A peer that said `hello` outlives its socket: whoever comes back with
its resume key goes on as the same peer, over the new connection.
"""

import secrets
from collections.abc import Callable
from typing import Final, Protocol

from plugsock.gateway.calls import Calls, OpenCall
from plugsock.gateway.conversation import Wire
from plugsock.gateway.routes import Routes
from plugsock.wire import codes
from plugsock.wire.session import NEW, Session

_ZERO: Final = 0x30
"""No id begins with it."""


Send = Callable[[bool, bytes], None]


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
        send: Hands a frame to its socket, as (binary, frame). Without a socket it drops it; a session keeps its
            answers by itself. An attribute, because as a method it would cost one more Python call a frame.
    """

    __slots__ = ("_office", "_wire", "binary", "held", "id", "introduced", "key", "send", "session")

    send: Send

    def __init__(self, office: Office, wire: Wire) -> None:
        self._office = office
        self._wire: Wire | None = wire
        self.id = secrets.token_urlsafe(9)
        self.session: Session[OpenCall] = Session()
        self.binary = False
        self.held = False
        self.introduced = False
        self.key = ""
        self.send = wire.send

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
                and route.is_plain
                and id.isdigit()
                and id[0] != _ZERO
                and len(id) <= 16
                and self.session.state is not NEW
            ):
                office.calls.open(self, binary, id, route, payload)
                return
        self._office.receive(self, binary, message)

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
        self._let_flow()
        self._lead(None)
        self._office.left(self)

    def take_over(self, newcomer: "Peer") -> None:
        """Go on over the connection of a newcomer, who gets the old one, if there still is one, and closes it.

        Streams end, as they do when a socket goes: nobody knows which of their items have arrived.
        """
        self._let_flow()
        self.end_streams()
        mine, theirs = self._wire, newcomer._wire
        self._lead(theirs)
        newcomer._lead(mine)
        newcomer.kick(codes.DRAIN, "The session goes on over another connection.")

    def end_streams(self) -> None:
        """Forget the streams that are open: what they have sent may be lost."""
        for call in list(self.session.calls.values()):
            if not call.route.is_call:
                self._office.calls.drop(call)

    def _let_flow(self) -> None:
        """Whatever wire comes next has room."""
        if self.held:
            self.congested(congested=False)

    def _lead(self, wire: Wire | None) -> None:
        self._wire = wire
        self.send = _drop if wire is None else wire.send
        if wire is not None:
            wire.conversation = self


def _drop(binary: bool, frame: bytes) -> None:  # noqa: FBT001 - as in `Peer.send`
    """There is no socket."""
