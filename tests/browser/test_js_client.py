"""The JavaScript client in a real browser, with a real server: calls, bytes, errors and streams."""

import pytest
import pytest_asyncio

from support.js_client import is_open, open_client
from support.server import running

SHOP = '''import asyncio
from collections.abc import AsyncIterator
from msgspec import Struct
from plugsock import Error, Raw, Socket, plug

stopped = []
begun = asyncio.Event()

class Order(Struct):
    sku: str
    count: int = 1

@plug
async def place(socket: Socket, order: Order) -> Order:
    """Place an order."""
    if order.sku == "moon":
        raise Error("out_of_stock", "We have no moon left.", retry=True, after=1.5, data={"sku": order.sku})
    socket.send("shop.thanks", order)
    return order

@plug
async def turn(data: Raw) -> Raw:
    """Turn bytes around, unless there are none."""
    if not data:
        raise Error("empty", "There is nothing to turn: \\u2205", data={"n": [1, -2, 1.5, None, True, 70000, "x" * 300]})
    return Raw(bytes(reversed(data)), data.format)

@plug
async def slow() -> str:
    """Wait until somebody stops it."""
    begun.set()
    try:
        await asyncio.sleep(600)
    finally:
        stopped.append("slow")

@plug
async def numbers(upto: int = 1_000_000_000) -> AsyncIterator[int]:
    """Count."""
    number = 0
    try:
        for number in range(upto):
            yield number
        if upto == 13:
            raise Error("unlucky", "That was one too many.")
    finally:
        stopped.append(number)

@plug
async def has_begun() -> None:
    """Wait until the slow one has begun."""
    await begun.wait()

@plug
async def stops() -> list[int | str]:
    """What was stopped."""
    return stopped
'''

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server(tmp_path_factory):
    async with running(tmp_path_factory.mktemp("shop") / "plugs", "--workers", "1", "--dev", shop=SHOP) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(page, server):
    await open_client(page, server.port)
    return page


async def test_a_call_that_is_made_before_there_is_a_connection_waits_for_it(page):
    assert await page.evaluate("client.state") == "connecting" or await page.evaluate("states.length") > 0
    assert await page.evaluate("client.call('math.add', {a: 1, b: 2})") == 3
    assert await page.evaluate("[client.state, client.user, client.mocked]") == ["open", None, []]
    assert await page.evaluate("states") == [["open"]]


async def test_what_a_plug_sends_arrives_before_its_answer(page):
    said = """async () => {
      const heard = [];
      const stop = client.on("shop.thanks", (order) => heard.push(order.sku));
      const answer = await client.call("shop.place", {sku: "tea"});
      heard.push(answer.count);
      stop();
      await client.call("shop.place", {sku: "milk"});
      return heard;
    }"""
    assert await page.evaluate(said) == ["tea", 1]


async def test_an_error_has_all_that_the_server_says_of_it(page):
    caught = """client.call("shop.place", {sku: "moon"}).catch((error) => [
      error instanceof PlugsockError, error instanceof Disconnected, error.name,
      error.code, error.message, error.retry, error.afterMs, error.data,
    ])"""
    assert await page.evaluate(caught) == [
        *(True, False, "PlugsockError"),
        *("out_of_stock", "We have no moon left.", True, 1500, {"sku": "moon"}),
    ]


async def test_what_does_not_fit_says_where(page):
    caught = """client.call("shop.place", {sku: "tea", count: "many"}).catch((error) => [error.code, error.path])"""
    assert await page.evaluate(caught) == ["bad_payload", "$.count"]


async def test_an_event_that_is_not_there_is_not_found(page):
    assert (await page.evaluate("settled(client.call('shop.close'))"))[:2] == ["error", "not_found"]


async def test_bytes_go_there_and_back(page):
    sent = """[
      new Uint8Array([0, 255, 32, 10]),
      new Uint8Array([0, 255, 32, 10]).buffer,
      new Uint8Array([9, 0, 255, 32, 10, 9]).subarray(1, 5),
      new DataView(new Uint8Array([9, 0, 255, 32, 10]).buffer, 1),
    ]"""
    back = await page.evaluate(f"Promise.all({sent}.map((bytes) => settled(client.call('shop.turn', bytes))))")
    assert back == [["ok", [10, 32, 255, 0]]] * 4


async def test_many_bytes_are_still_the_same(page):
    same = """async () => {
      const sent = new Uint8Array(900_000).map((_, n) => n * n);
      const back = await client.call("shop.turn", sent);
      return back.length === sent.length && back.reverse().every((each, n) => each === sent[n]);
    }"""
    assert await page.evaluate(same)


async def test_no_bytes_are_bytes_too_and_an_error_in_place_of_bytes_can_be_read(page):
    caught = "client.call('shop.turn', new Uint8Array()).catch(({code, message, data}) => [code, message, data.n])"
    assert await page.evaluate(caught) == [
        *("empty", "There is nothing to turn: \u2205"),
        [1, -2, 1.5, None, True, 70000, "x" * 300],
    ]


async def test_a_call_can_be_aborted_and_the_plug_is_told(page):
    said = """async () => {
      const controller = new AbortController();
      const call = settled(client.call("shop.slow", undefined, {signal: controller.signal}));
      await client.call("shop.has_begun");
      controller.abort(new DOMException("Enough of it.", "AbortError"));
      const outcome = await call;
      await until(async () => (await client.call("shop.stops")).includes("slow"), "stopped");
      return outcome;
    }"""
    assert await page.evaluate(said) == ["error", 20, "Enough of it."]


async def test_aborts_that_cross_answers_leave_one_end_for_each(page):
    said = """async () => {
      const ends = [];
      for (let n = 0; n < 300; n++) {
        const controller = new AbortController();
        ends.push(settled(client.call("math.add", {a: n, b: 0}, {signal: controller.signal})));
        setTimeout(() => controller.abort(new Error("late")), n % 7);
      }
      const outcomes = await Promise.all(ends);
      return outcomes.every(([how, what], n) => how === "ok" ? what === n : what === "Error") && outcomes.length;
    }"""
    await is_open(page)
    # as many as may be open at once are fewer than that: what is refused for it would be `limit`
    assert await page.evaluate(said.replace("300", "100")) == 100


async def test_a_call_has_a_time_limit(page):
    caught = "client.call('shop.slow', undefined, {timeout: 0.1}).catch(({code, retry}) => [code, retry])"
    await is_open(page)
    assert await page.evaluate(caught) == ["timeout", False]


async def test_a_stream_is_a_loop_that_ends(page):
    said = """async () => {
      const seen = [];
      for await (const number of client.stream("shop.numbers", {upto: 100})) seen.push(number);
      return seen;
    }"""
    assert await page.evaluate(said) == list(range(100))


async def test_who_leaves_the_loop_ends_the_stream_and_it_was_never_far_ahead(page):
    said = """async () => {
      const before = (await client.call("shop.stops")).length;
      for await (const number of client.stream("shop.numbers", {}, {credit: 4})) if (number === 20) break;
      let stops;
      await until(async () => (stops = await client.call("shop.stops")).length > before, "stopped");
      return stops.at(-1);
    }"""
    assert 20 <= await page.evaluate(said) <= 24


async def test_a_stream_that_fails_throws_behind_its_last_item(page):
    said = """async () => {
      const seen = [];
      try {
        for await (const number of client.stream("shop.numbers", {upto: 13})) seen.push(number);
      } catch (error) {
        return [seen.length, error.code];
      }
    }"""
    assert await page.evaluate(said) == [13, "unlucky"]


async def test_a_stream_can_be_aborted_while_nothing_comes(page):
    said = """async () => {
      const seen = [];
      try {
        for await (const time of client.stream("clock.ticks", {every: 20}, {signal: AbortSignal.timeout(300)}))
          seen.push(time);
      } catch (error) {
        return [seen.length, error.name];
      }
    }"""
    assert await page.evaluate(said) == [1, "TimeoutError"]


async def test_a_server_for_developers_may_be_asked_to_make_answers_up(page, server):
    await open_client(page, server.port, options="{mock: ['shop.*']}")
    await is_open(page)
    assert await page.evaluate("client.mocked") == ["shop.*"]
    made_up = await page.evaluate("client.call('shop.place', {sku: 'moon'})")
    assert set(made_up) == {"sku", "count"}
    assert await page.evaluate("client.call('math.add', {a: 1, b: 2})") == 3


async def test_who_closes_it_settles_everything(page):
    said = """async () => {
      const call = settled(client.call("shop.slow"));
      const stream = settled(client.stream("clock.ticks", {every: 20}).next().then(() => "ticked"));
      await stream;
      client.close();
      return [await call, await settled(client.call("math.add", {a: 1, b: 2})), client.state, states.at(-1)];
    }"""
    closed = ["error", "disconnected", "The client was closed."]
    assert await page.evaluate(said) == [closed, closed, "closed", ["closed", 1000]]


async def test_what_a_listener_throws_keeps_nothing_from_the_others(page, complaints):
    said = """async () => {
      let heard = 0;
      client.on("shop.thanks", () => { throw new Error("mine"); });
      client.on("shop.thanks", () => heard++);
      await client.call("shop.place", {sku: "tea"});
      return heard;
    }"""
    assert await page.evaluate(said) == 1
    assert complaints == ["mine"]
    complaints.clear()
