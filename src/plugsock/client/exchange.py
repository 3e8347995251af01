"""One open id, from the frame that opened it to its one end."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from plugsock.client.codec import decode_error
from plugsock.errors import Disconnected


class Answer(Struct, frozen=True):
    """A frame that names the id: an `item`, `patch` or `fault`, or the `ok` or `error` that ends it."""

    verb: bytes
    payload: bytes
    binary: bool


class Asker(Protocol):
    """Whoever opened an id, and is told what is said of it."""

    @property
    def id(self) -> bytes:
        """What its frames are known by."""

    @property
    def event(self) -> str:
        """What it asked for."""

    def put(self, answer: Answer) -> None:
        """Hand in the next frame."""

    def lose(self, code: int, reason: str) -> None:
        """The connection went: there will be no answer."""


class Exchange:
    """What the server has answered to one id and nobody has taken yet.

    Args:
        id: What it is known by.
        event: What was asked for.
        at_once: Sees each answer as it comes, before anything that was said behind it is heard.
    """

    __slots__ = ("_answers", "_at_once", "event", "id")

    def __init__(self, id: bytes, event: str, at_once: Callable[[Answer], None] | None = None) -> None:
        self.id = id
        self.event = event
        self._at_once = at_once
        self._answers: asyncio.Queue[Answer | Disconnected] = asyncio.Queue()

    def put(self, answer: Answer) -> None:
        """Hand in the next frame; how many may come is limited by the credit that was given."""
        if self._at_once is not None:
            self._at_once(answer)
        self._answers.put_nowait(answer)

    def lose(self, code: int, reason: str) -> None:
        """The connection went: this is the end."""
        self._answers.put_nowait(
            Disconnected(f"The connection went before {self.event} was answered; it may have run", code, reason)
        )

    async def take(self) -> Answer:
        """Wait for the next `item` or `ok`.

        Raises:
            Error: The server's answer is an error.
            Disconnected: There will be no answer.
        """
        answer = await self._answers.get()
        if isinstance(answer, Disconnected):
            raise answer
        if answer.verb == b"error":
            raise decode_error(answer.payload, binary=answer.binary)
        return answer
