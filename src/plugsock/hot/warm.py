"""Runs a plug until what CPython makes of it no longer changes, then watches that, and takes the time."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import quantiles
from time import perf_counter, process_time_ns
from types import CodeType
from typing import Final

from msgspec import Struct, field

from plugsock.hot.adaptive import Form, Place, forms
from plugsock.testing.alone import Alone

WARM_ROUNDS: Final = 1000
"""Calls with each example before anything is looked at. CPython specialises after 2 to 16 runs, and tries again after
some thousands at most; what meets several types changes its form after 53 misses (`Include/internal/pycore_code.h`)."""

FEW_ROUNDS: Final = 100
"""With fewer, CPython may not be done."""

BATCHES: Final = 40
"""Looks at the code, with many calls between them."""

BATCH_S: Final = 0.002
"""Of a batch, at least: what the clock and the batch itself cost is nothing beside that."""

LIMIT_S: Final = 2.0
"""For warming up, and once more for watching."""


class Nanoseconds(Struct, frozen=True):
    """What a call takes of the processor's time, from the payload to the result; it is not encoded."""

    median: float
    low: float
    """In one of ten batches of calls it is less than this."""
    high: float
    """In one of ten it is more."""


class Watched(Struct):
    """What has come of it."""

    before: dict[Place, Form]
    """Each instruction as it was in the beginning."""
    looks: dict[Place, list[Form]] = field(default_factory=lambda: defaultdict(list))
    """As it was each time, once it was warm."""
    warm_rounds: int = 0
    calls: int = 0
    per_call: Nanoseconds | None = None

    @property
    def is_settled(self) -> bool:
        """Has it run often enough?"""
        return self.warm_rounds >= FEW_ROUNDS


class _Clock:
    """How much of the processor's time passes while it is entered."""

    def __init__(self) -> None:
        self.ns = 0

    def __enter__(self) -> None:
        self.ns = process_time_ns()

    def __exit__(self, *_: object) -> None:
        self.ns = process_time_ns() - self.ns


async def watch(alone: Alone, payloads: Sequence[bytes], codes: Sequence[CodeType]) -> Watched:
    """Run a plug on its payloads, and look at code that runs by that.

    Args:
        alone: The plug.
        payloads: JSON; one after the other, so that what differs between them meets the same instructions.
        codes: What to look at.
    """
    watched = Watched(before={place: form for code in codes for place, form in forms(code)})
    rounds = await _warm(alone, payloads, watched)
    samples: list[float] = []
    until = perf_counter() + LIMIT_S
    while len(samples) < BATCHES and (len(samples) < 2 or perf_counter() < until):
        clock = _Clock()
        await alone.repeat(payloads, rounds, clock)
        watched.calls += rounds * len(payloads)
        samples.append(clock.ns / rounds / len(payloads))
        for code in codes:
            for place, form in forms(code):
                watched.looks[place].append(form)
    tenths = quantiles(samples, n=10, method="inclusive")
    watched.per_call = Nanoseconds(tenths[4], tenths[0], tenths[8])
    return watched


async def _warm(alone: Alone, payloads: Sequence[bytes], watched: Watched) -> int:
    """Warm up; how many rounds a batch has to have."""
    rounds, until = 1, perf_counter() + LIMIT_S
    while True:
        clock, began = _Clock(), perf_counter()
        await alone.repeat(payloads, rounds, clock)
        watched.warm_rounds += rounds
        watched.calls += rounds * len(payloads)
        is_long = clock.ns >= BATCH_S * 1e9 or perf_counter() - began >= BATCH_S * 10
        if perf_counter() > until or (is_long and watched.warm_rounds >= WARM_ROUNDS):
            return rounds
        if not is_long:
            rounds *= 2
