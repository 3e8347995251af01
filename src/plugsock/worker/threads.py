"""The threads that plain functions run in.

They are daemons of our own, because those of `concurrent.futures` keep a process from ending until the last plug has
returned, and because a thread whose call was ended has to be counted: Python can't stop it.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from plugsock.ops.log import get_logger
from plugsock.rpc.page import MOST_THREADS, THREADS, Page
from plugsock.worker.outbox import Outbox

T = TypeVar("T")

log = get_logger()

CAPACITY: Final = min(32, (os.cpu_count() or 1) + 4)
"""As many as `concurrent.futures` starts: plugs wait for files and databases, rarely for a core."""

BACKLOG: Final = 1024
"""Jobs that may wait for a thread before further ones are refused."""


class Job:
    """Something to do in a thread, for the call of a sequence."""

    __slots__ = ("_claim", "is_lost", "sequence", "work")

    def __init__(self, sequence: int, work: Callable[[], None]) -> None:
        self.sequence = sequence
        self.work = work
        self.is_lost = False
        self._claim = [None]

    def claim(self) -> bool:
        """True for the first who asks: the thread that starts it, or whoever calls it off before that."""
        try:
            self._claim.pop()
        except IndexError:
            return False
        return True


class Threads:
    """A pool that starts threads as they are needed; everything but `_run` belongs to the loop.

    Args:
        outbox: Tells the loop of jobs that have ended.
        page: Each thread marks there which call it runs.
        capacity: Threads, at most; no more than have room on a page.
        backlog: Jobs that may wait for one.
    """

    def __init__(self, outbox: Outbox, page: Page, capacity: int = CAPACITY, backlog: int = BACKLOG) -> None:
        self.lost = 0
        """Threads that still run a job which was called off."""
        self._outbox = outbox
        self._page = page
        self._capacity = min(capacity, MOST_THREADS)
        self._backlog = backlog
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._started = 0
        self._pending = 0
        self._rest: asyncio.Future[None] | None = None

    @property
    def is_overloaded(self) -> bool:
        """All threads are lost, or too many jobs wait."""
        return self.lost >= self._capacity or self._pending >= self._capacity + self._backlog

    def submit(self, sequence: int, work: Callable[[], None]) -> Job:
        """Do something for a call in a thread as soon as one is free; it must not raise."""
        job = Job(sequence, work)
        self._pending += 1
        if self._pending > (n := self._started) < self._capacity:
            with suppress(RuntimeError):  # the system has no thread left: what there are will do
                threading.Thread(target=self._run, args=(n,), name=f"plug-{n + 1}", daemon=True).start()
                self._started += 1
        self._queue.put(job)
        return job

    def call_off(self, job: Job) -> bool:
        """Nobody waits for a job any more.

        Returns:
            True if it had not started, and never will; else its thread is lost until it ends.
        """
        if job.claim():
            return True
        job.is_lost = True
        self.lost += 1
        return False

    def at_rest(self) -> "asyncio.Future[None]":
        """Done as soon as there is no job."""
        if self._rest is None or self._rest.done():
            self._rest = asyncio.get_running_loop().create_future()
            self._settle()
        return self._rest

    def close(self) -> None:
        """Let each thread end after its job; none is waited for."""
        for _ in range(self._started):
            self._queue.put(None)

    def _run(self, n: int) -> None:
        page, started, running = self._page, THREADS + 2 * n, THREADS + 2 * n + 1
        while (job := self._queue.get()) is not None:
            if job.claim():
                page[started] = max(page[started], job.sequence)  # a stream comes back, with a sequence of long ago
                page[running] = job.sequence
                try:
                    job.work()
                except BaseException:  # there was no memory left even for its answer
                    log.exception("a call in a thread has got no answer")
                page[running] = 0
            self._outbox.post(self._ended, job)
            del job  # an idle thread would keep its last plug, and with it a revision that was replaced

    def _ended(self, job: Job) -> None:
        self._pending -= 1
        if job.is_lost:
            self.lost -= 1
        self._settle()

    def _settle(self) -> None:
        if not self._pending and self._rest is not None and not self._rest.done():
            self._rest.set_result(None)


def in_thread(name: str, function: Callable[[], T]) -> "asyncio.Future[T]":
    """Call a function in a daemon thread of its own; one that never returns keeps nothing from ending."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(settle: Callable[[Any], None], value: Any) -> None:
        if not result.done():
            settle(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[[Any], None], Any] = result.set_result, function()
        except BaseException as error:  # of whatever kind: it belongs to whoever waits
            outcome = result.set_exception, error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return result
