"""The client and the server of the product, talking to each other."""

import signal
import sys
from contextlib import aclosing

import msgspec
import pytest

from plugsock import Error, connect
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


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX'")
async def test_when_the_server_stops_the_client_is_told_when_to_come_back_and_that_it_may(server):
    notices = []
    async with connect(server.url) as socket:
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
