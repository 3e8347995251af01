"""The JavaScript client on its mock, as a unit test of a front end has them: no server, no browser."""

import pytest

from support.folder_shapes import schema
from support.js_build import needs_build
from support.js_mock import run

pytestmark = needs_build

SHOP = """
from typing import AsyncIterator

topic("kitchen", presence=True)

class Order(Struct):
    sku: str
    count: int = 1

@plug
async def place(order: Order) -> int:
    raise AssertionError

@plug
async def turn(data: Raw) -> Raw:
    raise AssertionError

@plug
async def feed(since: int = 0) -> AsyncIterator[Order]:
    yield Order("")

@view
async def orders(day: str) -> list[Order]:
    raise AssertionError
"""


@pytest.fixture
def page(mock, tmp_path):
    """Run a script that has a `client`, and give what it returns."""
    shapes = schema(tmp_path, shop=SHOP)
    head = 'const { connect } = await import("./plugsock.js");'
    head += ' const client = connect("mock:", { shapes: given.shapes });'
    return lambda script: run(mock, f"{head} try {{ {script} }} finally {{ client.close(); }}", shapes=shapes)


def test_calls_are_answered(page):
    first, second, refused = page("""
      const first = await client.call("shop.place", { sku: "tea" });
      const second = await client.call("shop.place", { sku: "tea" });
      const refused = await client.call("shop.place", { sku: 5 }).catch(({ code, path }) => [code, path]);
      return [first, second, refused];
    """)

    assert isinstance(first, int)
    assert first == second
    assert refused == ["bad_payload", "$.sku"]


def test_who_one_is_and_what_is_mocked(page):
    assert page("""
      await client.call("shop.place", { sku: "tea" });
      return [client.state, client.user, client.mocked, client.permissions.has("anything")];
    """) == ["open", None, ["*"], True]


def test_a_stream_is_gone_through(page):
    order = page('for await (const order of client.stream("shop.feed")) return order;')

    assert order.keys() == {"sku", "count"}


def test_functions_answer_calls_streams_and_views(page):
    assert page("""
      client.mock("shop.place", ({ count }) => count);
      client.mock("shop.feed", function* () { yield { sku: "tea" }; yield { sku: "milk" }; });
      client.mock("shop.orders", ({ day }) => [{ sku: day }]);
      const feed = [];
      for await (const { sku } of client.stream("shop.feed")) feed.push(sku);
      return [
        await client.call("shop.place", { sku: "tea", count: 3 }),
        feed,
        await client.view("shop.orders", { day: "now" }).first(),
      ];
    """) == [3, ["tea", "milk"], [{"sku": "now"}]]


def test_an_open_view_shows_what_another_function_says(page):
    assert page("""
      client.mock("shop.orders", () => []);
      const seen = [];
      await new Promise((done) => client.view("shop.orders", { day: "now" }).subscribe((value, status) => {
        if (status !== "live") return;
        seen.push(value.length);
        if (seen.length === 1) client.mock("shop.orders", () => [{ sku: "tea", count: 1 }]);
        else done();
      }));
      return seen;
    """) == [0, 1]


def test_bytes_go_in_and_out(page):
    assert page("""
      client.mock("shop.turn", (data) => data.toReversed());
      return [...await client.call("shop.turn", new Uint8Array([1, 2, 3]))];
    """) == [3, 2, 1]


def test_a_topic_has_one_member(page):
    (member,) = page("""
      const topic = client.topic("kitchen");
      topic.onAny(() => {});
      return await new Promise((done) => topic.members.subscribe((list) => list && done(list)));
    """)

    assert member["user"] is None


def test_answers_that_fail_on_purpose_are_errors(mock, tmp_path):
    script = """
      const { connect } = await import("./plugsock.js");
      const client = connect("mock:", { shapes: given.shapes, fault: { error: 1 } });
      return await client.call("shop.place", { sku: "tea" }).catch(({ code }) => code).finally(() => client.close());
    """
    assert run(mock, script, shapes=schema(tmp_path, shop=SHOP)) == "plug_error"
