"""How many workers a set should have, and when the next one may be started."""

from typing import Final

from plugsock.ops.log import get_logger
from plugsock.pool.backoff import Backoff
from plugsock.pool.sizes import Size

log = get_logger()

WAIT_S: Final = 0.05
"""A call that has waited so long for a free place is a reason for one worker more."""

QUIET_S: Final = 60.0
"""A set in which no call had to wait for so long gets along with one worker less."""


class Squad:
    """One set of workers.

    Args:
        name: As in `--workers reports=2`; empty for everybody else's.
        size: Between how many it may have.
        now: The time.

    Attributes:
        target: How many it should have now.
        is_rolling: One more than that, as long as some are to be replaced.
        restarts: How many have been replaced since the server began.
    """

    def __init__(self, name: str, size: Size, now: float) -> None:
        self.name = name
        self.size = size
        self.target = size.least
        self.is_rolling = False
        self.restarts = 0
        self._backoff = Backoff()
        self._not_before = now
        self._quiet_since = now

    def wants_one(self, have: int, now: float) -> bool:
        """Should a worker be started, where there are so many that are ready or on their way?"""
        return have < self.target + self.is_rolling and now >= self._not_before

    def load(self, waited_s: float, ready: int, now: float) -> None:
        """Grow or shrink by one after how long calls wait; not before what was decided before has come about.

        Args:
            waited_s: How long the oldest waiting call has waited.
            ready: How many workers are ready.
            now: The time.
        """
        if waited_s:
            self._quiet_since = now
        if waited_s > WAIT_S and ready == self.target < self.size.most:
            self.target += 1
            log.info("calls have to wait: one worker more", workers=self.target, **self.named())
        if now - self._quiet_since > QUIET_S and self.target > self.size.least:
            self._quiet_since = now
            self.target -= 1
            log.info("no call had to wait for a minute: one worker less", workers=self.target, **self.named())

    def has_one_too_many(self, have: int) -> bool:
        """Should one of so many go?"""
        return have > self.target + self.is_rolling

    def ready(self) -> None:
        """One of them has become ready."""
        self._backoff.ready()

    def ended(self, ready_s: float, now: float) -> None:
        """One has ended that should not have."""
        self._not_before = now + self._backoff.ended(ready_s)
        if self._backoff.cannot_start:
            log.error("workers can't start: see above why; it is tried again", **self.named())

    def named(self) -> dict[str, str]:
        """For a line of the log."""
        return {"set": self.name} if self.name else {}
