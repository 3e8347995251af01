"""What a plug holds of the sockets: its caller (`Socket`) and everybody else (`Server`).

Both speak through a `Voice`, which belongs to one call and falls silent when that call is ended before it returns.
After a plug has returned, what it left behind (a task, a thread, a kept socket) may go on speaking, in nobody's name.
"""

import asyncio
import functools
import re
from typing import Any, Final

from plugsock import blocking
from plugsock.errors import CallEnded, PlugsockError
from plugsock.model import HELD, PERMISSION_FORM, Everybody, Reach, Server, Socket, User
from plugsock.rpc.frames import Broadcast, Grant, Kick, KickUser, Request, Revoke, Send, SocketState
from plugsock.worker.encode import pushed, shown
from plugsock.worker.mouth import Mouth, Voice

LONGEST_REASON: Final = 123
"""Bytes of a close reason: what is left of a control frame's 125 (RFC 6455, 5.5)."""

SENDABLE_CODES: Final = frozenset({1000, 1001, 1008, 1011, 1012, 1013})
"""Registered close codes that a server may send and that say something about a plug's decision."""

LONGEST_FENCE_S: Final = 86_400
"""As long as a call may take, whose plug would wait for it."""

_EVENT: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


class CallerSocket(Socket):
    """The caller, as one call sees it."""

    __slots__ = ("_is_guarded", "_mouth", "_voice", "id", "user")

    def __init__(self, id: str, user: User | None, mouth: Mouth, voice: Voice, *, is_guarded: bool) -> None:
        self.id = id
        self.user = user
        self._mouth = mouth
        self._voice = voice
        self._is_guarded = is_guarded

    def __repr__(self) -> str:
        return f"<Socket {self.id}>"

    def send(self, event: str, data: Any = None) -> None:
        """See `plugsock.Socket`."""
        if self._is_guarded and not self._voice.sequence:
            # What such a call sends is its caller's as long as the right to call it is, and that is known of calls.
            raise CallEnded("the call has returned, and it requires something: nothing more is sent to its caller")
        send(self._mouth, self._voice, self.id, event, data)

    def kick(self, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Socket`."""
        kick(self._mouth, self._voice, self.id, code, reason)


class EveryoneElse(Everybody):
    """Everybody, as one call sees them: the words that enqueue."""

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

    def kick(self, socket: str | None = None, *, user: str | None = None, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Server`."""
        if (socket is None) == (user is None):
            raise ValueError("kick one socket or one user: `kick(socket_id)`, or `kick(user=...)`")
        if socket is not None:
            kick(self._mouth, self._voice, socket, code, reason)
        else:
            word = KickUser(user_id(user), _close_code(code), _close_reason(reason), self._voice.sequence)
            self._mouth.say(self._voice, word)


class AwaitedServer(EveryoneElse, Server):
    """What an `async def` is handed."""

    __slots__ = ()

    async def grant(self, user: str, permission: str) -> Reach:
        """See `plugsock.Server`."""
        return await self._answered(Grant(user_id(user), permission_text(permission)))

    async def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """See `plugsock.Server`."""
        return await self._answered(Revoke(user_id(user), permission_text(permission), _fence_s(fence)))

    async def _answered(self, request: Request) -> Reach:
        return await asyncio.wrap_future(self._mouth.ask(self._voice, request))


class BlockedServer(EveryoneElse, blocking.Server):
    """What a plain function is handed, to wait with in its thread."""

    __slots__ = ()

    def grant(self, user: str, permission: str) -> Reach:
        """See `plugsock.blocking.Server`."""
        return self._answered(Grant(user_id(user), permission_text(permission)))

    def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """See `plugsock.blocking.Server`."""
        return self._answered(Revoke(user_id(user), permission_text(permission), _fence_s(fence)))

    def _answered(self, request: Request) -> Reach:
        if self._mouth.on_loop:
            raise PlugsockError("the event loop would wait for itself: a blocking.Server asks in threads only")
        return self._mouth.ask(self._voice, request).result()


def server_of(mouth: Mouth, voice: Voice, *, is_async: bool) -> AwaitedServer | BlockedServer:
    """Everybody else, as a function of that kind takes them."""
    return AwaitedServer(mouth, voice) if is_async else BlockedServer(mouth, voice)


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


def permission_text(permission: str) -> str:
    """Check a permission that is to be granted or revoked.

    Raises:
        ValueError: Nobody can hold it.
    """
    if isinstance(permission, str) and HELD.fullmatch(text := str.__str__(permission)):
        return text
    looks = shown(permission).encode("ascii", "backslashreplace").decode()  # where letters that look alike differ
    raise ValueError(
        f"a permission is {PERMISSION_FORM}; with `.*` or `:*` at its end it is all that begin so, and"
        f" `*` alone is everything; not {looks}"
    )


def user_id(user: str | None) -> str:
    """Check the id of a user.

    Raises:
        ValueError: No user can have it.
    """
    try:
        if isinstance(user, str):
            str.encode(user)
            return str.__str__(user)
    except UnicodeEncodeError:
        pass  # half a surrogate pair: on its way it would become somebody else's
    raise ValueError(f"a user is named by the text in its `id`, not by {shown(user)}")


def _fence_s(fence: float | None) -> float | None:
    if fence is None:
        return None
    if isinstance(fence, int | float) and not isinstance(fence, bool) and 0 < fence <= LONGEST_FENCE_S:
        return float(fence)
    raise ValueError(f"a fence is more than 0 and at most {LONGEST_FENCE_S} seconds, or None, not {shown(fence)}")


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
