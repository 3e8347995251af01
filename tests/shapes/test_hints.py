"""What the schemas say of times without a zone and of keys, which msgspec's own leave out."""

import datetime as dt
import enum
from typing import Annotated, Literal

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from plugsock.loader.signature import Mode
from plugsock.model import Kind
from plugsock.shapes.describe import describe
from plugsock.shapes.events import Event

MOMENTS = [
    "2026-01-01T00:00:00",
    "2026-01-01 23:59:59.123456789",
    "2026-12-31t00:00:00Z",
    "2026-01-01T00:00:00+0130",
    "2026-01-01T00:00:00-23:59",
    "2026-01-01T00:00",
    "2026-01-01T24:00:00",
    "2026-13-01T00:00:00",
    "2026-01-01T00:00:00.",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00 Z",
    "2026-01-01",
    "00:00:00",
    "23:59:59.5",
    "23:59:59z",
    "23:59:59-01:00",
    "23:59",
    "24:00:00",
    "tea",
    "",
]
KEYS = ["0", "-1", "12", "18446744073709551616", "01", "+1", "1.5", "1e3", "-", "", " 1", "red", "a", "tea"]
KEYS += ["2026-01-01T00:00:00", "00:00:00", "PT1H", "YWI=", "612892ad-6498-4589-8930-f221288d636d"]

LOCAL = Meta(tz=False)


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 0


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


class Lenient(enum.Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value):
        return cls.RED


class Early(Struct, tag=True):
    at: Annotated[dt.datetime, LOCAL]


class Late(Struct, tag=True):
    at: dt.time


class Row(Struct, array_like=True, tag="row"):
    at: dt.datetime
    below: "Row | None" = None


def schema(type):
    """Of a type, with those that it names."""
    event = Event("e", Kind.CALL, "", Mode.WHOLE, type, int, False, (), None, "p.py:1", "")
    described = describe([event])
    assert described.problems == []
    return {**described.sides["e"].payload, "$defs": described.types}


def takes(type, value):
    """Does the schema take it, and does msgspec?"""
    by_schema = Draft202012Validator(schema(type)).is_valid(value)
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=type)
    except msgspec.ValidationError:
        return by_schema, False
    return by_schema, True


@pytest.mark.parametrize(
    "type", [dt.datetime, Annotated[dt.datetime, LOCAL], dt.time, Annotated[dt.time, LOCAL]], ids=str
)
@pytest.mark.parametrize("text", MOMENTS)
def test_a_time_that_may_lack_a_zone_is_what_msgspec_reads(type, text):
    by_schema, by_msgspec = takes(type, text)

    assert by_schema == by_msgspec


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "type",
    [int, Annotated[int, Meta(ge=0)], float, Colour, Level, Literal["a", 12], dt.datetime, int | dt.time],
    ids=str,
)
def test_keys_are_what_msgspec_reads(type, key):
    by_schema, by_msgspec = takes(dict[type, int], {key: 1})

    assert by_schema == by_msgspec


@pytest.mark.parametrize("type", [str, str | int, Right, Lenient, int | None], ids=str)
def test_where_keys_can_be_more_than_is_known_nothing_is_said(type):
    assert "propertyNames" not in schema(dict[type, int])


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        (Early | Late, {"type": "Late", "at": "10:00:00"}, {"type": "Late", "at": "tea"}),
        (Early | Late | int | None, {"type": "Early", "at": "2026-01-01T00:00:00"}, {"type": "Early", "at": "tea"}),
        (Late | dt.datetime, "2026-01-01T00:00:00", "tea"),
        (list[dt.datetime | None], [None, "2026-01-01T00:00:00"], ["tea"]),
        (tuple[int, dt.time], [1, "10:00:00"], [1, "tea"]),
        (
            Row,
            ["row", "2026-01-01T00:00:00", ["row", "2026-01-01T00:00:00"]],
            ["row", "2026-01-01T00:00:00", ["row", "tea"]],
        ),
        (dict[int, dict[Colour, int]], {"1": {"red": 1}}, {"1": {"tea": 1}}),
        (Annotated[dt.datetime, Meta(description="When.")], "2026-01-01T00:00:00", "tea"),
    ],
    ids=str,
)
def test_they_are_found_wherever_they_are(type, good, bad):
    assert takes(type, good) == (True, True)
    assert takes(type, bad) == (False, False)


def test_what_an_author_says_stands():
    own = Annotated[dt.datetime, Meta(extra_json_schema={"format": "lunar"})]

    assert schema(own) == {"type": "string", "format": "lunar", "$defs": {}}
