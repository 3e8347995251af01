"""Streams: generators that are asked for their next value only as far as the caller gives credit.

An async generator runs as one task, so that all its steps share one context. A plain one runs in a thread for as long
as it may go on, and holds none while it waits. Both are closed when the call is ended: their `finally` runs.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import Context
from time import perf_counter
from typing import Any, Final

from plugsock.worker.outcome import END, Answers, Outcome, Run
from plugsock.worker.threads import Job, Threads

SLICE_S: Final = 0.002
"""A stream that never waits lets others run after so long."""


class Credit:
    """How far a stream may go on."""

    __slots__ = ("granted", "is_held")

    def __init__(self, granted: int, *, is_held: bool) -> None:
        self.granted = granted
        self.is_held = is_held
        """The socket has too much unsent."""

    def covers(self, sent: int) -> bool:
        """May another item follow those that were sent?"""
        return sent < self.granted and not self.is_held


class AsyncStream:
    """An async generator; `pump` runs it as a task, which whoever starts it sets as `task`."""

    def __init__(self, run: Run, items: AsyncGenerator[Any, None], credit: Credit, answers: Answers) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self._items = items
        self._credit = credit
        self._answers = answers
        self._sent = 0
        self._changed = asyncio.Event()

    def more(self, count: int) -> None:
        """The caller takes further items."""
        self._credit.granted += count
        self._changed.set()

    def hold(self, *, held: bool) -> None:
        """Wait until the socket has room again, or go on."""
        self._credit.is_held = held
        self._changed.set()

    def cancel(self) -> bool:
        """Interrupt the generator where it waits, and close it."""
        if self.task is not None:  # else it is in its first step, and hears of it at the end of that
            self.task.cancel()
        return False

    async def pump(self) -> None:
        """Send item after item until the generator ends; raises what it raises."""
        run, item, encode = self.run, self._answers.item, self.run.served.encode
        turn = perf_counter()
        try:
            while not run.is_over:
                await self._allowed()
                value = await anext(self._items, _NO_MORE)
                if value is _NO_MORE:
                    return
                item(run, encode(value, run.call.format))
                self._sent += 1
                if perf_counter() - turn > SLICE_S:
                    await asyncio.sleep(0)
                    turn = perf_counter()
        finally:
            await self._items.aclose()

    async def _allowed(self) -> None:
        while not self._credit.covers(self._sent):
            self._changed.clear()
            await self._changed.wait()


class ThreadStream:
    """A plain generator that is asked in turns, each in whatever thread is free.

    At most one turn is on its way, so what a turn uses needs no lock. `_turn` and `_ask` run in a thread.
    """

    def __init__(
        self,
        run: Run,
        enter: Callable[[], Generator[Any, None, None]],
        credit: Credit,
        threads: Threads,
        answers: Answers,
        ended: Callable[[Run, Outcome], None],
    ) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self._enter = enter
        self._credit = credit
        self._threads = threads
        self._answers = answers
        self._ended = ended
        self._context = Context()
        self._items: Generator[Any, None, None] | None = None
        self._is_closed = False
        self._sent = 0
        self._ran_s = 0.0
        self._job: Job | None = None
        self._go_on()

    def more(self, count: int) -> None:
        """The caller takes further items."""
        self._credit.granted += count
        self._go_on()

    def hold(self, *, held: bool) -> None:
        """Wait until the socket has room again, or go on."""
        self._credit.is_held = held
        self._go_on()

    def cancel(self) -> bool:
        """Close the generator: after the value that it is working on, if it is. True if it has never begun."""
        if self._job is None or self._threads.call_off(self._job):
            self._job = None
            self._go_on()
        return self._job is None

    def _go_on(self) -> None:
        """Begin a turn unless one is on its way or there is nothing to do in one."""
        if self._job is not None:
            return
        has_to_close = self.run.is_over and self._items is not None
        if has_to_close or (not self.run.is_over and self._credit.covers(self._sent)):
            self._job = self._threads.submit(self.run.call.sequence, self._turn)

    def _turn(self) -> None:
        began = perf_counter()
        outcome = None
        try:
            outcome = self._ask()
        except BaseException as error:  # the plug's: each becomes an answer
            outcome = self._answers.of(self.run, None, error)
        self._answers.outbox.post(self._turned, outcome, perf_counter() - began)

    def _ask(self) -> Outcome | None:
        """Send items as long as that is allowed; the stream's outcome if it has one."""
        run, context = self.run, self._context
        encode, post = run.served.encode, self._answers.outbox.post
        if self._items is None:
            self._items = context.run(self._enter)
        try:
            while not run.is_over and self._credit.covers(self._sent):
                value = context.run(next, self._items, _NO_MORE)
                if value is _NO_MORE:
                    return END
                payload = encode(value, run.call.format)
                self._sent += 1
                post(self._answers.item, run, payload)
        except BaseException:
            self._close()
            raise
        if run.is_over:
            self._close()
        return None

    def _close(self) -> None:
        assert self._items is not None
        self._is_closed = True
        self._context.run(self._items.close)

    def _turned(self, outcome: Outcome | None, ran_s: float) -> None:
        self._job = None
        self._ran_s += ran_s
        self.run.ran_s = self._ran_s
        if outcome is not None or self._is_closed:
            self._is_closed = True
            self._ended(self.run, outcome or END)
        else:
            self._go_on()


_NO_MORE: Final = object()
