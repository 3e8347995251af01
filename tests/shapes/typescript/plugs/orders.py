"""A bit of everything that a signature can say."""

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Generic, Literal, NamedTuple, Required, TypedDict, TypeVar

import msgspec
from msgspec import Meta, Struct

from plugsock import Raw, Server, Socket, plug, topic, view

T = TypeVar("T")

topic("kitchen")
topic("room.*", requires="rooms.read:{*}", history=100, presence=True)


class Colour(enum.Enum):
    """What it looks like."""

    RED = "red"
    DARK_BLUE = "dark blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Circle(Struct, tag="circle"):
    radius: float


class Square(Struct, tag="square", tag_field="kind of it"):
    side: float


class Disc(Struct, tag="disc"):
    radius: float
    colour: Colour | None = None


class Tree(Struct):
    name: str
    children: list["Tree"] = []


class Forest(Struct):
    """It has no defaults, but what is in it does."""

    trees: dict[str, Tree]


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Loud(TypedDict, total=False):
    times: Required[int]
    loud: bool


class Pair(NamedTuple):
    left: int
    right: Annotated[int, Meta(ge=1)] = 3


class Packed(Struct, array_like=True, tag=7, rename={"b": "the other"}):
    a: int
    b: "Packed | None" = None


class Order(Struct, frozen=True):
    """What somebody wants.

    @remarks is no tag, and */ no end.
    """

    sku: Annotated[str, Meta(description="Which thing.", pattern="^[a-z]*/[0-9]$", min_length=1)]
    count: Annotated[int, Meta(ge=1, le=100, examples=[3])] = 1
    at: dt.datetime | None = None


class Page(Struct, Generic[T]):
    items: list[T]
    next: int | msgspec.UnsetType = msgspec.UNSET


class Sparse(Struct, rename="kebab", omit_defaults=True):
    of_bytes: Annotated[bytes, Meta(max_length=3)] = b""
    stock: dict[Colour, Annotated[int, Meta(gt=0)]] = {}


class Empty(Struct): ...


class Record(Struct):
    """It has a name that TypeScript needs."""

    number: int


@plug(requires="orders.write")
async def place(socket: Socket, order: Order) -> Page[Order]:
    """Place an order.

    Twice is fine.
    """


@plug
def price(sku: str, count: Annotated[int, Meta(ge=1)] = 1, tags: list[str] = []) -> decimal.Decimal: ...  # noqa: B006


@plug
async def feed(since: int = 0) -> AsyncIterator[Order]:
    """Orders as they come."""
    yield Order("tea")


@view(requires=["orders.read"])
async def summary(server: Server, day: dt.date) -> dict[str, list[Colour | None]]: ...


@plug
async def upload(payload: Raw) -> Raw: ...


@plug
async def ping() -> None: ...


@plug
async def area(figure: Circle | Disc, level: Level = Level.LOW) -> tuple[Circle | Disc, ...]: ...


@plug
async def plant(tree: Tree, forest: Forest) -> Forest: ...


@plug
async def much(
    pair: Pair,
    packed: Packed,
    loud: Loud,
    empty: Empty,
    sparse: Sparse,
    id: uuid.UUID,
    point: Point,
    square: Square,
    mode: Literal["slow", "fast"] | None,
    table: dict[uuid.UUID, set[int | str]],
    lasts: dt.timedelta,
    opens: dt.time,
) -> list[tuple[Pair, Packed, Loud, Sparse, Point, Empty]]: ...


@plug
async def maybe(order: Order | None = None) -> Any: ...


@plug
async def record(record: Record) -> Record: ...
