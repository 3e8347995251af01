"""Views that were swapped are attached to what is in force now: a few at a time, so that nobody else waits for them.

Several hundred views that each run for one user or socket would fill the workers' queues at once, and every call and
every revoke would wait behind them. Those that are the same for everybody are one run, however many watch them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Final

from plugsock.gateway.watch import Watch

AT_ONCE: Final = 8
"""So many runs may be under way: enough for the workers to have always something to do."""

PATIENCE_S: Final = 0.05
"""What takes longer than this does not hold up the others."""

SLICE_S: Final = 0.002
REST_S: Final = 0.002
"""Others are attached for so long in a row, and then not for so long: a thousand that are the same take some
milliseconds."""


class Moving:
    """Those that have to be attached anew, in their order.

    Args:
        attach: Attaches one, unless it has ended or was attached otherwise meanwhile: since it was asked so often.
    """

    def __init__(self, attach: Callable[[Watch, int], None]) -> None:
        self._attach = attach
        self._waiting: deque[tuple[Watch, int]] = deque()
        self._under_way: list[tuple[Watch, float]] = []
        """One for each run, since when it is under way."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watches: Iterable[Watch]) -> None:
        """Attach these, too."""
        self._waiting.extend((watch, watch.asked) for watch in watches)
        if self._timer is None:
            self._go_on()

    def _go_on(self) -> None:
        now = perf_counter()
        self._under_way = [(watch, since) for watch, since in self._under_way if _holds_up(watch, now - since)]
        runs = {watch.live for watch, _ in self._under_way}
        while self._waiting and len(self._under_way) < AT_ONCE and perf_counter() - now < SLICE_S:
            watch, asked = self._waiting.popleft()
            self._attach(watch, asked)
            if _holds_up(watch, 0.0) and (watch.live is None or watch.live not in runs):
                self._under_way.append((watch, now))
                runs.add(watch.live)
        self._timer = asyncio.get_running_loop().call_later(REST_S, self._go_on) if self._waiting else None


def _holds_up(watch: Watch, for_s: float) -> bool:
    """Is it to be told something soon, and has not waited too long for that?"""
    return for_s < PATIENCE_S and watch.is_open and (watch.live is None or watch.live.is_running)
