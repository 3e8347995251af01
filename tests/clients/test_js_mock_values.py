"""What the mock of the JavaScript client makes up: within all constraints, with an end, and worth looking at."""

import json
import re

import pytest

from plugsock.shapes import hints
from plugsock.shapes.describe import BASE64, DECIMAL, DURATION, PATTERNS
from support.folder_shapes import fits, schema
from support.js_build import needs_build
from support.js_mock import run
from support.npm import CLIENT

pytestmark = needs_build

CONSTRAINED = """
import datetime as dt
from decimal import Decimal
from typing import Annotated as A, Literal, NamedTuple
from uuid import UUID

class Point(NamedTuple):
    x: A[float, Meta(ge=-1, le=1)]
    y: A[float, Meta(gt=0, lt=0.001)]

class Circle(Struct, tag="circle"):
    radius: A[float, Meta(gt=0, multiple_of=0.25)]

class Square(Struct, tag="square"):
    side: A[int, Meta(ge=1000, multiple_of=7)]

class All(Struct, forbid_unknown_fields=True):
    small: A[int, Meta(gt=-3, lt=-1)]
    far: A[int, Meta(ge=10_000, le=10_001)]
    whole: A[float, Meta(multiple_of=100)]
    tags: A[set[A[str, Meta(max_length=8)]], Meta(min_length=3, max_length=5)]
    bits: A[set[bool], Meta(min_length=2)]
    five: A[list[Point], Meta(min_length=5, max_length=5)]
    table: A[dict[A[str, Meta(pattern="^[a-z]{3}$")], int], Meta(min_length=2, max_length=3)]
    code: A[str, Meta(pattern="^[A-Z]{3}-[0-9]+$", min_length=9, max_length=12)]
    begun: A[str, Meta(pattern="^x", min_length=7)]
    long: A[str, Meta(min_length=60, max_length=61)]
    short: A[str, Meta(max_length=2)]
    key: A[bytes, Meta(min_length=32, max_length=32)]
    some: A[bytes, Meta(min_length=2, max_length=9)]
    form: Circle | Square
    forms: list[Circle | Square | None | int]
    mixed: Literal["a", 3, None]
    took: dt.timedelta
    at: A[dt.datetime, Meta(tz=True)]
    local: A[dt.datetime, Meta(tz=False)]
    anywhere: dt.datetime
    clock: dt.time
    numbered: A[dict[int, bool], Meta(min_length=3)]
    ranked: A[dict[A[int, Meta(ge=0)] | dt.date, bool], Meta(min_length=3)]
    chosen: A[dict[Literal["a", 3], bool], Meta(min_length=2)]
    on: dt.date
    naive: A[dt.time, Meta(tz=False)]
    aware: A[dt.time, Meta(tz=True)]
    price: Decimal
    id: UUID
    email: A[str, Meta(extra_json_schema={"format": "email"})]
    few: A[str, Meta(examples=["one", "two"])]

@plug
def get(n: int) -> All:
    ...
    raise AssertionError
"""


def answers(mock, shapes, event, payloads):
    """What calls are answered with, in the order of their payloads."""
    script = """
      await open();
      for (const [index, payload] of given.payloads.entries()) {
        await say(`call ${index + 1} ${given.event} ${JSON.stringify(payload)}`);
      }
      return heard.map((frame) => /^ok \\d+ (.*)$/.exec(frame) ?? [frame]).map(([all, value]) => value ?? all);
    """
    return [json.loads(text) for text in run(mock, script, shapes=shapes, event=event, payloads=payloads)]


def test_constraints_are_kept_whatever_the_seed(mock, tmp_path):
    shapes = schema(tmp_path, p=CONSTRAINED)

    found = answers(mock, shapes, "p.get", [{"n": n} for n in range(100)])

    for value in found:
        assert fits(shapes, "/$defs/All", value), value
        assert value["few"] in {"one", "two"}
        assert value["email"].endswith("@example.org")
        assert len(value["key"]) == 44
        assert value["key"].endswith("=")  # 32 bytes, and not 31 or 33
    assert len({value["code"] for value in found}) > 50


PATTERNS_OF_PEOPLE = [
    r"^[a-z0-9]+(-[a-z0-9]+)*$",
    r"^#[0-9a-fA-F]{6}$",
    r"^(GET|POST|PUT)$",
    r"\d{3}",
    r"^\+?[1-9]\d{1,14}$",
    r"^[^\s@]+@[^\s@]+\.[a-z]{2,}$",
    r"^(?P<year>\d{4})-(?P<week>W\d{2})$",
    r"^v\d+\.\d+\.\d+(?:-[\w.]+)?$",
    r"^(a|b){2,}c*?$",
    r"\A[\w.-]+/\S+\Z",
    r"^[\x41-\x43]{2}\.\*\\$",
    r"^.{5,}$",
    r"(?i)^abc$",
    r"^\d{2}\-\d{2}$",
    r"^$",
    r"^(?!-)[a-z-]{1,4}(?<!-)$",
    *PATTERNS.values(),
    hints.LOCAL_DATETIME,
    hints.ANY_DATETIME,
    hints.LOCAL_TIME,
    hints.ANY_TIME,
    hints.NATURAL,
    hints.INTEGER,
    hints.NUMBER,
    BASE64,
]


@pytest.mark.parametrize("pattern", PATTERNS_OF_PEOPLE)
def test_texts_fit_their_patterns(mock, pattern):
    field = {"type": "string", "pattern": pattern}
    event = {"properties": {"payload": True, "result": {"type": "array", "items": field, "minItems": 30}}}
    event |= {"x-plugsock": {"kind": "call"}, "required": ["payload", "result"]}
    shapes = {"x-plugsock": {"shapes": "", "topics": []}, "properties": {"get": event}, "$defs": {}}

    (texts,) = answers(mock, shapes, "get", [1])

    assert [text for text in texts if not re.search(pattern, text)] == []


def test_the_mock_knows_the_patterns_that_stand_for_formats():
    text = (CLIENT / "src/mock/formats.ts").read_text(encoding="utf-8")

    assert all(f"`{part}`" in text for part in (DURATION, DECIMAL, hints.CLOCK, hints.DATE, hints.ZONE))
    for pattern in (hints.LOCAL_DATETIME, hints.ANY_DATETIME, hints.LOCAL_TIME, hints.ANY_TIME):
        written = pattern.replace(hints.CLOCK, "${CLOCK}").replace(hints.DATE, "${DATE}").replace(hints.ZONE, "${ZONE}")
        assert f"`{written}`" in text
    assert f'"{BASE64}"' in text


def test_types_that_contain_themselves_come_to_an_end(mock, tmp_path):
    shapes = schema(
        tmp_path,
        p="""
        class Tree(Struct):
            name: str
            left: "Tree | None"
            right: "Tree | None"
            more: "list[Tree]"
            by_name: "dict[str, Tree]" = {}

        class Both(Struct):
            tree: Tree
            others: "tuple[Both | int, Both | None]"

        @plug
        def get(n: int) -> Both:
            raise AssertionError
        """,
    )

    found = answers(mock, shapes, "p.get", [{"n": n} for n in range(30)])

    assert all(fits(shapes, "/$defs/Both", value) for value in found)
    assert max(len(json.dumps(value)) for value in found) < 100_000
    assert max(json.dumps(value).count("left") for value in found) > 5


def test_a_type_that_has_no_end_is_an_error(mock, tmp_path):
    shapes = schema(
        tmp_path,
        p="""
        class Endless(Struct):
            next: "Endless"

        @plug
        def get() -> Endless:
            raise AssertionError
        """,
    )

    (frame,) = run(mock, 'await open(); await say("call 1 p.get"); return heard;', shapes=shapes)

    assert frame.startswith('error 1 {"code":"plug_error"')
    assert "without an end" in frame


SHOP = """
class Order(Struct):
    sku: str
    count: int = 1

class Customer(Struct):
    name: str
    email: str
    created_at: str

@plug(examples=[({"sku": "tea", "count": 2}, {"sku": "tea", "count": 2}), {"sku": "moon"}])
async def place(order: Order) -> Order:
    return order

@plug
async def customer(id: int = 1) -> Customer:
    raise AssertionError

@plug(examples=[({"to": 2}, [1, 2])])
async def ticks(to: int = 9):
    yield 1

@view(examples=[({"day": "now"}, 7)])
async def total(day: str) -> int:
    return 1
"""


def test_an_example_with_an_equal_payload_is_the_answer(mock, tmp_path):
    payloads = [{"count": 2, "sku": "tea"}, {"sku": "tea"}, {"sku": "moon"}]

    first, second, third = answers(mock, schema(tmp_path, p=SHOP), "p.place", payloads)

    assert first == {"sku": "tea", "count": 2}
    assert second != first
    assert third != first


def test_the_example_of_a_stream_is_all_of_its_items(mock, tmp_path):
    script = "await open(); await say('call 1 p.ticks {\"to\":2}'); await pass(2); return heard;"

    assert run(mock, script, shapes=schema(tmp_path, p=SHOP)) == ["item 1 1", "item 1 2", "ok 1"]


def test_the_example_of_a_view_is_its_value_for_good(mock, tmp_path):
    script = 'await open(); await say(\'watch 1 p.total {"day":"now"}\'); await pass(60); return heard;'

    assert run(mock, script, shapes=schema(tmp_path, p=SHOP)) == ["item 1 7"]


def test_fields_look_like_their_names(mock, tmp_path):
    (value,) = answers(mock, schema(tmp_path, p=SHOP), "p.customer", [None])

    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", value["name"])
    assert value["email"].endswith("@example.org")
    assert value["created_at"].startswith("2026-")


def test_a_value_that_is_no_object_looks_like_its_event(mock, tmp_path):
    shapes = schema(tmp_path, clock="@plug\ndef now() -> str:\n    raise AssertionError\n")

    (value,) = answers(mock, shapes, "clock.now", [None])

    assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)


def test_no_arguments_are_the_same_however_they_are_left_out(mock, tmp_path):
    script = 'await open(); await say("call 1 p.customer", "call 2 p.customer null", "call 3 p.customer {}");'
    script += "return heard.map((frame) => frame.slice(5));"

    found = run(mock, script, shapes=schema(tmp_path, p=SHOP))

    assert len(found) == 3
    assert len(set(found)) == 1
