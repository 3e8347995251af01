"""Is a worker alive? Its heartbeats tell, and where they stop, whether it computes, stands still or was just not let run.

A worker says every half second that its event loop turns. On a machine that is short of CPU it may be late through no
fault of its own, so silence alone never ends a worker: it must have had the time that it did not use for a heartbeat,
or not have asked for any: an `async def` that sleeps, or waits for a lock, stops the loop without using the CPU.
"""

import enum
from typing import Final

SILENT_S: Final = 1.0
"""Two heartbeats: what is late by more has a cause."""

STALLED_S: Final = 2.0
BUSY_S: Final = 1.0
"""The CPU time in which an event loop that turns would have said something, even one that shares the interpreter with
32 threads: they pass it on every 5 ms."""

SUSPENDED_S: Final = 1.0
"""If the gateway's own clock ticks later than this, then it was the gateway that stood still: see `Health.forgive`."""


class Verdict(enum.Enum):
    """What a look at a worker leads to."""

    FINE = "nothing to do"
    SILENT = "no new calls and no vote, until it is heard again"
    STALLED = "it is to be replaced"


class Health:
    """The heartbeats of one worker. `now` is a monotonic clock's, in seconds.

    Attributes:
        heard: When the last heartbeat came.
        lag_s: How late the worker's event loop was then.
    """

    __slots__ = ("_cpu_s", "_is_asleep", "heard", "lag_s")

    def __init__(self, now: float) -> None:
        self.heard = now
        self.lag_s = 0.0
        self._cpu_s: float | None = None
        """What it had used of the CPU when it was first looked at since the last heartbeat."""
        self._is_asleep = True
        """It was so at each look since it is silent."""

    def beat(self, now: float, lag_s: float) -> None:
        """A heartbeat has come."""
        self.heard = now
        self.lag_s = lag_s
        self._cpu_s = None

    def look(self, now: float, cpu_s: float | None, *, is_stopped: bool, is_asleep: bool = False) -> Verdict:
        """Look at the clock, at least twice a second.

        Args:
            now: The time.
            cpu_s: The CPU time that its process has used in its life; None where nobody knows.
            is_stopped: Its process can't run at all: somebody sent it SIGSTOP.
            is_asleep: All its threads wait for something, and not for the CPU.
        """
        if self._cpu_s is None:
            self._cpu_s = cpu_s
        silent_s = now - self.heard
        if silent_s < SILENT_S:
            self._is_asleep = True
            return Verdict.FINE
        # An event loop that waits for its next heartbeat is asleep, too, but never for so long that none comes.
        self._is_asleep = self._is_asleep and is_asleep
        if silent_s >= STALLED_S and (is_stopped or self._is_asleep or self._used_s(cpu_s) >= BUSY_S):
            return Verdict.STALLED
        return Verdict.SILENT

    def forgive(self, now: float) -> None:
        """Start anew: who could hear nothing was the gateway, because it had been suspended itself."""
        self.heard = now
        self._cpu_s = None
        self._is_asleep = True

    def _used_s(self, cpu_s: float | None) -> float:
        return 0.0 if cpu_s is None or self._cpu_s is None else cpu_s - self._cpu_s
