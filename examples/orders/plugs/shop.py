"""What everybody can do: see the teas, order some, and watch an order until it is ready."""

from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Annotated

from msgspec import Meta, Struct

from plugs._books import books, create
from plugsock import Error, blocking, on_load, plug, view

Sku = Annotated[str, Meta(pattern="^[a-z]{3,12}$")]
Name = Annotated[str, Meta(min_length=1, max_length=40)]
Cents = Annotated[int, Meta(ge=0, le=1_000_000)]
Cups = Annotated[int, Meta(ge=1, le=12)]
Number = Annotated[int, Meta(ge=1, le=1_000_000)]


class Tea(Struct, frozen=True):
    """A tea that the shop has.

    Attributes:
        cents: What a cup of it costs.
        cups: How many are left.
    """

    sku: Sku
    name: Name
    cents: Cents
    cups: Annotated[int, Meta(ge=0, le=1000)]


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody would like."""

    sku: Sku
    name: Name
    count: Cups = 1


class Receipt(Struct, frozen=True):
    """What was ordered, and what it costs."""

    number: Number
    cents: Cents


class Ticket(Struct, frozen=True):
    """How far an order is.

    Attributes:
        ahead: So many others come first.
    """

    number: Number
    ahead: Annotated[int, Meta(ge=0, le=99)]
    is_ready: bool


TEAS = [Tea("assam", "Assam", 290, 40), Tea("moon", "Moon", 990, 0), Tea("sencha", "Sencha", 340, 24)]


@on_load
def begin() -> None:
    """Open the shop."""
    create()


@view(on="teas", examples=[({}, TEAS)])
def teas() -> list[Tea]:
    """What the shop has."""
    with books() as found:
        rows = found.execute("SELECT sku, name, cents, cups FROM teas ORDER BY name")
        return [Tea(*row) for row in rows]


@plug(examples=[(Order("assam", "Ada", 2), Receipt(7, 580)), Order("sencha", "Grace")])
def order(server: blocking.Server, order: Order) -> Receipt:
    """Order cups of a tea."""
    with books() as found:
        tea = found.execute("SELECT name, cents, cups FROM teas WHERE sku = ?", (order.sku,)).fetchone()
        if tea is None or tea["cups"] < order.count:
            raise Error("out_of_stock", "There is not enough of this tea left.", data={"sku": order.sku})
        found.execute("UPDATE teas SET cups = cups - ? WHERE sku = ?", (order.count, order.sku))
        receipt = _write(found, order, order.count * tea["cents"])
    server.changed("teas", "orders")
    said = {"number": receipt.number, "tea": tea["name"], "count": order.count}
    server.publish("kitchen", "orders.placed", said)
    return receipt


def _write(found: Connection, order: Order, cents: int) -> Receipt:
    written = found.execute(
        "INSERT INTO orders (name, sku, count, cents, placed) VALUES (?, ?, ?, ?, ?)",
        (order.name, order.sku, order.count, cents, datetime.now(UTC).isoformat()),
    )
    return Receipt(written.lastrowid, cents)


@view(on="orders", examples=[{"number": 7}])
def ticket(number: Number) -> Ticket:
    """How far an order is."""
    with books() as found:
        waiting = [row[0] for row in found.execute("SELECT number FROM orders WHERE NOT served ORDER BY number")]
    return Ticket(number, min(99, sum(other < number for other in waiting)), is_ready=number not in waiting)
