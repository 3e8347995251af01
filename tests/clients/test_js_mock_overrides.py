"""Functions that answer in place of what would be made up, as in a unit test."""

import json

import pytest

from support.folder_shapes import schema
from support.js_build import needs_build
from support.js_mock import run

pytestmark = needs_build

SHOP = """
from typing import AsyncIterator

@plug
async def place(sku: str, count: int = 1) -> int:
    raise AssertionError

@plug
async def turn(data: Raw) -> Raw:
    raise AssertionError

@plug
async def feed(since: int = 0) -> AsyncIterator[int]:
    yield 1

@view
async def total(day: str = "") -> int:
    raise AssertionError
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return schema(tmp_path_factory.mktemp("shop"), shop=SHOP)


@pytest.fixture
def talk(mock, shapes):
    """Run a script, and give what it returns; by default what was heard."""
    return lambda script: run(mock, f"await open(); {script}; return heard;", shapes=shapes)


def test_a_function_gets_the_arguments_and_its_result_is_the_answer(talk):
    frames = talk("""
      overrides.set("shop.place", ({ sku, count }) => `${count} ${sku}`);
      await say('call 1 shop.place {"sku":"tea","count":2}');
      overrides.set("shop.place", async () => undefined);
      await say('call 2 shop.place {"sku":"tea"}');
      overrides.delete("shop.place");
      await say('call 3 shop.place {"sku":"tea"}');
    """)

    assert frames[:2] == ['ok 1 "2 tea"', "ok 2 null"]  # what it returns is not looked at: the compiler has
    assert isinstance(json.loads(frames[2].removeprefix("ok 3 ")), int)


def test_arguments_are_checked_before_and_left_out_ones_are_an_empty_object(talk):
    frames = talk("""
      overrides.set("shop.place", () => { throw new Error("is not called"); });
      overrides.set("shop.total", (args) => Object.keys(args).length);
      await say('call 1 shop.place {"sku":5}', "call 2 shop.total");
    """)

    assert json.loads(frames[0].removeprefix("error 1 "))["code"] == "bad_payload"
    assert frames[1] == "ok 2 0"


def test_an_error_with_a_code_is_the_answer_and_any_other_a_mistake(talk):
    coded, plain = talk("""
      overrides.set("shop.place", ({ sku }) => {
        if (sku === "moon") throw { code: "out_of_stock", message: "No moon.", retry: true, afterMs: 500, data: [sku] };
        throw new RangeError("oops");
      });
      await say('call 1 shop.place {"sku":"moon"}', 'call 2 shop.place {"sku":"tea"}');
    """)

    assert json.loads(coded.removeprefix("error 1 ")) == {
        "code": "out_of_stock",
        "message": "No moon.",
        "retry": True,
        "after_ms": 500,
        "data": ["moon"],
    }
    mistake = json.loads(plain.removeprefix("error 2 "))
    assert mistake["code"] == "plug_error"
    assert mistake["message"] == "What answers shop.place failed: oops"
    assert "RangeError" in mistake["data"]["traceback"]


@pytest.mark.parametrize(
    "items",
    [
        "[1, 2]",
        "new Set([1, 2])",
        "(function* () { yield 1; yield 2; })()",
        "(async function* () { yield* [1, 2]; })()",
    ],
)
def test_a_stream_is_any_iterable(talk, items):
    assert talk(f'overrides.set("shop.feed", () => {items}); await say("call 1 shop.feed")') == [
        *("item 1 1", "item 1 2", "ok 1"),
    ]


def test_a_stream_that_is_none_is_a_mistake(talk):
    (frame,) = talk('overrides.set("shop.feed", () => 5); await say("call 1 shop.feed")')

    assert json.loads(frame.removeprefix("error 1 "))["code"] == "plug_error"


def test_a_stream_that_fails_has_its_items_before(talk):
    item, error = talk("""
      overrides.set("shop.feed", function* () { yield 1; throw { code: "empty", message: "No more." }; });
      await say("call 1 shop.feed");
    """)

    assert item == "item 1 1"
    assert json.loads(error.removeprefix("error 1 "))["code"] == "empty"


def test_a_function_hears_that_nobody_waits_any_more(talk):
    said = talk("""
      const said = [];
      overrides.set("shop.place", (_, { signal }) => new Promise(() => {
        signal.onabort = () => said.push("call");
      }));
      overrides.set("shop.feed", async function* () {
        try { yield 1; yield 2; } finally { said.push("stream"); }
      });
      await say('call 1 shop.place {"sku":"tea"}', "call 2 shop.feed?credit=1");
      await say("cancel 1", "cancel 2");
      return [said, heard.map((frame) => frame.slice(0, 7))];
    """)

    assert said == [["call", "stream"], ["item 2 ", "error 1", "error 2"]]


def test_who_waits_too_long_is_told(talk):
    before, frame = talk("""
      overrides.set("shop.place", () => new Promise(() => {}));
      await say('call 1 shop.place?timeout=2 {"sku":"tea"}');
      await pass(1.9);
      const before = heard.length;
      await pass(0.2);
      return [before, heard[0]];
    """)

    assert before == 0
    assert json.loads(frame.removeprefix("error 1 "))["code"] == "timeout"


def test_a_view_is_run_again_when_something_else_answers_it(talk):
    assert talk("""
      overrides.set("shop.total", () => 1);
      await say("watch 1 shop.total");
      overrides.set("shop.total", () => 2);
      socket.again("shop.total");
      await settled();
      socket.again("shop.total");
      await settled();
    """) == ["item 1 1", "item 1 2"]


def test_a_view_may_have_one_value_after_the_other(talk):
    frames = talk("""
      overrides.set("shop.total", async function* () { yield 1; yield 1; yield 2; });
      await say("watch 1 shop.total", "call 2 shop.total");
      await pass(10);
    """)

    assert sorted(frames) == ["item 1 1", "item 1 2", "ok 2 1"]


def test_a_view_that_fails_stays_open(talk):
    fault, value = talk("""
      overrides.set("shop.total", () => { throw { code: "closed", message: "Closed." }; });
      await say("watch 1 shop.total");
      overrides.set("shop.total", () => 5);
      socket.again("shop.total");
      await settled();
    """)

    assert json.loads(fault.removeprefix("fault 1 "))["code"] == "closed"
    assert value == "item 1 5"


def test_bytes_that_are_returned_are_bytes_in_the_answer(talk):
    (frame,) = talk("""
      overrides.set("shop.turn", (data) => data.toReversed());
      await say(new TextEncoder().encode("call 1 shop.turn abc"));
    """)

    assert bytes(frame) == b"ok 1 cba"


def test_an_event_that_has_no_shape_yet_can_be_answered_too(talk):
    assert sorted(
        talk("""
      overrides.set("shop.refund", ({ number }) => number + 1);
      overrides.set("shop.refunds", async function* () { yield 1; });
      await say('call 1 shop.refund {"number":2}', "call 2 shop.refunds", "watch 3 shop.refunds");
    """)
    ) == ["item 2 1", "item 3 1", "ok 1 3", "ok 2"]
