"""Is the client still there? A ping now and then, and any frame as an answer."""

import enum

from plugsock.gateway.limits import Limits


class Verdict(enum.Enum):
    """What a look at the clock leads to."""

    FINE = "nothing to do"
    PING = "send a ping"
    DEAD = "the last ping was not answered in time"


class Life:
    """Signs of life of one client.

    Attributes:
        heard: Set by every frame.
        due: When to look again, on the loop's clock.
    """

    __slots__ = ("_limits", "_pinged", "due", "heard")

    def __init__(self, now: float, limits: Limits) -> None:
        self._limits = limits
        self._pinged = False
        self.heard = False
        self.due = now + limits.ping_s

    def look(self, now: float, *, deaf: bool) -> Verdict:
        """Look at the clock; who is `deaf`, because nothing is read at the moment, can't miss an answer."""
        limits = self._limits
        if now < self.due:
            return Verdict.FINE
        if not self._pinged:
            self._pinged = True
            self.heard = False
            self.due = now + limits.pong_s
            return Verdict.PING
        if self.heard or deaf:
            self._pinged = False
            self.due = now + max(limits.ping_s - limits.pong_s, 0.0)
            return Verdict.FINE
        return Verdict.DEAD
