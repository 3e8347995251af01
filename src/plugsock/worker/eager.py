"""The first step of a coroutine at once; only what suspends stays a task (Python 3.12 and later)."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeAlias, TypeVar

Token = TypeVar("Token")
Done: TypeAlias = Callable[[Token, Any, BaseException | None], None]
"""`done(token, value, None)` or `done(token, None, error)`: called once, on the loop."""


class Suspended:
    """A coroutine that has not ended with its first step."""

    __slots__ = ("done", "error", "task", "token", "value")

    error: BaseException | None
    task: "asyncio.Task[None]"
    token: Any
    value: Any

    def __init__(self) -> None:
        self.done: Done[Any] | None = None

    def go_on(self, done: Done[Token], token: Token) -> "asyncio.Task[None]":
        """Run it to its end, which `done` is told; returns the task it runs in."""
        self.done, self.token = done, token
        return self.task

    async def carry(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Await the whole coroutine; whatever it raises is kept, for a task lets SystemExit out of the loop."""
        value = error = None
        try:
            value = await coro
        except BaseException as raised:
            error = raised
        if self.done is None:
            self.value, self.error = value, error
        else:
            self.done(self.token, value, error)
        error = None  # its traceback holds this frame, and this frame would hold it


class Starter:
    """Starts coroutines, each in an empty context of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def step(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine's first step now.

        Returns:
            Its result, if that was its last; else a `Suspended`, whose `go_on` must be called at once.

        Raises:
            BaseException: What the coroutine raised in it.
        """
        first = Suspended()
        first.task = asyncio.Task(
            first.carry(coro),
            loop=self._loop,
            context=Context(),
            eager_start=True,  # type: ignore[call-arg]  # mypy reads for the oldest Python
        )
        if not first.task.done():
            return first
        if first.error is None:
            return first.value
        try:
            raise first.error
        finally:
            first.error = None  # its traceback holds this frame, and this frame would hold it

    def close(self) -> None:
        """Nothing is kept."""
