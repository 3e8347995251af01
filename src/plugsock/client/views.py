"""A live view: its newest value, and how far one can rely on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal, Self, TypeAlias, TypeVar, cast

import msgspec

from plugsock.client.callbacks import Callbacks
from plugsock.client.codec import decode, decode_error, encode
from plugsock.client.exchange import Answer
from plugsock.client.merge import merge
from plugsock.errors import Disconnected, Error

T = TypeVar("T")

Status: TypeAlias = Literal["loading", "live", "fault", "stale", "ended"]
"""How far one can rely on a view's value.

    loading  nothing has come yet
    live     it is what the server has
    fault    the newest run failed: the value is an older one, or there is none; the next run that works mends it
    stale    the connection went: the value may have changed since
    ended    nothing more comes: it was left, or is over
"""


class View(AsyncIterator[T]):
    """A view that is watched; `ClientSocket.view` opens it.

    `async for value in view` yields the newest value and then each newer one. What was replaced while the loop was
    busy is left out: a slow loop has the newest value, never a backlog. It is for one loop.

    The loop ends with the `Error` that the server ends the view with (`revoked`, `gone`, `bad_payload` …), with
    `Disconnected`, or with `msgspec.ValidationError` where a value does not fit the type. It ends by itself when the
    view is left.

    Attributes:
        id: What its frames are known by.
        event: Its name.
        value: The newest value; None before the first, and once the server has ended it with an error: what somebody
            may not see any more is not kept.
        status: How far one can rely on it.
        fault: Why the newest run failed, or why the server has ended it; else None.
    """

    def __init__(self, id: bytes, event: str, type: Any) -> None:
        self.id = id
        self.event = event
        self.value: T | None = None
        self.status: Status = "loading"
        self.fault: Error | None = None
        self._type = type
        self._payload = b""
        """The newest value as it came, which patches are applied to."""
        self._is_new = False
        """There is a value that the loop has not taken."""
        self._end: Exception | None = None
        self._news = asyncio.Event()
        self._callbacks = Callbacks()

    @property
    def is_over(self) -> bool:
        """Will nothing more come?"""
        return self.status in {"stale", "ended"}

    def subscribe(self, callback: Callable[[T | None, Status], object]) -> Callable[[], None]:
        """Call a plain function with value and status from now on, whenever something has come of the view.

        Returns:
            A function that ends it.
        """
        return self._callbacks.add(callback)

    def put(self, answer: Answer) -> None:
        """Take what the server says of the view."""
        if self.is_over:  # a value before it did not fit, and nobody has left yet
            return
        match answer.verb:
            case b"item":
                self._becomes(answer.payload, binary=answer.binary)
            case b"patch":
                self._is_patched(answer)
            case b"fault":
                self._tell("fault", decode_error(answer.payload, binary=answer.binary))
            case b"error":
                self._drop(decode_error(answer.payload, binary=answer.binary))
            case _:
                self.leave()

    def lose(self, code: int, reason: str) -> None:
        """The connection went; what has come is still read, and the value stays to be looked at."""
        if not self.is_over:
            self._end = Disconnected(f"The connection went: nothing more will come of {self.event}", code, reason)
            self._tell("stale", self.fault)

    def leave(self) -> None:
        """Nobody wants to hear more of it."""
        if not self.is_over:
            self._tell("ended", None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._is_new:
            if self.is_over:
                raise self._end or StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._is_new = False
        return cast("T", self.value)

    def _is_patched(self, patch: Answer) -> None:
        try:
            document, change = (decode(part, Any, binary=patch.binary) for part in (self._payload, patch.payload))
            binary, payload = encode(merge(document, change), "msgpack" if patch.binary else "json")
        except (msgspec.DecodeError, RecursionError) as wrong:
            self._break(wrong)
        else:
            self._becomes(payload, binary=binary)

    def _becomes(self, payload: bytes, *, binary: bool) -> None:
        try:
            self.value = decode(payload, self._type, binary=binary)
        except (msgspec.DecodeError, RecursionError) as wrong:
            self._break(wrong)
        else:
            self._payload = payload
            self._is_new = True
            self._tell("live", None)

    def _break(self, wrong: Exception) -> None:
        """End with what is the caller's to see: a value that it can't read."""
        self._end = wrong
        self._tell("ended", None)

    def _drop(self, error: Error) -> None:
        self._end, self.value, self._payload, self._is_new = error, None, b"", False
        self._tell("ended", error)

    def _tell(self, status: Status, fault: Error | None) -> None:
        self.status, self.fault = status, fault
        self._news.set()
        self._callbacks.tell(self.value, status)
