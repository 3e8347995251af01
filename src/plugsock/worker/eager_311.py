"""The first step of a coroutine at once, on Python 3.11, where tasks can't do that by themselves.

A few *carriers* are kept: tasks that wait for something to carry. The first step of a coroutine runs as if a carrier's
task had made it: that task is the current one, in its context. What makes it is the carrier's *driver*, a generator
that goes from one coroutine to the next, because that is the cheapest way to a result. If the coroutine returns, which
is what most do, the carrier goes on waiting for the next one, and no task was made. If it suspends, the carrier is
woken, awaits the rest as any task would, and ends with it.

So that nobody can tell, a carrier is used again only if nothing of the coroutine has stayed with it: its context is
empty, nobody refers to its task (strongly or weakly), waits for its end or has cancelled it. And only a carrier that
has reached its wait is entered: until then its task has not started, and can't be resumed elsewhere.

Delete this file together with support of 3.11: `eager` has the same interface.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from sys import getrefcount
from types import coroutine
from typing import Any, Final, TypeVar
from weakref import getweakrefcount

from plugsock.worker.eager import Done, Marks, onward

Token = TypeVar("Token")

CARRIERS: Final = 32
"""Waiting at a time: so many coroutines may suspend in one turn of the loop before the next ones get plain tasks."""

REFERENCES: Final = 4
"""To a carrier's task that nobody else refers to: its carrier, its wake-up, a local name and an argument."""

_current: Final[dict[Any, Any]] = asyncio.tasks._current_tasks  # type: ignore[attr-defined]
"""The current task of each loop: where `asyncio.current_task` looks, and what tasks written in Python set."""


class Suspended:
    """A coroutine that has not ended with its first step, or not begun because no carrier waited."""

    __slots__ = ("_awaited", "_carrier", "_coro", "_starter")

    def __init__(
        self, starter: "Starter", coro: Coroutine[Any, Any, Any], carrier: "Carrier | None", awaited: Any
    ) -> None:
        self._starter = starter
        self._coro = coro
        self._carrier = carrier
        self._awaited = awaited

    def go_on(self, done: Done[Token], token: Token) -> "asyncio.Task[None]":
        """Run it to its end, which `done` is told; returns the task it runs in."""
        if self._carrier is None:
            return self._begin(done, token)
        self._carrier.carry(self._coro, self._awaited, done, token)
        self._starter.make_carrier()
        return self._carrier.task

    def _begin(self, done: Done[Token], token: Token) -> "asyncio.Task[None]":
        """Run it as a plain task; one that is cancelled before its first step never comes to `ended`'s first line."""
        coro, marks = self._coro, self._starter.marks
        whole = _whole(coro, partial(marks.resumed, token), marks.rested)
        task = self._starter.make_task(ended(whole, done, token, marks))

        def tell(_task: "asyncio.Task[None]") -> None:
            if getcoroutinestate(coro) == CORO_CREATED:
                coro.close()
                done(token, None, asyncio.CancelledError())

        task.add_done_callback(tell)
        return task


class Starter:
    """Starts coroutines, each in an empty context of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, marks: Marks) -> None:
        self.marks = marks
        self._loop = loop
        self._waiting: list[Carrier] = []
        self._closed = False
        for _ in range(CARRIERS):
            self.make_carrier()

    def step(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine's first step now, or soon if no carrier waits.

        Returns:
            Its result, if that was its last; else a `Suspended`, whose `go_on` must be called at once.

        Raises:
            BaseException: What the coroutine raised in it.
        """
        # Longer than others and flat, because it runs once a call, where a function more costs 3 % of the whole.
        waiting = self._waiting
        if not waiting:
            return Suspended(self, coro, None, None)
        carrier = waiting.pop()
        task = carrier.task
        if getrefcount(task) != REFERENCES or getweakrefcount(task) != 1 or task.is_touched:
            self._replace(carrier)
            return self.step(coro)
        loop, box, enter = self._loop, carrier.box, carrier.enter
        caller = _current.get(loop) if _current else None
        _current[loop] = task
        came_to = None
        try:
            came_to = enter(carrier.drive, coro)
        except BaseException:
            carrier.take_seat()
            came_to = box
            raise
        finally:
            if caller is None:
                del _current[loop]
            else:
                _current[loop] = caller
            if came_to is box:
                if carrier.context or task.is_touched:
                    self._replace(carrier)
                else:
                    waiting.append(carrier)
        if came_to is not box:
            return Suspended(self, coro, carrier, came_to)
        value, box[0] = box[0], None
        return value

    def close(self) -> None:
        """End the carriers that wait; what is started from now on gets a plain task."""
        self._closed = True
        while self._waiting:
            self._waiting.pop().release()

    def make_task(self, coro: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a coroutine as a task of its own."""
        return asyncio.Task(coro, loop=self._loop, context=Context())

    def make_carrier(self) -> None:
        """Let one more carrier come to its wait."""
        if not self._closed:
            Carrier(self._loop, self.marks, self._ready)

    def _replace(self, carrier: "Carrier") -> None:
        carrier.release()
        self.make_carrier()

    def _ready(self, carrier: "Carrier") -> None:
        if self._closed:
            carrier.release()
        else:
            self._waiting.append(carrier)


class CarrierTask(asyncio.Task[None]):
    """A task that knows whether it is still as it was; to find that out by its state costs 0.1 µs a call.

    Attributes:
        is_touched: Somebody has cancelled it, waits for its end or has given it a name.
    """

    __slots__ = ("is_touched",)

    def cancel(self, msg: Any = None) -> bool:
        """See `asyncio.Task`."""
        self.is_touched = True
        return super().cancel(msg)

    def add_done_callback(self, fn: Callable[[Any], object], /, *, context: Context | None = None) -> None:
        """See `asyncio.Task`; whoever awaits a task says this, too."""
        self.is_touched = True
        super().add_done_callback(fn, context=context)

    def set_name(self, value: object, /) -> None:
        """See `asyncio.Task`."""
        self.is_touched = True
        super().set_name(value)


class Carrier:
    """A task that waits for something to carry, and ends with that.

    Attributes:
        box: Where the driver puts what a coroutine returned; what `drive` comes to when it has.
        drive: `drive(coro)` makes a coroutine's first step; what it comes to otherwise is what the coroutine awaits.
        enter: Of the context.
    """

    __slots__ = ("_load", "_marks", "box", "context", "drive", "enter", "task", "wait")

    def __init__(self, loop: asyncio.AbstractEventLoop, marks: Marks, ready: "Callable[[Carrier], None]") -> None:
        self.context = Context()
        self.enter = self.context.run
        self.wait = loop.create_future()
        self.task = CarrierTask(self._live(ready), loop=loop, context=self.context, name="carrier")
        self.task.is_touched = False
        self.box: list[Any] = [None]
        self.take_seat()
        self._marks = marks
        self._load: tuple[Any, Any, Any] | None = None

    def take_seat(self) -> None:
        """Get a driver; what a coroutine raises ends the one before."""
        driver = _driver(self.box)
        driver.send(None)
        self.drive = driver.send

    def carry(self, coro: Coroutine[Any, Any, Any], awaited: Any, done: Done[Token], token: Token) -> None:
        """Wake up and await the rest of a coroutine whose first step came to `awaited`."""
        # A future that is awaited is marked until a task has seen it, and can't be awaited again before that: so that
        # somebody else can come to the same one meanwhile, the mark is taken off, and set again when this task sees it.
        is_marked = getattr(awaited, "_asyncio_future_blocking", False)
        if is_marked:
            awaited._asyncio_future_blocking = False
        marks = self._marks
        rest = partial(_rest, coro, awaited, is_marked, partial(marks.resumed, token), marks.rested)
        self._load = rest, done, token
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
        whole = ended(rest(cancelled), done, token, self._marks)
        self._load = cancelled = None  # its traceback holds this frame, and this frame would hold it
        await whole


@coroutine
def _driver(box: list[Any]) -> Generator[Any, Any, None]:
    """Run the first steps of coroutines, one after the other, and put into the box what they return.

    Where the interpreter itself drives a coroutine, by `yield from`, it takes the result without making a StopIteration
    and catching that: 0.11 µs with an empty coroutine, 0.34 with `coro.send`. A driver whose coroutine suspends stays
    behind, for the rest is driven by the carrier's task; it is dropped when that has ended.
    """
    while True:
        box[0] = yield from (yield box)


async def ended(coro: Coroutine[Any, Any, Any], done: Done[Token], token: Token, marks: Marks) -> None:
    """Await a coroutine to its end; whatever it raises goes to `done`, for a task lets SystemExit out of the loop."""
    try:
        value = await coro
    except BaseException as error:
        done(token, None, error)
    else:
        done(token, value, None)
    finally:
        marks.rested()


@coroutine
def _whole(
    coro: Coroutine[Any, Any, Any], resumed: Callable[[], None], rested: Callable[[], None]
) -> Generator[Any, Any, Any]:
    """Run a coroutine from its first step on, which the loop makes as it makes all others."""
    resumed()
    try:
        awaited = coro.send(None)
    except StopIteration as returned:
        return returned.value
    rested()
    return (yield from onward(coro, awaited, resumed, rested))


@coroutine
def _rest(
    coro: Coroutine[Any, Any, Any],
    awaited: Any,
    is_marked: bool,  # noqa: FBT001 - a partial's, by position
    resumed: Callable[[], None],
    rested: Callable[[], None],
    cancelled: asyncio.CancelledError | None,
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that has begun to await something, as a task would that had made the first step itself.

    Args:
        coro: Its first step was made by somebody else.
        awaited: What that came to: a future, or None for a bare `yield`.
        is_marked: It is a future that was marked as awaited.
        resumed: See `onward`.
        rested: See `onward`.
        cancelled: The cancellation that came meanwhile. As a task does, cancel what is awaited: it brings the
            cancellation to the coroutine. Only what can't be cancelled any more is told directly.
    """
    if is_marked:
        awaited._asyncio_future_blocking = True
    if cancelled is not None and awaited is not None and awaited.cancel(*cancelled.args):
        cancelled = None
    steps = onward(coro, awaited, resumed, rested, cancelled)
    cancelled = None  # its traceback would hold this frame
    return (yield from steps)
