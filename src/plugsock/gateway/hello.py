"""The beginning of a session: `hello`, its answer `welcome`, and the taking up of an earlier session."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from plugsock.gateway.peer import Peer
from plugsock.hub.peers import Peers
from plugsock.hub.sessions import Sessions
from plugsock.settings import Settings
from plugsock.wire.answer import error_frame, fault, fault_payload, welcome_frame
from plugsock.wire.header import ID, ClientFrame
from plugsock.wire.session import Outcome


class Hello(Struct):
    """What a client says of itself; fields that are not known here are ignored."""

    v: Literal[1] = 1
    format: Literal["json", "msgpack"] = "json"
    resume: str | None = None
    """The key that an earlier `welcome` gave."""
    open: dict[str, int] = {}
    """Ids that the client still waits for, with the number of items it got."""


class Limits(Struct):
    """What a client should keep to."""

    message: int
    answer: int
    calls: int
    timeout: float


class Welcome(Struct):
    """What the server says of itself and of the session."""

    session: str
    resume: str
    resumed: bool
    ping: float
    limits: Limits
    shapes: str
    user: str | None
    permissions: list[str]


_hello = msgspec.json.Decoder(Hello)


class Reception:
    """Opens sessions."""

    def __init__(self, settings: Settings, peers: Peers[Peer], sessions: Sessions[Peer]) -> None:
        self._settings = settings
        self._peers = peers
        self._sessions = sessions

    def welcome(self, peer: Peer, frame: ClientFrame, shapes: str) -> None:
        """Answer `hello`: with it a session begins, or an earlier one goes on over this connection."""
        try:
            hello = self._read(frame.payload or b"{}")
        except ValueError as error:
            refused = fault("bad_payload", f"hello: {error}")
            peer.send(False, error_frame(frame.id, fault_payload(refused, binary=False)))
            return
        earlier = self._sessions.take(hello.resume) if hello.resume else None
        if earlier is not None:
            self._peers.remove(peer)
            self._peers.remove(earlier)
            earlier.take_over(peer)
            self._peers.add(earlier)
            peer = earlier
        peer.session.step(b"hello")
        peer.key = self._sessions.open(peer)
        peer.send(False, welcome_frame(frame.id, self._describe(peer, shapes, resumed=earlier is not None)))
        self._peers.speak(peer, binary=hello.format == "msgpack")
        if hello.resume:
            _settle(peer, hello.open, resumed=earlier is not None)

    def _read(self, payload: bytes) -> Hello:
        """Decode a `hello`.

        Raises:
            ValueError: It does not fit; the text says why.
        """
        try:
            hello = _hello.decode(payload)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if len(hello.open) > self._settings.max_open:
            raise ValueError(f"at most {self._settings.max_open} ids can be open")
        return hello

    def _describe(self, peer: Peer, shapes: str, *, resumed: bool) -> Welcome:
        settings = self._settings
        return Welcome(
            session=peer.id,
            resume=peer.key,
            resumed=resumed,
            ping=settings.ping_s,
            limits=Limits(settings.max_message, settings.max_answer, settings.max_open, settings.timeout_s),
            shapes=shapes,
            user=None,
            permissions=[],
        )


_UNSETTLED: Final = {
    Outcome.NOT_RECEIVED: "The call never arrived; send it again.",
    Outcome.UNKNOWN: "The call may have run; its answer is not kept any more.",
}


def _settle(peer: Peer, open: dict[str, int], *, resumed: bool) -> None:
    """Tell a client that came back what became of each id that is open for it: nobody knows, if the session is gone."""
    for id in (text.encode() for text in open if ID.fullmatch(text.encode())):
        outcome = peer.session.outcome(id) if resumed else Outcome.UNKNOWN
        if isinstance(outcome, tuple):
            _, binary, frame = outcome
            peer.send(binary, frame)
        elif outcome is not Outcome.RUNNING:
            reason = fault(outcome.value, _UNSETTLED[outcome])
            peer.send(False, error_frame(id, fault_payload(reason, binary=False)))
