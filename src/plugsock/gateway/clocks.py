"""What time does to those who are here: who must say hello soon, whose token ends, and whose grace is over.

Only the end of a token goes by the wall clock, since tokens name a moment. Everything that is counted from a moment of
this server goes by a clock that nobody sets: an hour that the wall clock jumps by closes no socket at once.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

HELLO_S: Final = 10.0
"""Who has to say who they are has so long for it: two round trips of a bad mobile network, and a token to fetch."""

GRACE_S: Final = 30.0
"""From the end of a token to the end of its socket: as long as a refresh may take that meets a slow issuer."""

TICK_S: Final = 1.0
"""How often clocks are looked at: the precision of the times above."""

T = TypeVar("T")


class Clocks(Generic[T]):
    """Who is waited for, and until when.

    Args:
        on_silent: Hears who has said no hello in time.
        on_end: Hears whose token has ended; the grace begins.
        on_over: Hears whose grace is over.
        wall: The clock that tokens are judged by, in seconds since 1970.
        now: The clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        on_silent: Callable[[T], None],
        on_end: Callable[[T], None],
        on_over: Callable[[T], None],
        *,
        wall: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_silent, self._on_end, self._on_over = on_silent, on_end, on_over
        self._wall, self._now = wall, now
        self._silent: dict[T, float] = {}
        """By when each has to say hello; the first to come is first."""
        self._ends: dict[int, set[T]] = {}
        """Whose tokens end, by the second of the wall clock."""
        self._end_of: dict[T, int] = {}
        self._grace: dict[T, float] = {}
        """By when each has to send a new token; likewise in order."""
        self._is_ticking = False

    def await_hello(self, somebody: T) -> None:
        """From now on they have `HELLO_S` to say hello."""
        self._silent[somebody] = self._now() + HELLO_S
        self._tick_later()

    def silent(self) -> list[T]:
        """Who has not said hello yet and should."""
        return list(self._silent)

    def said_hello(self, somebody: T) -> None:
        """They need not be waited for any more."""
        self._silent.pop(somebody, None)

    def await_end(self, somebody: T, wall: float) -> None:
        """Their token ends at this time of the wall clock."""
        second = -int(-wall // 1)  # the next whole one
        self._ends.setdefault(second, set()).add(somebody)
        self._end_of[somebody] = second
        self._tick_later()

    def has_ended(self, wall: float) -> bool:
        """Is this a time of the wall clock that has been?"""
        return wall <= self._wall()

    def forget(self, somebody: T) -> None:
        """Nothing of them is waited for any more."""
        self._silent.pop(somebody, None)
        self._grace.pop(somebody, None)
        second = self._end_of.pop(somebody, None)
        if second is not None:
            self._ends[second].discard(somebody)
            if not self._ends[second]:
                del self._ends[second]

    def look(self) -> None:
        """Tell what time it is for whom."""
        now, wall = self._now(), self._wall()
        for somebody in _take_due(self._silent, now):
            self._on_silent(somebody)
        for somebody in _take_due(self._grace, now):
            self._on_over(somebody)
        for second in [second for second in self._ends if second <= wall]:
            for somebody in self._ends.pop(second):
                del self._end_of[somebody]
                self._grace[somebody] = now + GRACE_S
                self._on_end(somebody)

    def __bool__(self) -> bool:
        """Is anybody waited for?"""
        return bool(self._silent or self._ends or self._grace)

    def _tick_later(self) -> None:
        if not self._is_ticking:
            self._is_ticking = True
            asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._is_ticking = False
        try:
            self.look()
        finally:  # whatever goes wrong with one of them, there are others
            if self:
                self._tick_later()


def _take_due(until: dict[T, float], now: float) -> list[T]:
    due: list[T] = []
    for somebody, end in until.items():
        if end > now:
            break
        due.append(somebody)
    for somebody in due:
        del until[somebody]
    return due
