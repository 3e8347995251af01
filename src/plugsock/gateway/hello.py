"""The beginning of a session: `hello`, its answer `welcome`, and the taking up of an earlier session."""

from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from plugsock.gateway.authenticator import Authenticator, Verdict
from plugsock.gateway.handshake import Request
from plugsock.gateway.identities import Identities
from plugsock.gateway.mocking import MOST_WISHES, Mocking
from plugsock.gateway.moments import Moments
from plugsock.gateway.peer import Peer
from plugsock.gateway.showing import shown_by
from plugsock.gateway.topics import Arrival, Position, Refusal, Topics
from plugsock.gateway.views import Views
from plugsock.hub.peers import Peers
from plugsock.hub.sessions import Sessions
from plugsock.model import Fault, User
from plugsock.settings import MockPattern, Settings
from plugsock.wire import codes
from plugsock.wire.answer import error_frame, fault, fault_payload, ok_frame, welcome_frame
from plugsock.wire.header import ID, ClientFrame
from plugsock.wire.session import Outcome

UNKNOWN: Final = fault("unauthorized", "Nobody knows you by that.")
ANOTHER: Final = fault("unauthorized", "That token is another user's.")
OVER: Final = fault("token_expired", "That token has expired.")
BUSY: Final = fault("overloaded", "Your token before this one is still being looked at.", after_ms=1000)
"""One at a time: so they come into force in the order in which they were sent, and cost no more than calls do."""


LONGEST_SHAPES: Final = 64
"""Characters, five times those of a hash: it is kept as long as the session."""


class Greeting(Struct):
    """What a client says of itself; fields that are not known here are ignored."""

    v: Literal[1] = 1
    token: str | None = None
    format: Literal["json", "msgpack"] = "json"
    resume: str | None = None
    """The key that an earlier `welcome` gave."""
    open: dict[str, int] = {}
    """Ids that the client still waits for, with the number of items it got."""
    topics: dict[str, str | None] = {}
    """Topics that the client wants to be in, with its position in each if it knows that."""
    mock: list[MockPattern] = []
    """Events that it wants made-up answers to; only a server with --dev heeds that."""
    shapes: Annotated[str, Meta(max_length=LONGEST_SHAPES)] = ""
    """The hash of the shapes that the client was built for, if it says that."""


class Refresh(Struct):
    """What `token` says."""

    token: str


class Limits(Struct):
    """What a client should keep to."""

    message: int
    """Bytes, as those of an `answer`."""
    answer: int
    calls: int
    """That may be open at once."""
    watches: int
    """Views that may be watched at once, and topics that one may be in: so many of each."""
    timeout: float
    """Seconds of a call, or of one item of a stream."""


class Welcome(Struct, omit_defaults=True):
    """What the server says of itself and of the session."""

    session: str
    resume: str
    resumed: bool
    ping: float
    limits: Limits
    shapes: str
    user: str | None
    permissions: list[str]
    topics: dict[str, Position | Refusal]
    mock: list[str] = []
    """Patterns of the events to which the client gets made-up answers."""


class Refreshed(Struct):
    """The answer to `token`."""

    user: str
    permissions: list[str]
    expires: float | None


_greeting = msgspec.json.Decoder(Greeting)
_refresh = msgspec.json.Decoder(Refresh)


class Reception:
    """Opens sessions, for those who may come in."""

    def __init__(
        self,
        settings: Settings,
        peers: Peers[Peer],
        sessions: Sessions[Peer],
        identities: Identities,
        authenticator: Authenticator,
        views: Views,
        moments: Moments,
        topics: Topics,
        mocking: Mocking,
    ) -> None:
        self._settings = settings
        self._mocking = mocking
        self._peers = peers
        self._sessions = sessions
        self._identities = identities
        self._authenticator = authenticator
        self._views = views
        self._moments = moments
        self._topics = topics

    def hear(self, peer: Peer, frame: ClientFrame, shapes: str) -> None:
        """Answer `hello`, once it is known who says it: with it a session begins, or an earlier one goes on."""
        try:
            greeting = self._read(frame.payload or b"{}")
        except ValueError as error:
            refused = fault("bad_payload", f"hello: {error}")
            peer.send(False, error_frame(frame.id, fault_payload(refused, binary=False)))
            return
        if self._identities.mode == "none":
            self._open(peer, frame.id, greeting, shapes, None)
            return
        request = peer.request
        if request is None:
            return
        peer.wait()
        self._identities.said_hello(peer)
        then = partial(self._decided, peer, frame.id, greeting, shapes)
        self._authenticator.ask(shown_by(request, peer.remote, greeting.token), then)

    def refresh(self, peer: Peer, frame: ClientFrame) -> None:
        """Answer `token`: the same user with a new one."""
        try:
            token = _refresh.decode(frame.payload or b"{}").token
        except (msgspec.DecodeError, RecursionError) as error:
            self._refuse(peer, frame.id, fault("bad_payload", f"token: {error}"))
            return
        request = peer.request
        if self._identities.mode == "none" or request is None:
            self._refuse(peer, frame.id, fault("unauthorized", "This server knows no tokens."))
            return
        if peer.is_asking:
            self._refuse(peer, frame.id, BUSY)
            return
        peer.is_asking = True
        then = partial(self._refreshed, peer, request, frame.id)
        self._authenticator.ask(shown_by(request, peer.remote, token), then)

    def _refreshed(self, peer: Peer, request: Request, id: bytes, verdict: Verdict) -> None:
        """Take a new identity if it is the same user's; else the old one stays, for as long as it is good."""
        peer.is_asking = False
        if peer.request is not request:  # its socket has gone; over another one it has said who it is since
            return
        verdict = self._still_good(verdict)
        if not isinstance(verdict, User):
            self._refuse(peer, id, UNKNOWN if verdict is None else verdict)
        elif peer.user is not None and peer.user.id != verdict.id:
            self._refuse(peer, id, ANOTHER)
        else:
            self._identities.know(peer, verdict)
            self._identities.enforce(peer)
            answer = Refreshed(verdict.id, peer.rights.listing(), verdict.expires)
            peer.send(False, ok_frame(id, msgspec.json.encode(answer)))

    def _still_good(self, verdict: Verdict) -> Verdict:
        return OVER if isinstance(verdict, User) and self._identities.is_over(verdict) else verdict

    def _refuse(self, peer: Peer, id: bytes, reason: Fault) -> None:
        peer.send(False, error_frame(id, fault_payload(reason, binary=False)))

    def _decided(self, peer: Peer, id: bytes, greeting: Greeting, shapes: str, verdict: Verdict) -> None:
        """Let somebody in, or not."""
        if peer.request is None:
            return
        verdict = self._still_good(verdict)
        if isinstance(verdict, User) or (verdict is None and self._identities.mode == "optional"):
            peer.go_on(self._open(peer, id, greeting, shapes, verdict))
            return
        reason = UNKNOWN if verdict is None else verdict
        code = codes.AUTHENTICATION_UNAVAILABLE if reason.retry else codes.UNAUTHORIZED
        self._refuse(peer, id, reason)
        peer.kick(code, codes.MEANINGS[code])

    def _open(self, peer: Peer, id: bytes, greeting: Greeting, shapes: str, user: User | None) -> Peer:
        """Begin a session, or go on with an earlier one of the same user; who holds it."""
        earlier = self._earlier(greeting.resume, user)
        who = peer if earlier is None else earlier
        self._identities.know(who, user)
        self._identities.enforce(who)  # before it is resumed: what has become of a call is said once
        if earlier is not None:
            self._resume(earlier, peer)
            peer = earlier
        peer.session.step(b"hello")
        peer.shapes = greeting.shapes
        peer.mocked = self._mocking.granted(greeting.mock)
        self._moments.connected(peer)
        peer.key = self._sessions.open(peer)
        arrival = self._topics.arrive(peer, greeting.topics)
        peer.send(False, welcome_frame(id, self._describe(peer, shapes, arrival, resumed=earlier is not None)))
        self._peers.speak(peer, binary=greeting.format == "msgpack")
        if greeting.resume:
            _settle(peer, greeting.open, resumed=earlier is not None)
            self._views.come_back(peer, {id.encode(): count for id, count in greeting.open.items()})
        self._topics.follow(
            peer, arrival
        )  # last: it wakes views, whose values must be counted from where the client is
        return peer

    def _resume(self, earlier: Peer, newcomer: Peer) -> None:
        self._peers.remove(newcomer)
        self._peers.remove(earlier)
        self._topics.gone(earlier)
        self._moments.disconnected(earlier)
        earlier.take_over(newcomer)
        self._peers.add(earlier)
        self._identities.forget(newcomer)

    def _earlier(self, key: str | None, user: User | None) -> Peer | None:
        """The session of a key, if it is this user's; another's goes on as if nobody had asked for it."""
        earlier = self._sessions.get(key) if key else None
        if key is None or earlier is None or _id(earlier.user) != _id(user):
            return None
        return self._sessions.take(key)

    def _read(self, payload: bytes) -> Greeting:
        """Decode a `hello`.

        Raises:
            ValueError: It does not fit; the text says why.
        """
        try:
            greeting = _greeting.decode(payload)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        most = self._settings.max_open + self._settings.max_watches
        if len(greeting.open) > most:
            raise ValueError(f"at most {most} ids can be open")
        if len(greeting.topics) > self._settings.max_watches:
            raise ValueError(f"a socket may be in at most {self._settings.max_watches} topics")
        if len(greeting.mock) > MOST_WISHES:
            raise ValueError(f"at most {MOST_WISHES} patterns can be mocked")
        return greeting

    def _describe(self, peer: Peer, shapes: str, arrival: Arrival, *, resumed: bool) -> Welcome:
        settings = self._settings
        return Welcome(
            session=peer.id,
            resume=peer.key,
            resumed=resumed,
            ping=settings.ping_s,
            limits=Limits(
                message=settings.max_message,
                answer=settings.max_answer,
                calls=settings.max_open,
                watches=settings.max_watches,
                timeout=settings.timeout_s,
            ),
            shapes=shapes,
            user=_id(peer.user),
            permissions=peer.rights.listing(),
            topics=arrival.told,
            mock=self._mocking.in_force(peer.mocked),
        )


_UNSETTLED: Final = {
    Outcome.NOT_RECEIVED: "The call never arrived; send it again.",
    Outcome.UNKNOWN: "The call may have run; its answer is not kept any more.",
}


def _settle(peer: Peer, open: dict[str, int], *, resumed: bool) -> None:
    """Tell a client that came back what became of each id that is open for it: nobody knows, if the session is gone.

    The client may ask once more, as its connection may go before it has heard of all of them, and is told the same. So
    what was not received is an answer that is kept, and a new session takes all of them for used.
    """
    session = peer.session
    ids = [text.encode() for text in open if ID.fullmatch(text.encode())]
    outcomes = [(id, session.outcome(id) if resumed else Outcome.UNKNOWN) for id in ids]
    session.reach(ids)
    for id, outcome in outcomes:
        if isinstance(outcome, tuple):
            _, binary, frame = outcome
            peer.send(binary, frame)
        elif outcome is not Outcome.RUNNING:
            frame = error_frame(id, fault_payload(fault(outcome.value, _UNSETTLED[outcome]), binary=False))
            if outcome is Outcome.NOT_RECEIVED:
                session.keep(id, False, frame)
            peer.send(False, frame)


def _id(user: User | None) -> str | None:
    return None if user is None else user.id
