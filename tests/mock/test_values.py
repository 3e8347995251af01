"""A value of any type that a plug can answer with."""

import dataclasses
import datetime as dt
import decimal
import enum
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from plugsock.mock.heights import ENDLESS, Heights
from plugsock.mock.leaves import CantMakeUp
from plugsock.mock.seeds import seed
from plugsock.mock.values import DEEPEST, LARGEST, Maker
from plugsock.model import Raw

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


class Circle(Struct, tag=True):
    radius: Annotated[float, Meta(gt=0)]


class Square(Struct, tag="square"):
    side: int


class Box(Struct, Generic[T]):
    value: T
    inner: "Box[T] | None" = None


class Row(Struct, array_like=True, tag=3):
    sku: str
    count: int = 1
    note: str | UnsetType = UNSET


class Tree(Struct):
    name: str
    trees: list["Tree"]


class Forever(Struct):
    next: "Forever"


class Left(Struct):
    right: "Right | None" = None


class Right(Struct):
    left: Left
    more: dict[str, "Right"]


class Even(Struct):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("an odd one")


class Never(Struct):
    number: int

    def __post_init__(self) -> None:
        raise ValueError("not like this")


class Place(NamedTuple):
    x: float
    y: float = 0.0


class Half(TypedDict, total=False):
    sku: str


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Camel(Struct, rename="camel", forbid_unknown_fields=True):
    customer_name: str
    first_email: str


TYPES = [
    *(None, bool, int, float, str, bytes, bytearray, Any, msgspec.Raw),
    *(dt.datetime, dt.date, dt.time, dt.timedelta, uuid.UUID, decimal.Decimal),
    *(Colour, Level, Literal["a", 3] | None, Circle | None, Row | None, list[Circle], tuple[int, str], tuple[int, ...]),
    *(set[Colour], frozenset[int], dict[str, Tree], dict[uuid.UUID, int], dict[Literal["a", "b"], int]),
    *(Circle, Square, Box[int], Box[list[str]], Row, Tree, Right, Even, Place, Half, Point, Camel),
    Annotated[int, Meta(ge=5, lt=9, multiple_of=3)],
    Annotated[int, Meta(gt=2**62)],
    Annotated[int, Meta(lt=-(2**62))],
    Annotated[float, Meta(gt=0, lt=0.001)],
    Annotated[float, Meta(ge=0, multiple_of=0.1)],
    Annotated[str, Meta(pattern=r"^[A-Z]{2}-\d{4}$")],
    Annotated[str, Meta(pattern=r"^[^a-z\s]+\W$", min_length=4, max_length=8)],
    Annotated[str, Meta(min_length=50, max_length=60)],
    Annotated[str, Meta(max_length=0)],
    Annotated[bytes, Meta(min_length=3, max_length=3)],
    Annotated[list[int], Meta(min_length=7)],
    Annotated[list[int], Meta(max_length=1)],
    Annotated[set[bool], Meta(min_length=2)],
    Annotated[dict[str, int], Meta(min_length=5, max_length=6)],
    Annotated[dt.datetime, Meta(tz=True)],
    Annotated[dt.datetime, Meta(tz=False)],
    Annotated[dt.time, Meta(tz=True)],
    Annotated[dt.time, Meta(tz=False)],
]


@pytest.mark.parametrize("type", TYPES, ids=str)
def test_it_fits_and_stays_the_same(type):
    maker = Maker(type)

    for number in range(20):
        made = msgspec.json.encode(maker.make(seed("e", b"", number)))
        msgspec.json.decode(made, type=type)
        assert made == msgspec.json.encode(Maker(type).make(seed("e", b"", number)))


def test_other_seeds_make_other_values():
    maker = Maker(Tree)

    assert len({msgspec.json.encode(maker.make(seed("e", b"", number))) for number in range(20)}) > 10


def test_all_members_of_a_union_come_and_so_does_nothing():
    made = {type(Maker(Circle | Square | None).make(seed("e", b"", number))) for number in range(50)}

    assert made == {Circle, Square, type(None)}


def test_what_has_a_default_is_mostly_made_up_and_now_and_then_left_out():
    sizes = {len(Maker(Half).make(seed("e", b"", number))) for number in range(50)}

    assert sizes == {0, 1}


def test_fields_are_called_what_they_are_called_and_hold_what_that_suggests():
    made = msgspec.to_builtins(Maker(Camel).make(seed("e", b"")))

    assert list(made) == ["customerName", "firstEmail"]
    assert "@" in made["firstEmail"]
    assert " " in made["customerName"]


def test_bytes_that_nobody_decodes_are_json_all_the_same():
    assert isinstance(Maker(Raw).make(seed("e", b"")), Raw)
    assert "made_up" in msgspec.json.decode(Maker(Raw).make(seed("e", b"")))


def test_a_large_type_makes_no_endless_value():
    wide = msgspec.defstruct("Wide", [(f"f{n}", list[Tree]) for n in range(30)])

    assert len(msgspec.json.encode(Maker(wide).make(seed("e", b"")))) < 200 * LARGEST


def test_what_contains_itself_is_not_deeper_than_it_may_be():
    def depth(tree):
        return 1 + max(map(depth, tree.trees), default=0)

    assert max(depth(Maker(Tree).make(seed("e", b"", number))) for number in range(30)) <= DEEPEST + 1


@pytest.mark.parametrize(
    ("type", "why"),
    [
        (Forever, "no value of `Forever` can be made up: it would never end"),
        (list[Never], "no value of `list[Never]` could be made up: not like this"),
        (
            Annotated[set[bool], Meta(min_length=3)],
            "no value of `set[bool]` could be made up: there are no 3 different",
        ),
        (Annotated[str, Meta(pattern="^a$", min_length=2)], "no value of `str` could be made up: nothing was found"),
        (
            Annotated[str, Meta(pattern="(?<!a)b", max_length=0)],
            "no value of `str` could be made up: nothing was found",
        ),
        (Annotated[int, Meta(gt=1, lt=2)], "no value of `int` could be made up: no number is within its bounds"),
        (msgspec.msgpack.Ext, "no value of `Ext` can be made up"),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_what_can_not_be_made_up_is_said(type, why):
    with pytest.raises(CantMakeUp, match="^" + why.replace("[", r"\[")):
        Maker(type).make(seed("e", b""))


def test_heights_are_those_of_the_smallest_values():
    def height(type):
        info = msgspec.inspect.type_info(type)
        return Heights(info).of(info)

    assert [height(each) for each in (int, list[Tree], Tree, Circle | None, Forever, Forever | None)] == [
        *(0, 0, 1, 0, ENDLESS, 0)
    ]
    assert height(tuple[Tree, tuple[Circle]]) == 3
    assert height(Annotated[dict[str, Tree], Meta(min_length=1)]) == 2
    assert height(Right) == 2


PROGRAM = """
import sys, msgspec
sys.path[:0] = {path!r}
from mock.test_values import TYPES
from plugsock.mock.seeds import seed
from plugsock.mock.values import Maker
for type in TYPES:
    print(msgspec.json.encode(Maker(type).make(seed("e", b"x"))).decode())
"""


def test_another_process_makes_up_the_same():
    def lines(hash_seed):
        path = str(Path(__file__).parents[1])
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        program = PROGRAM.format(path=[path])
        return subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
        ).stdout

    one = lines("1")
    assert len(one.splitlines()) == len(TYPES)
    assert lines("2") == one
