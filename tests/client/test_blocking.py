import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from queue import Queue

import msgspec
import pytest

from plugsock.client import Client, Topic, View, blocking
from plugsock.client.blocking import connect
from plugsock.errors import Disconnected, Error, PlugsockError
from support.server import running

PLUGS = '''
import asyncio
from collections.abc import AsyncIterator
from msgspec import Struct
from plugsock import Error, Server, Socket, plug, topic, view

topic("room.*", history=10, presence=True)
stock = {}
left = asyncio.Event()

class Order(Struct):
    sku: str
    count: int = 1

@plug
async def place(order: Order) -> Order:
    """Place an order."""
    if order.sku == "moon":
        raise Error("out_of_stock", "We have no moon left.")
    return order

@plug
async def feed(upto: int) -> AsyncIterator[int]:
    """Count, and then wait."""
    try:
        for number in range(upto):
            yield number
        await asyncio.Event().wait()
    finally:
        left.set()

@plug
async def until_left() -> None:
    """Wait until somebody has left."""
    await left.wait()

@plug
async def put(server: Server, sku: str, count: int) -> None:
    """Put something on the shelf."""
    stock[sku] = count
    server.changed("stock")

@plug
async def say(server: Server, socket: Socket, text: str) -> None:
    """Say something in the kitchen, and to oneself."""
    server.publish("room.kitchen", "room.said", text)
    socket.send("echo.said", text)

@view(on="stock")
async def shelf() -> dict[str, int]:
    """What is on the shelf."""
    return stock
'''


class Order(msgspec.Struct):
    sku: str
    count: int = 1


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server, on a loop of its own, as its tests are plain functions."""
    started: Queue = Queue()
    over = threading.Event()

    async def serve():
        async with running(tmp_path_factory.mktemp("shop") / "plugs", "--workers", "1", shop=PLUGS) as server:
            started.put(server.url)
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield started.get(timeout=30)
    finally:
        over.set()
        thread.join()


@pytest.fixture
def client(url):
    with connect(url) as client:
        yield client


def test_calls_return_values_of_their_type_or_raise(client):
    assert client.call("shop.place", Order("tea", 2), type=Order) == Order("tea", 2)
    with pytest.raises(Error, match="out_of_stock"):
        client.call("shop.place", Order("moon"))


def test_a_stream_is_a_loop_and_leaving_it_cancels_it(client):
    seen = []
    for item in client.stream("shop.feed", {"upto": 3}, type=int):
        seen.append(item)
        if len(seen) == 3:
            break

    client.call("shop.until_left")
    assert seen == [0, 1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
def test_ctrl_c_ends_a_wait_and_leaves_the_client_as_it_was(client):
    def wait_for_items():
        for _ in client.stream("shop.feed", {"upto": 1}):
            interrupt_soon()

    def wait_for_values():
        with client.view("shop.shelf") as view:
            for _ in view:
                interrupt_soon()

    def interrupt_soon():
        threading.Timer(0.0, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        wait_for_items()
    with pytest.raises(KeyboardInterrupt):
        wait_for_values()
    client.call("shop.until_left")
    assert client.call("math.add", {"a": 1, "b": 2}) == 3


def test_a_view_is_a_loop_over_its_values(client):
    told: Queue = Queue()
    with client.view("shop.shelf", type=dict[str, int], patch=True) as view:
        forget = view.subscribe(lambda value, status: told.put((value, status)))
        seen = []
        for value in view:
            seen.append(value)
            if len(seen) == 2:
                break
            client.call("shop.put", {"sku": "tea", "count": 3})
        forget()

        assert seen == [{}, {"tea": 3}]
        assert (view.event, view.value, view.status, view.error) == ("shop.shelf", {"tea": 3}, "live", None)
        assert told.get(timeout=10)[1] == "live"
    assert view.status == "stale"
    assert list(view) == []


def test_a_topic_is_a_loop_over_its_pushes(client):
    heard: Queue = Queue()
    client.on("echo.said", heard.put)
    pushes = client.pushes()
    with client.topic("room.kitchen") as kitchen:
        kitchen.on("room.said", heard.put)
        client.call("shop.say", {"text": "Tea?"})

        assert next(kitchen).data == "Tea?"
        assert {next(pushes).event for _ in range(2)} == {"room.said", "echo.said"}
        assert [heard.get(timeout=10) for _ in range(2)] == ["Tea?"] * 2
        assert len(kitchen.members) == 1
        position = kitchen.position
    client.call("shop.say", {"text": "Yes!"})
    with client.topic("room.kitchen", at=position) as kitchen:
        assert kitchen.recovered
        assert next(kitchen).data == "Yes!"


def test_many_threads_use_one_client(client):
    results: Queue = Queue()
    threads = [threading.Thread(target=lambda n=n: results.put(client.call("echo", n))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results.queue) == list(range(20))


def test_what_it_knows_can_be_asked(client):
    assert (client.state, client.user, client.permissions, client.mocked) == ("open", None, [], [])
    assert client.welcome["resumed"] is False
    assert client.ping() > 0
    with pytest.raises(Error, match="unauthorized"):
        client.refresh("s3cret")


def test_who_waits_when_it_is_closed_is_told(url):
    outcomes: Queue = Queue()
    client = connect(url)

    def wait():
        try:
            for item in client.stream("shop.feed", {"upto": 1}):
                outcomes.put(item)
        except Disconnected as error:
            outcomes.put(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert outcomes.get(timeout=10) == 0
    states: Queue = Queue()
    client.on_state(lambda state, _why: states.put(state))
    client.close()
    client.close()
    thread.join()

    assert isinstance(outcomes.get(timeout=10), Disconnected)
    assert (states.get(timeout=10), client.state) == ("closed", "closed")
    with pytest.raises(Disconnected):
        client.call("echo")


def test_threads_may_close_it_at_once(url):
    client = connect(url)
    failures: Queue = Queue()

    def close():
        try:
            client.close()
        except BaseException as error:
            failures.put(error)

    threads = [threading.Thread(target=close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures.empty()
    assert client.state == "closed"


def test_a_loop_may_be_left_after_the_client_was_closed(url):
    client = connect(url)
    for _ in client.stream("shop.feed", {"upto": 3}):
        client.close()
        break

    assert client.state == "closed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_was_forked_off_is_told_and_takes_nothing_from_the_other(url):
    outcome = script(
        f"""
        import os
        client = connect({url!r})
        if os.fork() == 0:
            try:
                client.call("shop.place", {{"sku": "tea"}})
            except Disconnected as error:
                print(error, flush=True)
            client.close()
            os._exit(0)
        os.wait()
        print(client.call("shop.place", {{"sku": "tea"}})["count"])
        client.close()
        """
    )
    assert (outcome.stdout, outcome.stderr) == ("The connection is another process's\n1\n", "")


def test_a_program_may_end_while_a_stream_is_open(url):
    outcome = script(
        f"""
        client = connect({url!r})
        items = client.stream("shop.feed", {{"upto": 3}})
        print(next(items))
        """
    )
    assert (outcome.stdout, outcome.stderr) == ("0\n", "")


def script(source):
    """Run a program."""
    head = "from plugsock.client.blocking import connect\nfrom plugsock.errors import Disconnected\n"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", head + textwrap.dedent(source)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


def test_a_callback_can_not_wait_for_the_client(client):
    outcomes: Queue = Queue()

    def callback(_data):
        try:
            client.call("echo")
        except PlugsockError as error:
            outcomes.put(str(error))

    forget = client.on("echo.said", callback)
    client.call("shop.say", {"text": "hi"})
    forget()

    assert "hand over to another thread" in outcomes.get(timeout=10)


def test_nobody_listening_is_one_clear_error_and_leaves_no_thread():
    before = threading.active_count()
    with pytest.raises(Disconnected, match="No connection to"):
        connect("ws://127.0.0.1:1")

    assert threading.active_count() == before


def test_it_has_every_word_of_the_other_client():
    for mine, other in ((blocking.Client, Client), (blocking.Topic, Topic), (blocking.View, View)):
        words = {name for name in vars(other) if not name.startswith("_")}
        inner = {"begin", "answered", "returned", "put", "changed", "expel", "lose", "leave", "away", "back", "fail"}
        assert words - inner - {"is_joined", "is_out", "is_over"} <= {
            name for kind in mine.__mro__ for name in vars(kind)
        }
