"""One open id, from the call that opened it to its one end."""

import asyncio

from msgspec import Struct

from plugsock.client.codec import decode_error
from plugsock.errors import Disconnected


class Answer(Struct, frozen=True):
    """A frame that names the id: an `item`, or the `ok` or `error` that ends it."""

    verb: bytes
    payload: bytes
    binary: bool


class Exchange:
    """What the server has answered to one id and nobody has taken yet."""

    __slots__ = ("_answers", "event", "id")

    def __init__(self, id: bytes, event: str) -> None:
        self.id = id
        self.event = event
        self._answers: asyncio.Queue[Answer | Disconnected] = asyncio.Queue()

    def put(self, answer: Answer) -> None:
        """Hand in the next frame; how many may come is limited by the credit that was given."""
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
