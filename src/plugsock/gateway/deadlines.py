"""When open calls are due, without a timer a call.

Calls with the same timeout are due in the order in which they started, so one dict a timeout, in that order, is all
the bookkeeping: opening and ending a call is one dict operation each, where `call_later` and cancel cost 1.5 µs. The
gateway looks at the head of each at least every `TICK_S`, and in time for the next one that it saw coming: a timeout
longer than a tick is noticed when it is due.
"""

import math
from typing import Final, Generic, Protocol, TypeVar

TICK_S: Final = 0.05
"""Seconds between two looks."""

STEPS: Final = ((1.0, TICK_S), (60.0, 1.0))
LAST_STEP_S: Final = 60.0
"""Shortened timeouts are rounded up: to a tick up to a second, to a second up to a minute, then to a minute. So there
are at most 1,520 of them below a day, whatever clients ask for."""


class Timed(Protocol):
    """What has a deadline."""

    sequence: int
    started: float


T = TypeVar("T", bound=Timed)


class Lane(Generic[T]):
    """Everything with one timeout, by sequence, in order of start."""

    __slots__ = ("open", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.open: dict[int, T] = {}

    def restart(self, timed: T, now: float) -> None:
        """Its deadline counts from now on."""
        self.open.pop(timed.sequence, None)
        timed.started = now
        self.open[timed.sequence] = timed


class Deadlines(Generic[T]):
    """The lanes, one a timeout."""

    def __init__(self) -> None:
        self._lanes: dict[float, Lane[T]] = {}

    def lane(self, timeout_s: float) -> Lane[T]:
        """The lane of a timeout that a plug declares."""
        lane = self._lanes.get(timeout_s)
        if lane is None:
            lane = self._lanes[timeout_s] = Lane(timeout_s)
        return lane

    def shorter(self, lane: Lane[T], timeout_s: float) -> Lane[T]:
        """The lane of a timeout that a client asks for: never longer, and rounded up so that lanes stay few."""
        step = next((step for limit, step in STEPS if timeout_s <= limit), LAST_STEP_S)
        rounded = math.ceil(timeout_s / step) * step
        return lane if rounded >= lane.timeout_s else self.lane(rounded)

    def due(self, now: float) -> tuple[list[T], float]:
        """What should have ended by now, and when to look again."""
        found: list[T] = []
        again = now + TICK_S
        for lane in self._lanes.values():
            for timed in lane.open.values():
                end = timed.started + lane.timeout_s
                if end > now:
                    again = min(again, end)
                    break
                found.append(timed)
        return found, again

    def __bool__(self) -> bool:
        return any(lane.open for lane in self._lanes.values())
