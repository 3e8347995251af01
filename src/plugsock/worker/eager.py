"""The first step of a coroutine at once; only what suspends stays a task (Python 3.12 and later)."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeAlias, TypeVar

Token = TypeVar("Token")
Done: TypeAlias = Callable[[Token, Any, BaseException | None], None]
"""`done(token, value, None)` or `done(token, None, error)`: called once, on the loop."""


class Starter:
    """Starts coroutines, each in an empty context of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def start(self, coro: Coroutine[Any, Any, Any], done: Done[Token], token: Token) -> "asyncio.Task[None] | None":
        """Run a coroutine's first step now.

        Returns:
            None if that was its last and `done` has been called; else the task that will call it.
        """
        task = asyncio.Task(
            ended(coro, done, token),
            loop=self._loop,
            context=Context(),
            eager_start=True,  # type: ignore[call-arg]  # mypy reads for the oldest Python
        )
        return None if task.done() else task

    def close(self) -> None:
        """Nothing is kept."""


async def ended(coro: Coroutine[Any, Any, Any], done: Done[Token], token: Token) -> None:
    """Await a coroutine to its end; whatever it raises goes to `done`, for a task lets SystemExit out of the loop."""
    try:
        value = await coro
    except BaseException as error:
        done(token, None, error)
    else:
        done(token, value, None)
