"""What clients can see of a catalogue."""

import msgspec

from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.routes import Routes
from plugsock.loader.signature import Mode
from plugsock.model import Kind, Raw, TopicRule
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Group
from plugsock.shapes.events import only, read
from support.folder_shapes import loaded, shapes

ORDERS = '''
from plugsock import authenticate, on_connect, Hello

topic("room.*", requires="rooms.read:{*}", presence=True)

class Order(Struct):
    sku: str

@plug(requires="orders.write")
async def place(order: Order) -> int:
    """Place an order.

    Soon:
      - Indented.
    """

@view(on="orders", every=60)
async def summary(user: User, day: str = "today") -> dict[str, int]:
    """What there is."""

@plug
async def tail(socket: Socket, n: int):
    yield n

@plug
async def upload(data: Raw) -> Raw:
    return data

@authenticate
async def who(hello: Hello) -> User | None: ...

@on_connect
async def come(socket: Socket) -> None: ...
'''


def by_name(found):
    return {event.name: event for event in found.events}


def test_what_no_client_can_call_is_left_out(tmp_path):
    assert list(by_name(shapes(tmp_path, orders=ORDERS))) == [
        f"orders.{n}" for n in ("place", "summary", "tail", "upload")
    ]


def test_each_event_has_its_kind_its_whole_docstring_and_its_place(tmp_path):
    events = by_name(shapes(tmp_path, orders=ORDERS))

    place = events["orders.place"]
    assert place.doc == "Place an order.\n\nSoon:\n  - Indented."
    assert place.requires == (("orders.write",),)
    assert place.place == f"{tmp_path}/orders.py:12"
    assert [events[f"orders.{n}"].kind for n in ("place", "summary", "tail")] == [Kind.CALL, Kind.VIEW, Kind.STREAM]
    assert events["orders.summary"].view.audience == "user"
    assert events["orders.tail"].doc == ""


def test_the_types_are_those_that_msgspec_decodes_into(tmp_path):
    events = by_name(shapes(tmp_path, orders=ORDERS))

    assert events["orders.place"].mode is Mode.WHOLE
    assert events["orders.place"].input.__name__ == "Order"
    assert events["orders.place"].output is int
    [day] = msgspec.structs.fields(events["orders.summary"].input)
    assert (day.encode_name, day.type, day.default) == ("day", str, "today")
    assert (events["orders.upload"].input, events["orders.upload"].output) == (Raw, Raw)


def test_it_says_what_can_be_called_without_a_payload(tmp_path):
    optional = {event.name: event.is_optional for event in shapes(tmp_path, orders=ORDERS).events}

    assert optional == {
        "orders.place": False,
        "orders.summary": True,
        "orders.tail": False,
        "orders.upload": True,
    }


def test_it_says_what_the_one_parameter_is_called_that_is_the_payload(tmp_path):
    text = """
    class Order(Struct):
        sku: str

    @plug
    async def whole(socket: Socket, order: Order) -> None: ...

    @plug
    async def raw(data: Raw) -> None: ...

    @plug
    async def fields(order: Order, count: int) -> None: ...
    """

    found = {event.name: event.parameter for event in shapes(tmp_path, p=text).events}
    assert found == {"p.whole": "order", "p.raw": "data", "p.fields": ""}


def test_rules_for_topics_are_told_apart(tmp_path):
    [topic] = shapes(tmp_path, orders=ORDERS).topics

    assert topic.rule == TopicRule("room.*", presence=True)
    assert topic.requires == (("rooms.read:{*}",),)


def test_the_digest_is_the_one_that_the_gateway_says(tmp_path):
    routes = Routes(Deadlines(), Ledger(), timeout_s=30.0, is_mocked=lambda _: False)
    assert shapes(tmp_path).digest == routes.shapes

    with loaded(tmp_path, orders=ORDERS) as catalog:
        routes.commit([Group("1", [plug.announcement for plug in catalog.values()], [], [])])

        assert read(catalog).digest == routes.shapes


def test_some_of_the_events_keep_the_digest_of_all(tmp_path):
    found = shapes(tmp_path, orders=ORDERS)

    some = only(found, ["orders.tail", "nosuch"])

    assert list(by_name(some)) == ["orders.tail"]
    assert (some.topics, some.digest) == ((), found.digest)
