"""A topic that a client is in: its pushes, its members, and how to come back to it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import msgspec
from msgspec import Struct

from plugsock.client.callbacks import Callbacks
from plugsock.client.codec import as_error, decode
from plugsock.client.exchange import Answer
from plugsock.client.pushes import Push, Pushes
from plugsock.model import Fault, Member


class Joined(Struct):
    """The answer to `join`."""

    epoch: str
    offset: int
    recovered: bool
    members: list[Member] | None


class Presence(Struct):
    """What `notice presence` says: who has come, or has new data, and the ids of those who have gone."""

    topic: str
    joined: list[Member] = []
    left: list[str] = []


class Left(Struct):
    """What `notice left` says: the server has taken this socket out of a topic."""

    topic: str
    reason: Fault


class Topic(AsyncIterator[Push]):
    """A topic that this socket is in; `ClientSocket.topic` joins it.

    `async for push in topic` yields its pushes, those that were missed first. One that holds more than `limit` pushes
    unread ends with an error instead of a silent hole.
    The loop ends with an `Error` when the server takes the socket out (`revoked`, `gone`, or `cancelled` if a plug has
    done so), and with `Disconnected`.

    Attributes:
        name: Its name.
        recovered: Was everything pushed since the position that was named? Only then is nothing missing.
        position: Where in its history this client is, to join at later; None where none is kept.
    """

    def __init__(self, name: str, at: str | None, limit: int) -> None:
        self.name = name
        self.recovered = False
        self.position: str | None = None
        self._at = at
        self._members: dict[str, Member] | None = None
        self._is_joined = False
        self._is_out = False
        self._callbacks: defaultdict[str, Callbacks] = defaultdict(Callbacks)
        self._pushes = Pushes(limit)

    @property
    def members(self) -> list[Member] | None:
        """Who is in it now, in the order in which they came; None where members are not told."""
        return None if self._members is None else list(self._members.values())

    @property
    def is_out(self) -> bool:
        """Has the server said that this socket is not in it?"""
        return self._is_out

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call a plain function with the data of every push of this event on this topic.

        Returns:
            A function that ends it.
        """
        return self._callbacks[event].add(callback)

    def answered(self, answer: Answer) -> None:
        """Take the answer to `join`; what was missed comes behind it."""
        if answer.verb == b"error":
            self._is_out = True
            return
        said: Joined = decode(answer.payload, Joined, binary=answer.binary)
        self._is_joined = True
        self.recovered = said.recovered
        # What was missed is still to come: who is cut off before that goes on from where it was.
        newest = f"{said.epoch}.{said.offset}" if said.epoch else None
        self.position = self._at if said.recovered else newest
        self._members = None if said.members is None else {member.id: member for member in said.members}

    def put(self, push: Push) -> None:
        """Take a push; one from before it was joined, by a plug's doing, is not meant."""
        if self._is_joined:
            self.position = push.position or self.position
            if push.event in self._callbacks:
                self._callbacks[push.event].tell(push.data)
            self._pushes.put(push)

    def changed(self, presence: Presence) -> None:
        """Keep the members current."""
        if self._members is not None:
            for id in presence.left:
                self._members.pop(id, None)
            self._members.update((member.id, member) for member in presence.joined)

    def expel(self, reason: Fault) -> None:
        """The server has taken this socket out; who is still there is no business of it any more."""
        self._is_joined, self._is_out = False, True
        self._members = None if self._members is None else {}
        self._pushes.end(as_error(reason))

    def lose(self, code: int, reason: str) -> None:
        """The connection went: after what is waiting comes the end."""
        self._pushes.lose(code, reason)

    def leave(self) -> None:
        """Nobody wants to hear more of it."""
        self._is_joined = False
        self._pushes.end(StopAsyncIteration())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Push:
        return await anext(self._pushes)


def read_presence(said: Any) -> Presence:
    """Read a notice of who has come and gone."""
    return msgspec.convert(said, Presence)


def read_left(said: Any) -> Left:
    """Read a notice of being taken out."""
    return msgspec.convert(said, Left)
