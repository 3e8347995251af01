"""What a browser can't hold: its numbers are floats, so integers beyond 53 bits come out as others."""

import enum
from typing import Any, Final

from msgspec import Meta

LARGEST: Final = 2**53 - 1
"""`Number.MAX_SAFE_INTEGER`."""


def is_too_big(value: Any) -> bool:
    """Is it an integer that a browser can't hold?"""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST


def too_big(bounds: tuple[Meta, ...]) -> int | None:
    """The first bound that lets an integer be too big; None if none does."""
    for low, high in map(_inclusive, bounds):
        for bound in (low, high):
            if is_too_big(bound):
                return bound
    return None


def missing_bound(bounds: tuple[Meta, ...]) -> str:
    """Which bounds an integer lacks, as `ge=..., le=...`; empty if it lacks none."""
    pairs = [_inclusive(each) for each in bounds]
    missing = {"ge=...": all(low is None for low, _ in pairs), "le=...": all(high is None for _, high in pairs)}
    return ", ".join(name for name, is_missing in missing.items() if is_missing)


def members(cls: type[enum.Enum]) -> list[int]:
    """The values of an enum that are too big."""
    return [each.value for each in cls if is_too_big(each.value)]


def _inclusive(bounds: Meta) -> tuple[int | None, int | None]:
    low = bounds.ge if bounds.ge is not None else None if bounds.gt is None else bounds.gt + 1
    high = bounds.le if bounds.le is not None else None if bounds.lt is None else bounds.lt - 1
    return _whole(low), _whole(high)


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
