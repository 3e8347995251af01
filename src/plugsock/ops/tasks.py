"""The one place where tasks are made: each has a name and an owner, and none fails unheard."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from plugsock.ops.log import get_logger

T = TypeVar("T")

log = get_logger()


class Tasks:
    """The tasks of one owner; they are referenced here until they end, and end when their owner does.

    Args:
        owner: Who starts them; their names begin with it.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        """How many are running."""
        return len(self._running)

    def spawn(self, name: str, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a coroutine as a task; if it raises and nobody awaits it, the log has the exception."""
        task = asyncio.get_running_loop().create_task(coro, name=f"{self._owner}: {name}")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel all of them and wait until each has ended."""
        running = self._running - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task failed", task=task.get_name(), error=error)
