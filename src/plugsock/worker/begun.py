"""Runs that have begun and may not have ended, of each kind: what can still be done with them."""

import asyncio
from typing import Protocol

from plugsock.worker.outcome import Open, Run
from plugsock.worker.threads import Job, Threads


class Stream(Open, Protocol):
    """A run that goes on as far as it has credit."""

    def more(self, count: int) -> None:
        """The caller takes further items."""

    def hold(self, *, held: bool) -> None:
        """Its socket has too much unsent, or has room again."""


class Waiting:
    """An async call that has suspended, or may be ended before it has."""

    __slots__ = ("run", "task")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None

    def cancel(self) -> bool:
        """Interrupt it where it waits."""
        if self.task is not None:  # else it is in its first step, and hears of it at the end of that
            self.task.cancel()
        return False


class Beside:
    """A call in a thread."""

    __slots__ = ("_job", "_threads", "run", "task")

    def __init__(self, run: Run, job: Job, threads: Threads) -> None:
        self.run = run
        self.task: asyncio.Task[None] | None = None
        self._job = job
        self._threads = threads

    def cancel(self) -> bool:
        """Don't start it; if it has started, nothing can interrupt it, and its thread is lost until it ends."""
        return self._threads.call_off(self._job)
