"""The first step of a coroutine at once, on Python 3.11, where tasks can't do that by themselves.

A few *carriers* are kept: tasks that wait for something to carry. The first step of a coroutine runs as if a carrier's
task had made it: that task is the current one, in its context. If the coroutine returns, which is what most do, the
carrier goes on waiting for the next one, and no task was made. If it suspends, the carrier is woken, awaits the rest
as any task would, and ends with it.

So that nobody can tell, a carrier is used again only if nothing of the coroutine has stayed with it: its context is
empty, nobody refers to its task (strongly or weakly), waits for its end or has cancelled it. And only a carrier that
has reached its wait is entered: until then its task has not started, and can't be resumed elsewhere.

Delete this file together with support of 3.11: `eager` has the same interface.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from sys import getrefcount
from types import coroutine
from typing import Any, Final, TypeVar
from weakref import getweakrefcount

from plugsock.worker.eager import Done, ended

Token = TypeVar("Token")

CARRIERS: Final = 32
"""Waiting at a time: so many coroutines may suspend in one turn of the loop before the next ones get plain tasks."""

REFERENCES: Final = 4
"""To a carrier's task that nobody else refers to: its carrier, its wake-up, a local name and an argument."""

_current: Final[dict[Any, Any]] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]
"""The current task of each loop: where `asyncio.current_task` looks, and what tasks written in Python set."""


class Starter:
    """Starts coroutines, each in an empty context of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Carrier] = []
        self._closed = False
        for _ in range(CARRIERS):
            self._make()

    def start(self, coro: Coroutine[Any, Any, Any], done: Done[Token], token: Token) -> "asyncio.Task[None] | None":
        """Run a coroutine's first step now, or soon if no carrier waits.

        Returns:
            None if that was its last and `done` has been called; else the task that will call it.
        """
        # Longer than others and flat, because it runs once a call, where a function more costs 3 % of the whole.
        loop, waiting = self._loop, self._waiting
        if not waiting:
            return asyncio.Task(ended(coro, done, token), loop=loop, context=Context())
        carrier = waiting.pop()
        task = carrier.task
        if getrefcount(task) != REFERENCES or getweakrefcount(task) != 1 or carrier.wait.done():
            self._replace(carrier)
            return self.start(coro, done, token)
        caller = _current.get(loop)
        _current[loop] = task
        error: BaseException | None = None
        try:
            awaited = carrier.context.run(coro.send, None)
        except StopIteration as returned:
            value = returned.value
        except BaseException as raised:
            value, error = None, raised
        else:
            value = carrier
        if caller is None:
            del _current[loop]
        else:
            _current[loop] = caller
        if value is carrier:
            carrier.carry(coro, awaited, done, token)
            self._make()
            return task
        if carrier.context or task._callbacks:
            self._replace(carrier)
        else:
            waiting.append(carrier)
        done(token, value, error)
        error = None  # its traceback holds this frame, and this frame would hold it
        return None

    def close(self) -> None:
        """End the carriers that wait; what is started from now on gets a plain task."""
        self._closed = True
        while self._waiting:
            self._waiting.pop().release()

    def _replace(self, carrier: "Carrier") -> None:
        carrier.release()
        self._make()

    def _make(self) -> None:
        if not self._closed:
            Carrier(self._loop, self._ready)

    def _ready(self, carrier: "Carrier") -> None:
        if self._closed:
            carrier.release()
        else:
            self._waiting.append(carrier)


class Carrier:
    """A task that waits for something to carry, and ends with that."""

    __slots__ = ("_load", "context", "task", "wait")

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: "Callable[[Carrier], None]") -> None:
        self.context = Context()
        self.wait = loop.create_future()
        self.task = asyncio.Task(self._live(ready), loop=loop, context=self.context, name="carrier")
        self._load: tuple[Any, Any, Any] | None = None

    def carry(self, coro: Coroutine[Any, Any, Any], awaited: Any, done: Done[Token], token: Token) -> None:
        """Wake up and await the rest of a coroutine whose first step came to `awaited`."""
        # A future that is awaited is marked until a task has seen it, and can't be awaited again before that: so that
        # somebody else can come to the same one meanwhile, the mark is taken off, and set again when this task sees it.
        is_marked = getattr(awaited, "_asyncio_future_blocking", False)
        if is_marked:
            awaited._asyncio_future_blocking = False
        self._load = partial(_rest, coro, awaited, is_marked), done, token
        self.release()

    def release(self) -> None:
        """Wake up; without a load, end. One that was cancelled is awake already."""
        if not self.wait.done():
            self.wait.set_result(None)

    async def _live(self, ready: "Callable[[Carrier], None]") -> None:
        cancelled = None
        ready(self)
        try:
            await self.wait
        except asyncio.CancelledError as error:
            cancelled = error
        if self._load is None:
            return
        rest, done, token = self._load
        self._load = None
        await ended(rest(cancelled), done, token)


@coroutine
def _rest(
    coro: Coroutine[Any, Any, Any],
    awaited: Any,
    is_marked: bool,  # noqa: FBT001 - a partial's, by position
    cancelled: asyncio.CancelledError | None,
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that has begun to await something, as a task would that had made the first step itself.

    Args:
        coro: Its first step was made by somebody else.
        awaited: What that came to: a future, or None for a bare `yield`.
        is_marked: It is a future that was marked as awaited.
        cancelled: The cancellation that came meanwhile. As a task does, cancel what is awaited: it brings the
            cancellation to the coroutine. Only what can't be cancelled any more is told directly.
    """
    if is_marked:
        awaited._asyncio_future_blocking = True
    while True:
        try:
            if cancelled is not None:
                error, cancelled = cancelled, None
                if awaited is None or not awaited.cancel(*error.args):
                    raise error
            yield awaited
        except BaseException as error:
            try:
                awaited = coro.throw(error)
            except StopIteration as returned:
                return returned.value
        else:
            return (yield from coro)
