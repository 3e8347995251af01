"""Dates, times and durations as JSON has them: around a day that stays the same, because the answers do."""

import datetime as dt
from random import Random
from typing import Final

import msgspec

DAY: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
AROUND: Final = dt.timedelta(days=180)
LONGEST: Final = dt.timedelta(days=2)


def moment(random: Random, *, zoned: bool | None) -> str:
    """A time of a day, in UTC unless it must be in no zone."""
    made = DAY + dt.timedelta(seconds=random.randint(-_seconds(AROUND), _seconds(AROUND)))
    return _text(made.replace(tzinfo=None) if zoned is False else made)


def date(random: Random) -> str:
    """A day."""
    return _text((DAY + dt.timedelta(days=random.randint(-AROUND.days, AROUND.days))).date())


def time(random: Random, *, zoned: bool | None) -> str:
    """A time of any day, in UTC only if it must be in a zone."""
    made = (DAY + dt.timedelta(seconds=random.randrange(86_400))).time()
    return _text(made.replace(tzinfo=dt.UTC) if zoned else made)


def duration(random: Random) -> str:
    """How long something takes."""
    return _text(dt.timedelta(seconds=random.randint(1, _seconds(LONGEST))))


def _seconds(length: dt.timedelta) -> int:
    return int(length.total_seconds())


def _text(value: dt.date | dt.time | dt.timedelta) -> str:
    return str(msgspec.to_builtins(value))
