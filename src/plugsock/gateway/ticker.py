"""The clock of the deadlines: it ticks for as long as anything has one."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Generic, TypeVar

from plugsock.gateway.deadlines import Deadlines, Timed

T = TypeVar("T", bound=Timed)


class Ticker(Generic[T]):
    """Ends what is due.

    Args:
        deadlines: Looked at, by `time.perf_counter`.
        end: Takes what is due out of its lane.

    Attributes:
        is_ticking: It will look again by itself; else whoever adds a deadline says `tick`.
    """

    __slots__ = ("_deadlines", "_end", "is_ticking")

    def __init__(self, deadlines: Deadlines[T], end: Callable[[T], None]) -> None:
        self.is_ticking = False
        self._deadlines = deadlines
        self._end = end

    def tick(self) -> None:
        """End what is due, and look again while anything is open."""
        due, again = self._deadlines.due(perf_counter())
        try:
            for timed in due:
                self._end(timed)
        finally:  # whatever goes wrong with one of them, there are others
            self.is_ticking = bool(self._deadlines)
            if self.is_ticking:
                asyncio.get_running_loop().call_later(max(0.0, again - perf_counter()), self.tick)
