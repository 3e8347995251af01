"""What staff can do: see the orders that wait, hear of new ones, say which are served, and look through all."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from plugs._books import books
from plugs.shop import Cups, Name, Number
from plugsock import Error, blocking, plug, topic, view

Takings = Annotated[int, Meta(ge=0, le=100_000_000)]

topic("kitchen", requires="orders.read", history=20, presence=True)

LOOK = "SELECT number, orders.name, teas.name, count, placed FROM orders JOIN teas USING (sku)"


class Placed(Struct, frozen=True):
    """An order that somebody has placed."""

    number: Number
    name: Name
    tea: Name
    count: Cups
    placed: Annotated[datetime, Meta(tz=True)]


class Board(Struct, frozen=True):
    """How the day is going.

    Attributes:
        waiting: The oldest first; the first thirty, if there are more.
        served: How many orders are done.
        cents: What all of them come to.
    """

    waiting: Annotated[list[Placed], Meta(max_length=30)]
    served: Annotated[int, Meta(ge=0, le=1_000_000)]
    cents: Takings


@view(requires="orders.read", on="orders", throttle=0.1, examples=[{}])
def board() -> Board:
    """Which orders wait, and how the day is going."""
    with books() as found:
        waiting = [_placed(row) for row in found.execute(f"{LOOK} WHERE NOT served ORDER BY number LIMIT 30")]
        served, cents = found.execute("SELECT coalesce(sum(served), 0), coalesce(sum(cents), 0) FROM orders").fetchone()
    return Board(waiting, served, cents)


@plug(requires="orders.write", idempotent=True)
def serve(server: blocking.Server, number: Number) -> None:
    """Say that an order is served."""
    with books() as found:
        if not found.execute("UPDATE orders SET served = 1 WHERE number = ?", (number,)).rowcount:
            raise Error("no_such_order", f"There is no order {number}.")
    server.changed("orders")


@plug(requires="orders.read")
def history(since: Number = 1) -> Iterator[Placed]:
    """All orders from one on, as long as somebody reads."""
    while row := _next(since):
        yield _placed(row)
        since = row[0] + 1


def _next(since: int) -> tuple | None:
    with books() as found:
        return found.execute(f"{LOOK} WHERE number >= ? ORDER BY number LIMIT 1", (since,)).fetchone()


def _placed(row: tuple) -> Placed:
    number, name, tea, count, placed = row
    return Placed(number, name, tea, count, datetime.fromisoformat(placed))
