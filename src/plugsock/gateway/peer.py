"""One client: its session, and the socket that it holds open at the moment.

This is the conversation that a connection leads. A peer that said `hello` outlives its socket: whoever comes back with
its resume key goes on as the same peer, over the new connection.
"""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from plugsock.gateway.calls import Calls
from plugsock.gateway.conversation import Wire
from plugsock.gateway.handshake import Request
from plugsock.gateway.open_call import OpenCall
from plugsock.gateway.protected import may_see, revoked
from plugsock.gateway.routes import Routes
from plugsock.hub.rights import NOBODY
from plugsock.model import Fault, User
from plugsock.wire import codes
from plugsock.wire.session import NEW, Session

_ZERO: Final = 0x30
"""No id begins with it."""


MOST_WAITING: Final = 1_048_576
MOST_FRAMES: Final = 1024
"""Bytes and frames that are kept of a client that says more before it is welcome: one message of the default limit."""

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


class Late(Protocol):
    """What has not told a peer something yet, because its socket took no more."""

    def catch_up(self) -> None:
        """It takes more again."""


class Peer:
    """A client, with or without a socket.

    Attributes:
        id: Names it to plugs (`Socket.id`); random, since who knows it may send to it.
        session: Its ids and open calls.
        binary: It wants what is pushed as MessagePack.
        held: Too much is unsent on its socket.
        introduced: The worker knows it.
        key: Its resume key, if it said `hello`.
        shapes: The hash of the shapes that it was built for, if it said that.
        user: Who it is, if that is known.
        wire: Its socket, even if that is being closed. An attribute for the same reason as `send`.
        rights: What it may do.
        told: The version of them that the worker knows.
        bar: Why it may call nothing at all now; None if it may.
        is_admitted: It gets what everybody gets.
        late: What waits until its socket takes more.
        is_asking: It is being found out who its latest `token` belongs to.
        is_connected: It has said its first word, and its socket has not gone; see `moments`.
        topics: Those that it is in; see `topics`.
        mocked: Patterns of the events to which it wants made-up answers; see `mocking`.
        send: Hands a frame to its socket, as (binary, frame). Without a socket it drops it; a session keeps its
            answers by itself. An attribute, because as a method it would cost one more Python call a frame.
    """

    __slots__ = (
        "_office", "_waiting", "_waiting_bytes", "bar", "binary", "held", "id", "introduced", "is_admitted", "is_asking", "is_connected", "key",
        "late", "mocked", "rights", "send", "session", "shapes", "told", "topics", "user", "wire",
    )  # fmt: skip

    send: Send

    def __init__(self, office: Office, wire: Wire) -> None:
        self._office = office
        self.wire: Wire | None = wire
        self.id = secrets.token_urlsafe(9)
        self.session: Session[OpenCall] = Session()
        self.binary = False
        self.held = False
        self.introduced = False
        self.key = ""
        self.shapes = ""
        self.user: User | None = None
        self.rights = NOBODY
        self.told = NOBODY.version
        self.bar: Fault | None = None
        self.is_admitted = True
        self.is_asking = False
        self.is_connected = False
        self.late: set[Late] = set()
        self.topics: set[str] = set()
        self.mocked: tuple[str, ...] = ()
        self._waiting: list[tuple[bool, bytes]] | None = None
        self._waiting_bytes = 0
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
                and self.bar is None
            ):
                office.calls.open(self, binary, id, route, payload)
                return
        if self._waiting is None:
            self._office.receive(self, binary, message)
        else:
            self._keep(binary, message)

    @property
    def request(self) -> Request | None:
        """What opened its socket; None if that has gone or is being closed."""
        return self.wire.request if self.wire is not None and self.wire.is_open else None

    @property
    def remote(self) -> str:
        """The address of the other side; empty if its socket has gone."""
        return "" if self.wire is None else self.wire.remote

    def wait(self) -> None:
        """Keep what it says from now on, until `go_on`: it is not known yet who says it."""
        self._waiting, self._waiting_bytes = [], 0

    def go_on(self, somebody: "Peer") -> None:
        """Let somebody, itself or whose session it takes up, hear what was kept."""
        waiting, self._waiting = self._waiting or [], None
        for binary, message in waiting:
            if somebody.request is None:  # what it said first has closed it
                break
            somebody.received(binary, message)

    def withhold(self) -> None:
        """Take back what was sent and not handed over, and what is kept, as far as it may not be seen any more."""
        self.session.withhold(partial(may_see, self.rights), revoked)
        if self.wire is not None:
            self.wire.withhold(partial(may_see, self.rights), revoked)

    def _keep(self, binary: bool, message: bytes) -> None:  # noqa: FBT001 - as in `received`
        assert self._waiting is not None
        self._waiting.append((binary, message))
        self._waiting_bytes += len(message)
        if self._waiting_bytes > MOST_WAITING or len(self._waiting) > MOST_FRAMES:
            self._waiting.clear()
            self.kick(codes.POLICY_VIOLATION, "too much was said before the welcome")

    def kick(self, code: int, reason: str) -> None:
        """Close the socket."""
        if self.wire is not None:
            self.wire.close(code, reason)

    def congested(self, *, congested: bool) -> None:
        """More is unsent than the client takes, or no longer so."""
        self.held = congested
        if self.introduced:
            self._office.calls.hold(self)

    def cleared(self) -> None:
        """The client takes more again."""
        late, self.late = self.late, set()
        for one in late:
            one.catch_up()

    def closed(self, code: int) -> None:  # noqa: ARG002 - others who lead a connection want to know
        """The socket has gone."""
        self._let_flow()
        self._lead(None)
        self._office.left(self)

    def take_over(self, newcomer: "Peer") -> None:
        """Go on over the connection of a newcomer, who gets the old one, if there still is one, and closes it.

        Streams end, as they do when a socket goes: nobody knows which of their items have arrived. What is protected and
        still waits on the old connection is dropped, because no revoke reaches that any more; answers are kept anyway.
        """
        self._let_flow()
        self.end_streams()
        mine, theirs = self.wire, newcomer.wire
        if mine is not None:
            mine.withhold(partial(may_see, NOBODY), _nothing)
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
        self.wire = wire
        self.late.clear()
        self.send = _drop if wire is None else wire.send
        if wire is not None:
            wire.conversation = self


def _drop(binary: bool, frame: bytes) -> None:  # noqa: FBT001 - as in `Peer.send`
    """There is no socket."""


def _nothing(binary: bool, frame: bytes) -> None:  # noqa: FBT001 - as in `Wire.withhold`
    """It is not replaced."""
