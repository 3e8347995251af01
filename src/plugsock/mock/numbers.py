"""Numbers within bounds."""

import math
from random import Random
from typing import Final

from msgspec import inspect as spec
from polyfactory.exceptions import ParameterException
from polyfactory.value_generators.constrained_numbers import handle_constrained_float

SPAN: Final = 1000
"""From one bound to the other where only one of them is said, and from 0 where none is: prices, counts, ages."""

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**64 - 1
"""What MessagePack can say."""


def integer(random: Random, info: spec.IntType) -> int:
    """An integer that fits.

    Raises:
        ParameterException: There is none.
    """
    step = info.multiple_of or 1
    low = info.gt + 1 if info.gt is not None else info.ge
    high = info.lt - 1 if info.lt is not None else info.le
    least, most = _both(low, high, SPAN * step)
    return _multiple(random, math.ceil(max(least, SMALLEST)), math.floor(min(most, LARGEST)), step)


def number(random: Random, info: spec.FloatType) -> float:
    """A float that is likely to fit, with few digits where those do.

    Raises:
        ParameterException: There is none.
    """
    step = info.multiple_of
    low, high = info.gt if info.gt is not None else info.ge, info.lt if info.lt is not None else info.le
    least, most = _both(low, high, SPAN * (step or 1))
    if step:
        return _draw(random, math.ceil(least / step), math.floor(most / step)) * step
    exact = handle_constrained_float(random, ge=float(least), le=float(most))
    return round(exact, 2) if fits(info, round(exact, 2)) else exact


def fits(info: spec.IntType | spec.FloatType, value: float) -> bool:
    """Is it within the bounds?"""
    return (
        (info.gt is None or value > info.gt)
        and (info.ge is None or value >= info.ge)
        and (info.lt is None or value < info.lt)
        and (info.le is None or value <= info.le)
        and (not info.multiple_of or math.fmod(value, info.multiple_of) == 0)
    )


def _both(low: float | None, high: float | None, span: float) -> tuple[float, float]:
    if low is None:
        if high is None:
            return 0, span
        return (high - span if high < 0 else max(0, high - span)), high
    return low, low + span if high is None else high


def _multiple(random: Random, least: int, most: int, step: int) -> int:
    return _draw(random, -(-least // step), most // step) * step


def _draw(random: Random, least: int, most: int) -> int:
    # Not by polyfactory, which draws a float and rounds that: of integers beyond 2^53 it would miss most.
    if least > most:
        raise ParameterException("no number is within its bounds")
    return random.randint(least, most)
