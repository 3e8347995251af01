"""Who asked for something, and what was answered."""

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
    def event(self) -> str:
        """What it asked for."""

    def put(self, answer: Answer) -> None:
        """Hand in the next frame."""

    def away(self) -> None:
        """The connection went; the client will come back."""

    def back(self) -> None:
        """It has, and the session went on."""

    def fail(self, error: Exception) -> None:
        """There will be no answer, and this is why."""

    def lose(self, code: int, reason: str) -> None:
        """The connection went for good: there will be no answer, and it may have run."""


class Exchange:
    """What the server has answered to a request and nobody has taken yet.

    Args:
        event: What was asked for.
        at_once: Sees each answer as it comes, before anything that was said behind it is heard.
    """

    __slots__ = ("_answers", "_at_once", "event")

    def __init__(self, event: str, at_once: Callable[[Answer], None] | None = None) -> None:
        self.event = event
        self._at_once = at_once
        self._answers: asyncio.Queue[Answer | Exception] = asyncio.Queue()

    def put(self, answer: Answer) -> None:
        """Hand in the next frame; how many may come is limited by the credit that was given."""
        if self._at_once is not None:
            self._at_once(answer)
        self._answers.put_nowait(answer)

    def away(self) -> None:
        """The connection went: the answer may still come over another one."""

    def back(self) -> None:
        """It is still waited for."""

    def fail(self, error: Exception) -> None:
        """This is the end, behind all that came."""
        self._answers.put_nowait(error)

    def lose(self, code: int, reason: str) -> None:
        """The connection went for good."""
        self.fail(Disconnected(f"The connection went before {self.event} was answered; it may have run", code, reason))

    async def take(self) -> Answer:
        """Wait for the next `item` or `ok`.

        Raises:
            Error: The server's answer is an error, or nobody knows what it is.
            Disconnected: There will be no answer.
        """
        answer = await self._answers.get()
        if isinstance(answer, Exception):
            raise answer
        if answer.verb == b"error":
            raise decode_error(answer.payload, binary=answer.binary)
        return answer
