"""What a plug holds of the sockets: its caller (`Socket`) and everybody else (`Server`).

Both speak through a `Voice`, which belongs to one call and falls silent when that call is ended before it returns.
After a plug has returned, what it left behind (a task, a thread, a kept socket) may go on speaking, in nobody's name.
"""

import functools
import re
from typing import Any, Final

from plugsock.errors import CallEnded
from plugsock.model import Server, Socket, User
from plugsock.rpc.frames import Broadcast, Emit, Kick, Send, SocketState
from plugsock.rpc.link import Sink
from plugsock.worker.encode import pushed, shown
from plugsock.worker.outbox import Outbox

LONGEST_REASON: Final = 123
"""Bytes of a close reason: what is left of a control frame's 125 (RFC 6455, 5.5)."""

SENDABLE_CODES: Final = frozenset({1000, 1001, 1008, 1011, 1012, 1013})
"""Registered close codes that a server may send and that say something about a plug's decision."""

_EVENT: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


class Voice:
    """What one call may still say.

    Attributes:
        sequence: Of the call, whose end silences what is on its way; 0 once it has returned.
        is_over: The call was ended: nothing more is said.
    """

    __slots__ = ("is_over", "sequence")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.is_over = False


class Mouth:
    """Where all words leave through, from the loop and from threads.

    Attributes:
        msgpack: Some socket wants pushes as MessagePack too.
    """

    def __init__(self, sink: Sink, outbox: Outbox) -> None:
        self.msgpack = False
        self._sink = sink
        self._outbox = outbox

    def say(self, voice: Voice, emit: Emit) -> None:
        """Enqueue a word.

        Raises:
            CallEnded: The call was ended.
        """
        if voice.is_over:
            raise CallEnded("the call has ended: nothing is sent any more")
        if self._outbox.on_loop:
            if self._outbox.waiting:
                self._outbox.drain()
            self._sink.emit(emit)
        else:
            self._outbox.post(self._late, voice, emit)

    def _late(self, voice: Voice, emit: Emit) -> None:
        if not voice.is_over:
            self._sink.emit(emit)


class CallerSocket(Socket):
    """The caller, as one call sees it."""

    __slots__ = ("_mouth", "_voice", "id", "user")

    def __init__(self, id: str, user: User | None, mouth: Mouth, voice: Voice) -> None:
        self.id = id
        self.user = user
        self._mouth = mouth
        self._voice = voice

    def __repr__(self) -> str:
        return f"<Socket {self.id}>"

    def send(self, event: str, data: Any = None) -> None:
        """See `plugsock.Socket`."""
        send(self._mouth, self._voice, self.id, event, data)

    def kick(self, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Socket`."""
        kick(self._mouth, self._voice, self.id, code, reason)


class EveryoneElse(Server):
    """Everybody, as one call sees them."""

    __slots__ = ("_mouth", "_voice")

    def __init__(self, mouth: Mouth, voice: Voice) -> None:
        self._mouth = mouth
        self._voice = voice

    def broadcast(self, event: str, data: Any = None) -> None:
        """See `plugsock.Server`."""
        json, msgpack = pushed(data, msgpack=self._mouth.msgpack)
        self._mouth.say(self._voice, Broadcast(event_name(event), json, msgpack, self._voice.sequence))

    def send(self, socket_id: str, event: str, data: Any = None) -> None:
        """See `plugsock.Server`."""
        send(self._mouth, self._voice, socket_id, event, data)

    def kick(self, socket_id: str, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Server`."""
        kick(self._mouth, self._voice, socket_id, code, reason)


class Peers:
    """What is known of each socket: sent once, not with every call."""

    def __init__(self) -> None:
        self._users: dict[str, User | None] = {}

    def put(self, state: SocketState) -> None:
        """A socket opened, or its user changed."""
        user = None
        if state.user is not None:
            user = User(state.user, frozenset(state.permissions), state.expires)
        self._users[state.id] = user

    def forget(self, socket: str) -> None:
        """A socket has gone."""
        self._users.pop(socket, None)

    def user(self, socket: str) -> User | None:
        """Who is calling; None for an anonymous socket."""
        return self._users.get(socket)


def send(mouth: Mouth, voice: Voice, socket: str, event: str, data: Any) -> None:
    """Push an event to one socket."""
    json, msgpack = pushed(data, msgpack=mouth.msgpack)
    mouth.say(voice, Send(_text(socket), event_name(event), json, msgpack, voice.sequence))


def kick(mouth: Mouth, voice: Voice, socket: str, code: int, reason: str) -> None:
    """Close one socket."""
    mouth.say(voice, Kick(_text(socket), _close_code(code), _close_reason(reason), voice.sequence))


def event_name(name: str) -> str:
    """Check the name of an event.

    Raises:
        ValueError: A frame's header has no room for it.
    """
    if type(name) is not str and isinstance(name, str):
        name = str.__str__(name)  # an enum's member, say, would keep its class and the whole module in the cache
    if type(name) is not str or not _is_event_name(name):
        raise ValueError(f"an event is called by 1 to 128 of A-Z a-z 0-9 _ . : / -, not {shown(name)}")
    return name


@functools.lru_cache(maxsize=1024)
def _is_event_name(name: str) -> bool:
    return _EVENT.fullmatch(name) is not None


def _text(socket: str) -> str:
    if not isinstance(socket, str):
        raise ValueError(f"a socket is named by the text in its `id`, not by {shown(socket)}")  # noqa: TRY004
    return str.__str__(socket)  # of a class of its own it could not be sent


def _close_code(code: int) -> int:
    if type(code) is int and (4000 <= code <= 4999 or code in SENDABLE_CODES):
        return code
    raise ValueError(f"{shown(code)} is no close code for a plug: take 4000 to 4499 (come back) or 4500 to 4999 (stop)")


def _close_reason(reason: str) -> str:
    try:
        if isinstance(reason, str) and len(str.encode(reason)) <= LONGEST_REASON:
            return str.__str__(reason)
    except UnicodeEncodeError:
        pass  # half a surrogate pair
    raise ValueError(f"a close reason is text of up to {LONGEST_REASON} bytes, not {shown(reason)}")
