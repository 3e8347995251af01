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
    """A topic that this client is in; `Client.topic` joins it.

    `async for push in topic` yields its pushes, those that were missed first. One that holds more than `limit` pushes
    unread ends with an error instead of a silent hole.
    The loop ends with an `Error` when the server takes the socket out (`revoked`, `gone`, or `cancelled` if a plug has
    done so), and with `Disconnected` once the client will not come back.

    After a lost connection it is joined again at its position, and what was missed comes first.

    Attributes:
        name: Its name.
        recovered: When it was joined last, was everything pushed since the position that was named? Only then is
            nothing missing.
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
        self._returns = Callbacks()
        self._pushes = Pushes(limit)

    @property
    def members(self) -> list[Member] | None:
        """Who is in it now, in the order in which they came; None where members are not told."""
        return None if self._members is None else list(self._members.values())

    @property
    def is_joined(self) -> bool:
        """Has the server said that this client is in it?"""
        return self._is_joined

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

    def on_return(self, callback: Callable[[bool], object]) -> Callable[[], None]:
        """Call a plain function with `recovered` whenever it was joined again after a lost connection.

        It is told before what was missed comes. Where it is told False, there is a hole in front of the next push.

        Returns:
            A function that ends it.
        """
        return self._returns.add(callback)

    def answered(self, answer: Answer) -> None:
        """Take the answer to `join`; what was missed comes behind it."""
        if answer.verb == b"error":
            self._is_out = True
            return
        self._join(decode(answer.payload, Joined, binary=answer.binary))

    def returned(self, answer: dict[str, Any]) -> None:
        """Take what a `welcome` says of it."""
        if "error" in answer:
            self.expel(msgspec.convert(answer["error"], Fault))
            return
        self._at = self.position
        self._join(msgspec.convert(answer, Joined))
        self._returns.tell(self.recovered)

    def _join(self, said: Joined) -> None:
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
        """The connection went for good: after what is waiting comes the end."""
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
