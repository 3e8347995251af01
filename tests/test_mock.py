"""A server whose answers are made up, as clients see it."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from support import executable
from support.executable import environment
from support.server import launched, running

pytestmark = pytest.mark.end_to_end

ORDERS = '''
from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import Meta, Struct

from plugsock import plug, view


class Receipt(Struct):
    order: Annotated[str, Meta(pattern=r"^[A-Z]{2}-[0-9]{4}$")]
    customer_name: str
    total: Annotated[float, Meta(ge=0, lt=500)]


@plug(examples=[({"sku": "moon"}, Receipt("MO-0001", "Ada", 0.0))])
async def place(sku: str, count: int = 1) -> Receipt:
    """Place an order."""


@plug
async def follow(order: str) -> AsyncIterator[Receipt]: ...


@view
async def latest(shop: str) -> list[Receipt]:
    return []


@plug
def count(sku: str) -> int:
    return 1000000
'''

TEA = 'orders.place {"sku":"tea"}'


class Client:
    """Somebody with a socket, who says frames and hears them."""

    def __init__(self, socket):
        self._socket = socket

    async def say(self, frame):
        await self._socket.send(frame)

    async def hear(self):
        """The next frame but for notices, as (verb, id, value)."""
        verb = "notice"
        async with asyncio.timeout(30):
            while verb == "notice":
                verb, id, payload = [*(await self._socket.recv()).split(" ", 2), ""][:3]
        return verb, int(id), json.loads(payload or "null")

    async def ask(self, frame):
        """What comes of a call, as (verb, value)."""
        await self.say(frame)
        verb, _, value = await self.hear()
        return verb, value


@asynccontextmanager
async def meeting(server):
    async with connect(server.url) as socket:
        yield Client(socket)


@asynccontextmanager
async def mocking(path, *flags):
    """`plugsock mock` over these plugs."""
    folder = path / "plugs"
    folder.mkdir(exist_ok=True)
    (folder / "orders.py").write_text(ORDERS, encoding="utf-8")
    command = [*executable.command(), "mock", "--plugs", str(folder), "--port", "0", *flags]
    async with launched(command, folder, env=environment(), cwd=path) as server:
        await server.answers()
        yield server


async def test_every_answer_is_made_up_and_fits(tmp_path):
    async with mocking(tmp_path, "--workers", "1") as server, meeting(server) as client:
        assert "made-up answers for *" in server.out
        _, welcome = await client.ask("hello 1 plugsock {}")
        assert welcome["mock"] == ["*"]

        verb, receipt = await client.ask(f"call 2 {TEA}")
        assert (verb, sorted(receipt)) == ("ok", ["customer_name", "order", "total"])
        assert 0 <= receipt["total"] < 500
        assert (await client.ask('call 3 orders.count {"sku":"tea"}'))[1] != 1000000
        assert await client.ask('call 4 orders.place {"sku":"moon"}') == (
            *("ok", {"order": "MO-0001", "customer_name": "Ada", "total": 0.0}),
        )
        verb, error = await client.ask('call 5 orders.place {"sku":5}')
        assert (verb, error["code"], error["path"]) == ("error", "bad_payload", "$.sku")


async def test_the_answer_is_the_same_on_all_workers_and_after_a_new_start(tmp_path):
    found = []
    for flags in (("--workers", "2"), ("--workers", "0")):
        async with mocking(tmp_path, *flags) as server:
            for _ in range(4):
                async with meeting(server) as client:
                    found += [json.dumps(await client.ask(f"call {number} {TEA}")) for number in range(1, 5)]

    assert len(found) == 32
    assert len(set(found)) == 1


@pytest.mark.parametrize("workers", ["0", "1"])
async def test_without_mock_a_shape_is_not_implemented(tmp_path, workers):
    async with running(tmp_path / "plugs", "--workers", workers, orders=ORDERS) as server, meeting(server) as client:
        verb, error = await client.ask(f"call 1 {TEA}")
        assert (verb, error["code"], error["retry"]) == ("error", "not_implemented", False)
        assert error["message"] == "`orders.place` is a shape: it has no body yet."
        assert (await client.ask('call 2 orders.follow {"order":"x"}'))[1]["code"] == "not_implemented"
        assert (await client.ask('call 3 orders.place {"sku":5}'))[1]["code"] == "bad_payload"
        assert await client.ask('call 4 orders.count {"sku":"tea"}') == ("ok", 1000000)
        assert (await client.ask(f"call 5 {TEA.replace(' ', '?mock ', 1)}"))[1]["code"] == "not_implemented"


async def test_what_is_named_is_made_up_and_the_rest_runs(tmp_path):
    flags = ("--workers", "1", "--mock", "orders.place", "--mock", "orders.f*")
    async with running(tmp_path / "plugs", *flags, orders=ORDERS) as server, meeting(server) as client:
        assert (await client.ask(f"call 1 {TEA}"))[0] == "ok"
        assert (await client.ask('call 2 orders.follow {"order":"x"}'))[0] == "item"
        await client.say("cancel 2")
        assert (await client.hear())[:2] == ("error", 2)
        assert await client.ask('call 3 orders.count {"sku":"tea"}') == ("ok", 1000000)


async def test_what_is_said_to_mock_counts_more_than_what_it_says_by_itself(tmp_path):
    flags = ("--workers", "1", "--mock", "orders.place", "--no-dev")
    async with mocking(tmp_path, *flags) as server, meeting(server) as client:
        assert (await client.ask('hello 1 plugsock {"mock":["*"]}'))[1]["mock"] == ["orders.place"]
        assert (await client.ask(f"call 2 {TEA}"))[0] == "ok"
        assert await client.ask('call 3 orders.count {"sku":"tea"}') == ("ok", 1000000)


async def test_a_client_of_a_dev_server_chooses_by_itself(tmp_path):
    flags = ("--workers", "1", "--dev")
    async with running(tmp_path / "plugs", *flags, orders=ORDERS) as server:
        async with meeting(server) as client:
            _, welcome = await client.ask('hello 1 plugsock {"mock":["orders.place"]}')
            assert welcome["mock"] == ["orders.place"]
            assert (await client.ask(f"call 2 {TEA}"))[0] == "ok"
            assert await client.ask('call 3 orders.count {"sku":"tea"}') == ("ok", 1000000)
        async with meeting(server) as client:
            assert (await client.ask(f"call 1 {TEA}"))[1]["code"] == "not_implemented"
            assert (await client.ask(f"call 2 {TEA.replace(' ', '?mock ', 1)}"))[0] == "ok"


GUARDED = """
from plugsock import Hello, User, authenticate, plug


@authenticate
async def who(hello: Hello) -> User | None:
    return User("ada", frozenset({"orders.read"})) if hello.token == "ada" else User("bob", frozenset())


@plug(requires="orders.read")
async def takings() -> int: ...


@plug
async def mine(user: User) -> int: ...
"""

TOTAL = '''
from plugsock import view


@view
async def total() -> int:
    """The total."""
'''

TICKS = '''
from collections.abc import AsyncIterator

from plugsock import plug


@plug
async def ticks() -> AsyncIterator[int]:
    """Tick."""
'''


@pytest.mark.parametrize(("token", "answer"), [("ada", "ok"), ("bob", "forbidden")])
async def test_what_is_made_up_is_for_those_alone_who_may_have_it(tmp_path, token, answer):
    flags = ("--workers", "1", "--mock", "*")
    async with running(tmp_path / "plugs", *flags, shop=GUARDED) as server, meeting(server) as client:
        await client.ask(f'hello 1 plugsock {{"token":"{token}"}}')
        verb, value = await client.ask("call 2 shop.takings {}")
        assert (verb if verb == "ok" else value["code"]) == answer


async def test_where_nobody_is_asked_and_all_is_made_up_everybody_may_have_it(tmp_path):
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs/shop.py").write_text(GUARDED, encoding="utf-8")
    async with mocking(tmp_path, "--workers", "1") as server, meeting(server) as client:
        assert (await client.ask("call 1 shop.takings {}"))[0] == "ok"
        assert (await client.ask("call 2 shop.mine {}"))[0] == "ok"
    async with mocking(tmp_path, "--workers", "1") as server, meeting(server) as client:
        welcome = await client.ask("hello 1 plugsock {}")
        assert (welcome[1]["user"], welcome[1]["permissions"]) == (None, ["*"])
        assert (await client.ask("call 2 shop.takings {}"))[0] == "ok"


@pytest.mark.parametrize("flags", [("--mock", "chat.*"), ("--mock", "*", "--auth", "optional")])
async def test_where_something_is_real_or_somebody_asked_rights_count(tmp_path, flags):
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs/shop.py").write_text(GUARDED, encoding="utf-8")
    async with mocking(tmp_path, "--workers", "1", *flags) as server, meeting(server) as client:
        assert (await client.ask("call 1 shop.takings {}"))[1]["code"] == "unauthorized"


async def test_who_watches_a_shape_sees_its_values_once_it_has_a_body(tmp_path):
    folder = tmp_path / "plugs"
    async with running(folder, "--workers", "1", shop=TOTAL) as server, meeting(server) as client:
        verb, error = await client.ask("watch 1 shop.total {}")
        assert (verb, error["code"]) == ("fault", "not_implemented")
        (folder / "shop.py").write_text(f"{TOTAL}    return 7\n", encoding="utf-8")
        assert await client.hear() == ("item", 1, 7)


async def test_a_made_up_stream_goes_on_when_its_shape_gets_a_body(tmp_path):
    folder = tmp_path / "plugs"
    async with running(folder, "--workers", "1", "--mock", "shop.*", shop=TICKS) as server, meeting(server) as client:
        await client.say("call 1 shop.ticks {}")
        assert (await client.hear())[:2] == ("item", 1)
        (folder / "shop.py").write_text(f"{TICKS}    yield 7\n", encoding="utf-8")
        verb = "item"
        while verb == "item":
            verb, _, _ = await client.hear()
        assert verb == "ok"


async def test_a_stream_has_a_pace(tmp_path):
    async with mocking(tmp_path, "--workers", "1") as server, meeting(server) as client:
        await client.say('call 1 orders.follow {"order":"x"}')
        assert (await client.hear())[0] == "item"
        began = time.monotonic()
        assert (await client.hear())[0] == "item"
        assert time.monotonic() - began > 0.1


async def test_a_view_changes_by_itself_and_a_real_one_does_not(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", "--dev", orders=ORDERS) as server,
        meeting(server) as real,
        meeting(server) as client,
    ):
        assert await real.ask('watch 1 orders.latest {"shop":"x"}') == ("item", [])
        await client.say('watch 1 orders.latest?mock {"shop":"x"}')
        first, second, third = [(await client.hear())[2] for _ in range(3)]
        assert len({json.dumps(each) for each in (first, second, third)}) == 3

        assert await real.ask('call 2 orders.count {"sku":"tea"}') == ("ok", 1000000)


async def test_errors_and_latency_are_made_up(tmp_path):
    flags = ("--workers", "1", "--fault", "latency=100ms,error=100%")
    async with mocking(tmp_path, *flags) as server, meeting(server) as client:
        began = time.monotonic()
        verb, error = await client.ask(f"call 1 {TEA}")
        assert time.monotonic() - began >= 0.1
        assert (verb, error["code"], error["message"]) == ("error", "plug_error", "This error was made up by --fault.")


async def test_a_connection_is_cut_and_a_session_gets_its_answer_all_the_same(tmp_path):
    async with mocking(tmp_path, "--workers", "1", "--fault", "drop=100%") as server:
        async with meeting(server) as client:
            _, welcome = await client.ask("hello 1 plugsock {}")
            with pytest.raises(ConnectionClosed) as closed:
                await client.ask(f"call 2 {TEA}")
            assert closed.value.rcvd.code == 1011
        async with meeting(server) as client:
            hello = {"resume": welcome["resume"], "open": {"2": 0}}
            assert (await client.ask(f"hello 3 plugsock {json.dumps(hello)}"))[1]["resumed"]
            assert (await client.hear())[:2] == ("ok", 2)


async def test_a_fault_that_is_none_is_said_at_the_start(tmp_path):
    command = [*executable.command(), "mock", "--plugs", str(tmp_path), "--fault", "slow"]
    async with launched(command, tmp_path, env=environment(), cwd=tmp_path) as server:
        assert await server.end() == 2
        assert "--fault: expected latency=200ms,error=5%,drop=1%, or some of these, not 'slow'" in server.err[0]


async def test_a_pattern_that_is_none_is_said_at_the_start(tmp_path):
    command = [*executable.command(), "--plugs", str(tmp_path), "--mock", "orders.*.x"]
    async with launched(command, tmp_path, env=environment(), cwd=tmp_path) as server:
        assert await server.end() == 2
        assert "--mock: expected events such as orders.place, orders.* for all that begin so" in server.err[0]


async def test_the_list_says_what_is_a_shape(tmp_path):
    (tmp_path / "orders.py").write_text(ORDERS, encoding="utf-8")
    command = [*executable.command(), "list", str(tmp_path)]
    async with launched(command, tmp_path, env=environment(), cwd=tmp_path) as listed:
        assert await listed.end() == 0
        states = {row[0]: row[5] for row in (line.split("\t") for line in listed.out) if row[0].startswith("orders.")}
    assert states == {"orders.place": "shape", "orders.follow": "shape", "orders.latest": "ok", "orders.count": "ok"}
