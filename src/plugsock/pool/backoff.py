"""When the next worker may be started after one has ended, so that a crash loop does not eat the machine.

The first successor starts at once: nobody should wait because of one accident. What keeps failing is started ever less
often, up to once in 5 s; and each second that a worker was ready makes good for one failure, ten for all. So workers
that do their work for a while and are killed then, however often, are replaced at once.
"""

from typing import Final

FIRST_S: Final = 0.1
LONGEST_S: Final = 5.0
"""systemd always waits 0.1 s, Kubernetes 10 s and then up to 5 min; here calls wait for each worker."""

MOST: Final = 10
"""Failures that are counted: ten seconds of being ready make good for all of them."""

HOPELESS: Final = 5
"""So many in a row that were never ready: it can't start at all, and somebody should be told."""


class Backoff:
    """The restarts of one set of workers."""

    __slots__ = ("_failures", "_unready")

    def __init__(self) -> None:
        self._failures = 0
        self._unready = 0
        """Workers in a row that were never ready."""

    @property
    def cannot_start(self) -> bool:
        """Have the last `HOPELESS` workers, or more, ended without having been ready?"""
        return self._unready >= HOPELESS

    def ready(self) -> None:
        """A worker has become ready."""
        self._unready = 0

    def ended(self, ready_s: float) -> float:
        """A worker has ended that was to go on; in how many seconds its successor may start.

        Args:
            ready_s: How long it had been ready; 0 if it never was.
        """
        if not ready_s:
            self._unready += 1
        failures = max(0, self._failures - int(ready_s))
        self._failures = min(MOST, failures + 1)
        return min(LONGEST_S, FIRST_S * 2 ** (failures - 1)) if failures else 0.0
