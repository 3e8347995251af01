"""What the server sends unasked, for loops."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

from msgspec import Struct

from plugsock.errors import Disconnected, PlugsockError


class Push(Struct, frozen=True):
    """An event that a plug sent, published or broadcast."""

    topic: str | None
    """The topic it was published on; None if it was sent to this socket alone or to everybody."""
    event: str
    data: Any
    position: str | None = None
    """Where it stands in the history of its topic; None where none is kept."""


class Pushes(AsyncIterator[Push]):
    """The pushes of a socket from now on, for one `async for`.

    It collects until nobody holds it any more. What is pushed while there is no connection is missing, unless it is of
    a topic that the client is in and that is recovered. One that holds more than `limit` pushes unread ends with an error, so
    that a slow loop neither loses a push in silence nor fills the memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queue: asyncio.Queue[Push | Exception] = asyncio.Queue()
        self._ended = False

    def put(self, push: Push) -> None:
        """Hand in a push."""
        if self._queue.qsize() >= self._limit:
            self.end(PlugsockError(f"More than {self._limit} pushes are waiting: read them faster or raise the limit"))
        if not self._ended:
            self._queue.put_nowait(push)

    def lose(self, code: int, reason: str) -> None:
        """The connection went for good: after what is waiting comes the end."""
        self.end(Disconnected("The connection went: no more pushes will come", code, reason))

    def end(self, error: Exception) -> None:
        """Take nothing more, and raise this once all that waits was read."""
        if not self._ended:
            self._ended = True
            self._queue.put_nowait(error)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Push:
        push = await self._queue.get()
        if isinstance(push, Exception):
            self._queue.put_nowait(push)  # whoever asks again is told again
            raise push
        return push
