"""The client and the server of the product, talking to each other."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, aclosing

import msgspec
import pytest

from plugsock import Error, connect
from plugsock.client import Backoff
from plugsock.errors import Disconnected
from plugsock.model import Raw
from support.server import running

ORDERS = '''
import asyncio
from collections.abc import AsyncIterator
from msgspec import Struct
from plugsock import Error, Socket, plug

left = asyncio.Event()

class Order(Struct):
    sku: str
    count: int = 1

class Receipt(Struct):
    number: int

@plug
async def place(socket: Socket, order: Order) -> Receipt:
    """Place an order."""
    if order.sku == "moon":
        raise Error("out_of_stock", "We have no moon left.", retry=True, after=1.5, data={"sku": order.sku})
    socket.send("orders.thanks", order)
    return Receipt(17)

@plug
async def numbers(upto: int) -> AsyncIterator[int]:
    """Count."""
    try:
        for number in range(upto):
            yield number
    finally:
        left.set()

@plug
async def until_left() -> None:
    """Wait until somebody has left."""
    await left.wait()
'''


LIVE = '''
from msgspec import Struct
from plugsock import Error, Server, plug, topic, view

topic("room.*", history=10, presence=True)
stock = {}

class Stock(Struct):
    counts: dict[str, int]
    note: str = "what there is, from the shelf to the cellar and from the cellar to the shelf"

@plug
async def put(server: Server, sku: str, count: int) -> None:
    """Put something on the shelf."""
    stock[sku] = count
    server.changed("stock")

@plug
async def say(server: Server, room: str, text: str) -> None:
    """Say something in a room."""
    server.publish(f"room.{room}", "room.said", text)

@view(on="stock")
async def shelf(least: int = 0) -> Stock:
    """What is on the shelf."""
    if "moon" in stock:
        raise Error("out_of_stock", "We have no moon.")
    return Stock({sku: count for sku, count in sorted(stock.items()) if count >= least})
'''


class Stock(msgspec.Struct):
    counts: dict[str, int]
    note: str


class Order(msgspec.Struct):
    sku: str
    count: int = 1


class Receipt(msgspec.Struct):
    number: int


@pytest.fixture
async def server(tmp_path):
    async with running(tmp_path / "plugs", orders=ORDERS) as server:
        yield server


@pytest.mark.parametrize("format", ["json", "msgpack"])
async def test_calls_pushes_errors_and_raw_bytes_work_in_either_format(server, format):
    async with connect(server.url, format=format) as socket:
        pushes = socket.pushes()

        assert await socket.call("orders.place", Order("tea", 2), type=Receipt) == Receipt(17)
        push = await anext(pushes)
        assert (push.topic, push.event, push.data) == (None, "orders.thanks", {"sku": "tea", "count": 2})

        with pytest.raises(Error) as refused:
            await socket.call("orders.place", Order("moon"))
        error = refused.value
        assert (error.code, error.message) == ("out_of_stock", "We have no moon left.")
        assert (error.retry, error.after, error.data) == (True, 1.5, {"sku": "moon"})

        with pytest.raises(Error) as refused:
            await socket.call("orders.place", {"sku": "tea", "count": "two"})
        assert (refused.value.code, refused.value.path) == ("bad_payload", "$.count")

        assert await socket.call("echo", Raw(b"\x00\xff", "msgpack"), type=Raw) == b"\x00\xff"


async def test_a_stream_of_many_items_comes_whole_whatever_the_credit(server):
    async with connect(server.url) as socket:
        for credit in (1, 2, 3, 32, 1000):
            stream = socket.stream("orders.numbers", {"upto": 100}, credit=credit, type=int)
            assert [number async for number in stream] == list(range(100))


async def test_leaving_a_stream_ends_it_in_the_plug(server):
    async with connect(server.url) as socket:
        async with aclosing(socket.stream("orders.numbers", {"upto": 1_000_000})) as stream:
            assert [await anext(stream) for _ in range(3)] == [0, 1, 2]

        await socket.call("orders.until_left")
        assert await socket.ping() > 0


async def test_a_client_without_hello_is_served_the_same(server):
    async with connect(server.url, hello=False) as socket:
        assert socket.welcome == {}
        assert await socket.call("math.add", {"a": 1, "b": 2}) == 3


async def test_a_session_knows_its_limits(server):
    async with connect(server.url) as socket:
        assert socket.welcome["resumed"] is False
        assert socket.welcome["limits"]["calls"] == 128


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_of_the_server_is_waited_out(tmp_path, end):
    flags = ("--workers", "1")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(tmp_path / "plugs", *flags, live=LIVE))
        client = await stack.enter_async_context(connect(first.url, backoff=Backoff(0.05, 0.1)))
        view = await stack.enter_async_context(client.view("live.shelf", type=Stock))
        topic = await stack.enter_async_context(client.topic("room.kitchen"))
        await client.call("live.put", {"sku": "tea", "count": 3})
        while (await anext(view)).counts != {"tea": 3}:
            pass

        first.send(end)
        await first.end()
        put = asyncio.get_running_loop().create_task(client.call("live.put", {"sku": "milk", "count": 1}))
        await stack.enter_async_context(running(tmp_path / "plugs", *flags, "--port", str(first.port)))

        await put  # it has waited
        while (await anext(view)).counts != {"milk": 1}:  # a server that was started anew remembers nothing
            pass
        await client.call("live.say", {"room": "kitchen", "text": "Tea?"})
        assert (await anext(topic)).data == "Tea?"
        assert (client.state, view.status, topic.recovered) == ("open", "live", False)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX'")
async def test_when_the_server_stops_the_client_is_told_when_to_come_back_and_that_it_may(server):
    notices = []
    async with connect(server.url, reconnect=False) as socket:
        socket.on_notice(lambda name, data: notices.append((name, data["retry_ms"] > 0)))
        pushes = socket.pushes()
        server.send(signal.SIGTERM)

        with pytest.raises(Disconnected) as gone:
            await anext(pushes)

    assert gone.value.code == 4000
    assert notices == [("goodbye", True)]


async def test_compressed_messages_are_understood(tmp_path):
    async with (
        running(tmp_path / "plugs", "--compression") as server,
        connect(server.url, compression=True) as socket,
    ):
        assert await socket.call("echo", "tea" * 10_000) == "tea" * 10_000


@pytest.fixture
async def live(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", live=LIVE) as server:
        yield server


@pytest.mark.parametrize("patch", [False, True])
@pytest.mark.parametrize("format", ["json", "msgpack"])
async def test_a_view_follows_what_changes_in_either_format_whole_or_by_patches(live, format, patch):
    async with (
        connect(live.url, format=format) as socket,
        socket.view("live.shelf", {"least": 2}, type=Stock, patch=patch) as view,
    ):
        assert (await anext(view)).counts == {}
        await socket.call("live.put", {"sku": "tea", "count": 3})
        assert (await anext(view)).counts == {"tea": 3}
        await socket.call("live.put", {"sku": "milk", "count": 2})
        assert (await anext(view)).counts == {"milk": 2, "tea": 3}
        await socket.call("live.put", {"sku": "tea", "count": 1})
        assert (await anext(view)).counts == {"milk": 2}
        assert (view.status, view.error) == ("live", None)


async def test_a_view_that_fails_keeps_its_value_and_a_swap_changes_it(live):
    async with connect(live.url) as socket, socket.view("live.shelf", type=Stock) as view:
        statuses: asyncio.Queue[str] = asyncio.Queue()
        view.subscribe(lambda _value, status: statuses.put_nowait(status))
        await anext(view)
        assert await statuses.get() == "live"

        await socket.call("live.put", {"sku": "moon", "count": 1})
        assert await statuses.get() == "error"
        assert (view.value.counts, view.error.code) == ({}, "out_of_stock")

        live.save("live.py", LIVE.replace('"moon"', '"sun"').replace("from the shelf", "from the roof"))
        assert "from the roof" in (await anext(view)).note
        assert view.status == "live"


async def test_a_view_that_there_is_not_or_that_is_asked_wrongly_says_so(live):
    async with connect(live.url) as socket:
        for event, args, code in (
            ("live.roof", None, "not_found"),
            ("live.shelf", {"least": "many"}, "bad_payload"),
        ):
            async with socket.view(event, args) as view:
                with pytest.raises(Error) as refused:
                    await anext(view)
            assert refused.value.code == code


async def test_a_topic_tells_who_is_there_and_what_is_said(live):
    async with connect(live.url) as ada, connect(live.url) as bob:
        news: asyncio.Queue[str] = asyncio.Queue()
        ada.on_notice(lambda name, _data: news.put_nowait(name))
        async with ada.topic("room.kitchen") as topic:
            assert len(topic.members) == 1
            async with bob.topic("room.kitchen") as same:
                assert len(same.members) == 2
                assert await news.get() == "presence"
                assert len(topic.members) == 2

                await ada.call("live.say", {"room": "kitchen", "text": "Tea?"})
                pushes = [await anext(topic), await anext(same)]
                assert [(push.topic, push.event, push.data) for push in pushes] == [
                    ("room.kitchen", "room.said", "Tea?")
                ] * 2
                assert topic.position == same.position == pushes[0].position

            assert await news.get() == "presence"
            assert len(topic.members) == 1


async def test_who_comes_back_to_a_topic_gets_what_was_said_meanwhile_or_hears_of_the_hole(live):
    async with connect(live.url) as ada, connect(live.url) as bob, bob.topic("room.kitchen"):
        async with ada.topic("room.kitchen") as topic:
            position = topic.position
        await bob.call("live.say", {"room": "kitchen", "text": "Tea?"})
        await bob.call("live.say", {"room": "kitchen", "text": "Yes!"})

        async with ada.topic("room.kitchen", at=position) as topic:
            assert topic.recovered
            assert [(await anext(topic)).data for _ in range(2)] == ["Tea?", "Yes!"]

        for number in range(11):
            await bob.call("live.say", {"room": "kitchen", "text": str(number)})
        async with ada.topic("room.kitchen", at=position) as topic:
            assert not topic.recovered


async def test_a_topic_that_no_rule_lets_anybody_join_is_not_found(live):
    async with connect(live.url) as socket:
        with pytest.raises(Error, match="not_found"):
            async with socket.topic("cellar"):
                pass
