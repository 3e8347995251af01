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

Status: TypeAlias = Literal["loading", "live", "stale", "revoked", "error"]
"""How far one can rely on a view's value.

    loading  nothing has come yet
    live     it is what the server has
    stale    it may have changed since: the connection went, which is mended once the client has come back, or the view
             is over
    revoked  it may not be seen any more
    error    the newest run failed, which the next one that works mends, or the view has ended so: the value is an older
             one, or there is none
"""


class View(AsyncIterator[T]):
    """A view that is watched; `Client.view` opens it.

    `async for value in view` yields the newest value and then each newer one. What was replaced while the loop was
    busy is left out: a slow loop has the newest value, never a backlog. It is for one loop.

    The loop ends with the `Error` that the server ends the view with (`revoked`, `gone`, `bad_payload` …), with
    `Disconnected` once the client will not come back, or with `msgspec.ValidationError` where a value does not fit the
    type. It ends by itself when the view is left.

    Attributes:
        event: Its name.
        value: The newest value; None before the first, and once the server has ended it with an error: what somebody
            may not see any more is not kept.
        status: How far one can rely on it.
        error: Why the newest run failed, or why nothing more comes; else None.
        is_over: Nothing more comes.
    """

    def __init__(self, event: str, type: Any) -> None:
        self.event = event
        self.value: T | None = None
        self.status: Status = "loading"
        self.error: Exception | None = None
        self.is_over = False
        self._type = type
        self._payload = b""
        """The newest value as it came, which patches are applied to."""
        self._is_new = False
        """There is a value that the loop has not taken."""
        self._before: Status = "loading"
        """What it was before the connection went."""
        self._news = asyncio.Event()
        self._callbacks = Callbacks()

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
                self._tell("error", decode_error(answer.payload, binary=answer.binary))
            case b"error":
                self._drop(decode_error(answer.payload, binary=answer.binary))
            case _:
                self.leave()

    def away(self) -> None:
        """The connection went; the value stays to be looked at."""
        if not self.is_over and self.status != "stale":
            self._before = self.status
            self._tell("stale", self.error)

    def back(self) -> None:
        """The session goes on: what has changed since comes now."""
        if not self.is_over and self.status == "stale":
            self._tell(self._before, self.error)

    def fail(self, error: Exception) -> None:
        """Nothing more comes; what has come is still read, and the value stays to be looked at."""
        if not self.is_over:
            self._ends("error", error)

    def lose(self, code: int, reason: str) -> None:
        """The connection went for good."""
        self.fail(Disconnected(f"The connection went: nothing more will come of {self.event}", code, reason))

    def leave(self) -> None:
        """Nobody wants to hear more of it."""
        if not self.is_over:
            self._ends("stale", None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._is_new:
            if self.is_over:
                raise self.error or StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._is_new = False
        return cast("T", self.value)

    def _is_patched(self, patch: Answer) -> None:
        try:
            document, change = (decode(part, Any, binary=patch.binary) for part in (self._payload, patch.payload))
            binary, payload = encode(merge(document, change), "msgpack" if patch.binary else "json")
        except (msgspec.DecodeError, RecursionError) as wrong:
            self._ends("error", wrong)  # the caller's to see
        else:
            self._becomes(payload, binary=binary)

    def _becomes(self, payload: bytes, *, binary: bool) -> None:
        try:
            self.value = decode(payload, self._type, binary=binary)
        except (msgspec.DecodeError, RecursionError) as wrong:
            self._ends("error", wrong)  # the caller's to see
        else:
            # After a lost connection the whole value comes once more, whether or not it has changed.
            is_known = self.status == "stale" and self._before != "loading" and payload == self._payload
            self._payload = payload
            self._is_new |= not is_known
            self._tell("live", None)

    def _drop(self, error: Error) -> None:
        self.value, self._payload, self._is_new = None, b"", False
        self._ends("revoked" if error.code == "revoked" else "error", error)

    def _ends(self, status: Status, error: Exception | None) -> None:
        self.is_over = True
        self._tell(status, error)

    def _tell(self, status: Status, error: Exception | None) -> None:
        self.status, self.error = status, error
        self._news.set()
        self._callbacks.tell(self.value, status)
