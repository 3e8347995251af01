"""Every shape that a plug's signature can have; never run, only read."""

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Generator, Iterable, Iterator
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypedDict, TypeVar

from msgspec import Meta, Struct

from plugsock import Raw, Server, Socket, User, blocking


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Order(Struct):
    sku: str
    count: Annotated[int, Meta(ge=1, le=100)] = 1


class Circle(Struct, tag="circle"):
    radius: float


class Square(Struct, tag="square"):
    side: float


T = TypeVar("T")


class Page(Struct, Generic[T]):
    rows: list[T]
    next: int = 0


class Tree(Struct):
    name: str
    children: list["Tree"] = []


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Options(TypedDict, total=False):
    loud: bool
    times: int


class Pair(NamedTuple):
    left: int
    right: int


class Foreign:
    pass


class Unknown(Struct):
    thing: "Nowhere"  # noqa: F821


class Hostile:
    def __repr__(self):
        raise RuntimeError


# Fields


async def nothing() -> None: ...
async def bare(): ...
async def one(name: str) -> str: ...
def plain(name: str, times: int = 1) -> list[str]: ...
async def keyword(a: int, *, b: int = 2) -> int: ...
async def unannotated(a, b=1): ...
async def mutable(tags: list[str] = ["a"], seen: set[int] = set(), point: Point = Point(1.0)) -> Any: ...  # noqa: B006, B008
async def blob(data: bytes) -> bytes: ...
async def rich(
    when: dt.datetime,
    id: uuid.UUID,
    price: decimal.Decimal,
    colour: Colour = Colour.RED,
    mode: Literal["fast", "slow"] = "fast",
    limit: Annotated[int, Meta(ge=0)] | None = None,
    either: int | str = 0,
) -> dict[str, int]: ...
async def nested(order: Order, note: str = "") -> Order: ...
async def pair(pair: Pair) -> Pair: ...
async def forward(names: list["str"], later: "Order | None" = None) -> "Order": ...
async def odd_names(self: int, cls: int, value: int, function: int, f0: int, __class__: int) -> None: ...
async def hostile_default(thing: Any = Hostile()) -> None: ...  # noqa: B008
async def immutable(pair: tuple[int, int] = (1, 2), names: frozenset[str] = frozenset("a")) -> tuple[int, ...]: ...
async def extra_long(text: str = "x" * 100) -> None: ...


# Handed in


async def with_socket(socket: Socket, name: str) -> None: ...
async def with_all(name: str, server: Server, *, user: User, socket: Socket) -> None: ...
async def maybe_user(user: User | None, name: str = "") -> None: ...
async def old_optional_user(me: Optional[User] = None) -> None: ...  # noqa: UP045
async def only_socket(who: Socket) -> None: ...
async def awaited_server(server: Server | None) -> None: ...
async def awaited_stream(server: Server) -> AsyncIterator[int]:
    yield 1


def blocked_server(server: blocking.Server, name: str = "") -> None: ...
def blocked_stream(server: "blocking.Server | None") -> Iterator[int]:
    yield 1


async def server_that_blocks(name: str, everybody: blocking.Server) -> None: ...
async def stream_that_blocks(everybody: blocking.Server | None = None) -> AsyncIterator[int]:
    yield 1


def server_that_nobody_awaits(name: str, everybody: Server) -> None: ...
def stream_that_nobody_awaits(*, everybody: Server | None = None) -> Iterator[int]:
    yield 1


# Whole


async def whole(order: Order) -> Order: ...
async def whole_dataclass(point: Point) -> Point: ...
async def whole_typed_dict(options: Options) -> Options: ...
async def whole_optional(order: Order | None) -> None: ...
async def whole_default(order: Order = Order("tea")) -> None: ...  # noqa: B008
async def whole_default_none(order: Order | None = None) -> None: ...
async def whole_generic(page: Page[Order]) -> int: ...
async def whole_union(shape: Circle | Square) -> float: ...
async def whole_annotated(order: Annotated[Order, Meta(description="an order")], socket: Socket) -> None: ...
async def whole_keyword(*, order: Order) -> None: ...
async def whole_tree(tree: Tree) -> Tree: ...


# Raw


async def raw(payload: Raw) -> Raw: ...
async def raw_and_socket(socket: Socket, payload: Raw) -> None: ...


# Streams


async def ticks(n: int = 3) -> AsyncIterator[int]:
    yield n


async def ticks_generator() -> AsyncGenerator[Order, None]:
    yield Order("tea")


async def ticks_iterable() -> AsyncIterable[str]:
    yield ""


async def ticks_bare() -> AsyncIterator:
    yield 1


async def ticks_unannotated():
    yield 1


def lines(n: int = 3) -> Iterator[str]:
    yield ""


def lines_generator() -> Generator[str, None, None]:
    yield ""


def lines_iterable() -> Iterable[str]:
    yield ""


# What can't work


async def positional(name: str, /) -> None: ...
async def star(*names: str) -> None: ...
async def stars(**names: str) -> None: ...
async def raw_mixed(payload: Raw, name: str) -> None: ...
async def unknown_name(name: "Nowhere") -> None: ...  # noqa: F821
async def unknown_result(name: str) -> "Nowhere": ...  # noqa: F821
async def foreign(thing: Foreign) -> None: ...
async def foreign_result() -> list[Foreign]: ...
async def untagged(shape: Order | Tree) -> None: ...
async def not_a_type(name: 3) -> None: ...
async def half_a_type(name: "list[") -> None: ...  # noqa: F722
async def unknown_field(order: Unknown) -> None: ...
async def no_stream() -> AsyncIterator[int]: ...
def no_plain_stream() -> Iterator[int]: ...
def forgotten_await() -> Awaitable[int]: ...


async def wrong_stream() -> int:
    yield 1


def plain_stream_says_async() -> AsyncIterator[int]:
    yield 1
