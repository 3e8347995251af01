"""Types of all kinds, as a plug's author may write them, each with values of it."""

import datetime as dt
import enum
import itertools
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import Meta, defstruct

TEXT = st.text(max_size=6)

NUMBERS = itertools.count()


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


PLAIN = {
    int: st.integers(-(2**63), 2**63 - 1),
    Annotated[int, Meta(ge=0, lt=100)]: st.integers(0, 99),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: TEXT,
    Annotated[str, Meta(min_length=1, max_length=3)]: st.text(min_size=1, max_size=3),
    bool: st.booleans(),
    None: st.none(),
    bytes: st.binary(max_size=6),
    UUID: st.uuids(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    dt.timedelta: st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)),
    dt.date: st.dates(),
    dt.datetime: st.datetimes(timezones=st.sampled_from([None, dt.UTC])),
    Annotated[dt.datetime, Meta(tz=False)]: st.datetimes(),
    dt.time: st.times(timezones=st.sampled_from([None, dt.UTC])),
    Colour: st.sampled_from(Colour),
    Literal["a", 3]: st.sampled_from(["a", 3]),
}
"""Each type with values of it."""

KEYS = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    Annotated[int, Meta(ge=0)]: st.integers(0, 2**63 - 1),
    dt.date: st.dates(),
    UUID: st.uuids(),
    Colour: st.sampled_from(Colour),
    Literal["a", 3]: st.sampled_from(["a", 3]),
}
"""Types of what may stand as a key in a table."""


@st.composite
def structs(draw, parts):
    """A new Struct of up to four fields, some with defaults, and values of it."""
    fields = draw(st.lists(parts, max_size=4))
    required = draw(st.integers(0, len(fields)))
    defined = [(f"f{n}", type, *([] if n < required else [draw(values)])) for n, (type, values) in enumerate(fields)]
    defined = [each if len(each) == 2 else (*each[:2], _default(each[2])) for each in defined]
    made = defstruct(
        f"S{next(NUMBERS)}",
        defined,
        rename=draw(st.sampled_from([None, "upper"])),
        tag=draw(st.sampled_from([None, True])),
        forbid_unknown_fields=draw(st.booleans()),
        omit_defaults=draw(st.booleans()),
        array_like=draw(st.booleans()),
    )
    return made, st.tuples(*(values for _, values in fields)).map(lambda given: made(*given))


def _default(value):
    return msgspec.field(default_factory=lambda: value)


def compound(parts):
    one = parts.map(lambda part: (list[part[0]], st.lists(part[1], max_size=3)))
    table = st.tuples(st.sampled_from([*KEYS.items()]), parts).map(
        lambda two: (dict[two[0][0], two[1][0]], st.dictionaries(two[0][1], two[1][1], max_size=3))
    )
    pair = st.tuples(parts, parts).map(lambda two: (tuple[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1])))
    maybe = parts.map(lambda part: (part[0] | None if part[0] is not None else None, part[1] | st.none()))
    return one | table | pair | maybe | structs(parts)


TYPES = st.recursive(st.sampled_from([*PLAIN.items()]), compound, max_leaves=5)
