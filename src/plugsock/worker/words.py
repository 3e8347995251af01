"""What a plug holds of the sockets: its caller (`Socket`) and everybody else (`Server`).

Both speak through a `Voice`, which belongs to one call and falls silent when that call is ended before it returns.
After a plug has returned, what it left behind (a task, a thread, a kept socket) may go on speaking, in nobody's name.
"""

import asyncio
from typing import Any

from plugsock import blocking
from plugsock.errors import CallEnded, PlugsockError
from plugsock.everybody import Everybody, Server
from plugsock.model import Member, Reach, Required, Socket
from plugsock.rpc.frames import (
    Broadcast,
    Grant,
    Join,
    Kick,
    KickUser,
    Leave,
    Members,
    Publish,
    Reply,
    Request,
    Revoke,
    Send,
    Touch,
)
from plugsock.rpc.views import MEMBERS
from plugsock.worker.checks import (
    close_code,
    close_reason,
    event_name,
    fence_seconds,
    key_paths,
    member_data,
    needed,
    permission_text,
    socket_id,
    topic_name,
    user_id,
)
from plugsock.worker.encode import pushed
from plugsock.worker.mouth import Mouth, Voice
from plugsock.worker.peers import Peers


class CallerSocket(Socket):
    """The caller, as one call sees it."""

    __slots__ = ("_heard", "_is_guarded", "_mouth", "_peers", "_said", "_voice", "id", "user")

    def __init__(self, id: str, peers: Peers, mouth: Mouth, voice: Voice, *, is_guarded: bool) -> None:
        self.id = id
        self.user = peers.user(id)
        self._peers = peers
        self._mouth = mouth
        self._voice = voice
        self._is_guarded = is_guarded
        self._said: dict[str, bool] = {}
        self._heard: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"<Socket {self.id}>"

    @property
    def topics(self) -> frozenset[str]:
        """See `plugsock.Socket`: what was heard last, and what was said since by this call."""
        heard = self._peers.topics(self.id)
        if heard is not self._heard:
            return heard
        joined = {topic for topic, is_in in self._said.items() if is_in}
        return (heard | joined) - (self._said.keys() - joined)

    def join(self, topic: str, data: Any = None) -> None:
        """See `plugsock.Socket`."""
        name = topic_name(topic)
        self._mouth.say(self._voice, Join(self.id, name, member_data(data), self._voice.sequence))
        self._note(name, is_in=True)

    def leave(self, topic: str) -> None:
        """See `plugsock.Socket`."""
        name = topic_name(topic)
        self._mouth.say(self._voice, Leave(self.id, name, self._voice.sequence))
        self._note(name, is_in=False)

    def send(self, event: str, data: Any = None) -> None:
        """See `plugsock.Socket`."""
        if self._is_guarded and not self._voice.sequence:
            # What such a call sends is its caller's as long as the right to call it is, and that is known of calls.
            raise CallEnded("the call has returned, and it requires something: nothing more is sent to its caller")
        send(self._mouth, self._voice, self.id, event, data)

    def kick(self, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Socket`."""
        kick(self._mouth, self._voice, self.id, code, reason)

    def _note(self, topic: str, *, is_in: bool) -> None:
        """Remember what was said until the next word about this socket is heard."""
        heard = self._peers.topics(self.id)
        if heard is not self._heard:
            self._heard, self._said = heard, {}
        self._said[topic] = is_in


class EveryoneElse(Everybody):
    """Everybody, as one call sees them: the words that enqueue."""

    __slots__ = ("_mouth", "_voice")

    def __init__(self, mouth: Mouth, voice: Voice) -> None:
        self._mouth = mouth
        self._voice = voice

    def publish(self, topic: str, event: str, data: Any = None, *, requires: Required = None) -> None:
        """See `plugsock.Server`."""
        topic, event, needs = topic_name(topic), event_name(event), needed(requires)
        json, msgpack = pushed(data, msgpack=self._mouth.msgpack)
        self._mouth.say(self._voice, Publish(topic, event, json, msgpack, self._voice.sequence, needs))

    def broadcast(self, event: str, data: Any = None, *, requires: Required = None) -> None:
        """See `plugsock.Server`."""
        event, needs = event_name(event), needed(requires)
        json, msgpack = pushed(data, msgpack=self._mouth.msgpack)
        self._mouth.say(self._voice, Broadcast(event, json, msgpack, self._voice.sequence, needs))

    def send(self, socket_id: str, event: str, data: Any = None, *, requires: Required = None) -> None:
        """See `plugsock.Server`."""
        send(self._mouth, self._voice, socket_id, event, data, requires)

    def changed(self, *keys: str) -> None:
        """See `plugsock.Server`."""
        # Also of a call that was ended: what it has changed is changed, and nobody is told of the call by this.
        self._mouth.declare(Touch(key_paths(keys)))

    def reads(self, *keys: str) -> None:
        """See `plugsock.Server`."""
        self._voice.read(key_paths(keys))

    def kick(self, socket: str | None = None, *, user: str | None = None, code: int = 4502, reason: str = "") -> None:
        """See `plugsock.Server`."""
        if (socket is None) == (user is None):
            raise ValueError("kick one socket or one user: `kick(socket_id)`, or `kick(user=...)`")
        if socket is not None:
            kick(self._mouth, self._voice, socket, code, reason)
        else:
            word = KickUser(user_id(user), close_code(code), close_reason(reason), self._voice.sequence)
            self._mouth.say(self._voice, word)

    def _members(self, topic: str) -> Members:
        """The question who is in a topic, on which a view depends from now on."""
        name = topic_name(topic)
        self._voice.read([MEMBERS + name])
        return Members(name)


class AwaitedServer(EveryoneElse, Server):
    """What an `async def` is handed."""

    __slots__ = ()

    async def members(self, topic: str) -> list[Member]:
        """See `plugsock.Server`."""
        return (await self._answered(self._members(topic))).members

    async def grant(self, user: str, permission: str) -> Reach:
        """See `plugsock.Server`."""
        return (await self._answered(Grant(user_id(user), permission_text(permission)))).reach

    async def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """See `plugsock.Server`."""
        request = Revoke(user_id(user), permission_text(permission), fence_seconds(fence))
        return (await self._answered(request)).reach

    async def _answered(self, request: Request) -> Reply:
        return await asyncio.wrap_future(self._mouth.ask(self._voice, request))


class BlockedServer(EveryoneElse, blocking.Server):
    """What a plain function is handed, to wait with in its thread."""

    __slots__ = ()

    def members(self, topic: str) -> list[Member]:
        """See `plugsock.blocking.Server`."""
        return self._answered(self._members(topic)).members

    def grant(self, user: str, permission: str) -> Reach:
        """See `plugsock.blocking.Server`."""
        return self._answered(Grant(user_id(user), permission_text(permission))).reach

    def revoke(self, user: str, permission: str, *, fence: float | None = None) -> Reach:
        """See `plugsock.blocking.Server`."""
        return self._answered(Revoke(user_id(user), permission_text(permission), fence_seconds(fence))).reach

    def _answered(self, request: Request) -> Reply:
        if self._mouth.on_loop:
            raise PlugsockError("the event loop would wait for itself: a blocking.Server asks in threads only")
        return self._mouth.ask(self._voice, request).result()


def server_of(mouth: Mouth, voice: Voice, *, is_async: bool) -> AwaitedServer | BlockedServer:
    """Everybody else, as a function of that kind takes them."""
    return AwaitedServer(mouth, voice) if is_async else BlockedServer(mouth, voice)


def send(mouth: Mouth, voice: Voice, socket: str, event: str, data: Any, requires: Required = None) -> None:
    """Push an event to one socket."""
    socket, event, needs = socket_id(socket), event_name(event), needed(requires)
    json, msgpack = pushed(data, msgpack=mouth.msgpack)
    mouth.say(voice, Send(socket, event, json, msgpack, voice.sequence, needs))


def kick(mouth: Mouth, voice: Voice, socket: str, code: int, reason: str) -> None:
    """Close one socket."""
    mouth.say(voice, Kick(socket_id(socket), close_code(code), close_reason(reason), voice.sequence))
