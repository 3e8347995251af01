import dataclasses
import enum
import socket as sockets
import threading
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from plugsock import Raw
from plugsock.model import JSON, MSGPACK
from plugsock.worker.encode import MOST_PUSHED, pushed, shown


class Point(msgspec.Struct):
    x: Any
    y: Any = 0


@dataclasses.dataclass
class Box:
    content: Any


class Size(enum.IntEnum):
    HUGE = 2**70


def cycle() -> list[Any]:
    it: list[Any] = []
    it.append(it)
    return it


class Hostile:
    def __getattr__(self, name: str) -> Any:
        raise SystemExit(name)

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)

    def __repr__(self) -> str:
        raise KeyboardInterrupt

    def __reduce__(self) -> Any:
        raise AssertionError("nothing is pickled")


def object_of_hostile_class() -> Any:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise SystemExit(name)

    return Meta("HostileClass", (), {})()


def closed_socket() -> sockets.socket:
    with sockets.socket() as it:
        return it


HOSTILE = {
    "a lambda": lambda: lambda: None,
    "a socket": closed_socket,
    "a lock": threading.Lock,
    "a type": lambda: int,
    "a cycle": cycle,
    "a complex number": lambda: 1j,
    "an object that fights": Hostile,
    "an object whose class fights": object_of_hostile_class,
    "a list of objects that fight": lambda: [Hostile()],
    "half a surrogate pair": lambda: "\ud800",
    "NaN": lambda: float("nan"),
    "infinity": lambda: [1.0, {"a": float("-inf")}],
    "NaN in a Struct": lambda: Point(float("nan")),
    "NaN in a dataclass in a Struct": lambda: Point([Box(float("nan"))]),
    "an integer beyond 64 bits": lambda: 2**64,
    "a negative one": lambda: {"a": [-(2**63) - 1]},
    "an enum beyond 64 bits": lambda: Size.HUGE,
    "a key that is an integer": lambda: {1: 2},
    "a key that is a tuple": lambda: {(1, 2): 3},
    "a key that is None": lambda: {None: 1},
    "such a key in a Struct in a list": lambda: [Point({1: 2})],
    "bytes that claim to be encoded": lambda: msgspec.Raw(b"garbage"),
    "a list nested too deeply": lambda: msgspec.json.decode(b"[" * 900 + b"]" * 900),
}


@pytest.mark.fault("P8")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("format", [JSON, MSGPACK], ids=["json", "msgpack"])
@pytest.mark.parametrize("style", ["async", "plain"])
async def test_a_result_that_can_not_be_sent_is_an_error_and_the_worker_goes_on(worker, make, format, style):
    if style == "async":

        async def give():
            return make()
    else:

        def give():
            return make()

    async def echo(text: str) -> str:
        return text

    one = await worker(give, echo)
    answer = await one.call(give, format=format)
    fault = (msgspec.msgpack if format == MSGPACK else msgspec.json).decode(answer.payload)
    assert not answer.ok
    assert fault["code"] == "plug_error"
    assert len(fault["message"]) < 500
    assert (await one.call(echo, '{"text":"hi"}')).value == "hi"


@pytest.mark.fault("P8")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: {"prices": [1.0, float("nan")]}, "`$.prices[1]` is nan"),
        (lambda: Point(x={"a": float("inf")}), "`$.x.a` is inf"),
        (lambda: [{"n": 2**70}], "an integer beyond 64 bits"),
        (lambda: {"a": {Hostile(): 1}}, "Only dicts with str-like"),
        (lambda: {"a": {7: 1}}, "`$.a` is a dict with the key 7, which is no string"),
        (lambda: lambda: 0, "type function"),
        (cycle, "it contains itself, or is nested too deeply"),
        (lambda: "\ud800", "half a surrogate pair"),
    ],
)
async def test_the_message_says_what_in_the_result_can_not_be_sent(worker, make, said):
    async def give():
        return make()

    assert said in (await (await worker(give)).call(give)).fault.message


@pytest.mark.fault("P8")
@pytest.mark.parametrize("annotation", [str, bytes, Any, list[str]], ids=str)
async def test_a_result_that_is_too_large_is_refused(worker, annotation):
    async def give():
        text = "x" * 2000
        return {str: text, bytes: text.encode(), Any: text, list[str]: [text]}[annotation]

    give.__annotations__["return"] = annotation
    answer = await (await worker(give, max_answer=1000)).call(give)
    assert answer.code == "too_large"
    assert "1000" in answer.fault.message


async def test_a_result_of_just_the_allowed_size_passes(worker):
    async def give() -> str:
        return "x" * 998

    assert (await (await worker(give, max_answer=1000)).call(give)).ok


@pytest.mark.parametrize(
    ("annotation", "value", "json"),
    [
        (list[float], [1.5, -0.0], b"[1.5,-0.0]"),
        (float | None, None, b"null"),
        (int, 2**64 - 1, b"18446744073709551615"),
        (int, -(2**63), b"-9223372036854775808"),
        (Any, {"a": [1, None, True, 1.5, "null"]}, b'{"a":[1,null,true,1.5,"null"]}'),
        (Any, {UUID(int=0): 1}, b'{"00000000-0000-0000-0000-000000000000":1}'),
        (Any, {date(2026, 11, 24): 1}, b'{"2026-11-24":1}'),
        (Any, (Decimal("1.50"), datetime(2026, 11, 24, tzinfo=UTC)), b'["1.50","2026-11-24T00:00:00Z"]'),
        (Any, Point(Box([b"\x00"])), b'{"x":{"content":["AA=="]},"y":0}'),
        (Any, defaultdict(list, a=[1]), b'{"a":[1]}'),
        (Any, {1, 2}, b"[1,2]"),
        (Any, "a null of text", b'"a null of text"'),
    ],
)
async def test_what_both_formats_can_say_passes(worker, annotation, value, json):
    async def give():
        return value

    give.__annotations__["return"] = annotation
    one = await worker(give)
    assert (await one.call(give)).payload == json
    assert (await one.call(give, format=MSGPACK)).ok


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(str, 5), (list[int], ["a"]), (None, 1), (Point, {"y": 1}), (list[str], [float("nan")]), (int, None)],
    ids=str,
)
async def test_in_dev_a_result_that_is_not_what_was_declared_is_an_error(worker, annotation, value):
    async def give():
        return value

    give.__annotations__["return"] = annotation
    one = await worker(give, dev=True)
    answer = await one.call(give)
    assert answer.code == "plug_error"
    assert "is declared" in answer.fault.message
    assert type(value).__name__ in answer.fault.message


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(str, "a"), (list[int], (1, 2)), (None, None), (Point, Point(1)), (Raw, Raw(b"1")), (Any, object)],
    ids=str,
)
async def test_in_dev_a_result_that_is_what_was_declared_passes(worker, annotation, value):
    async def give():
        return value if value is not object else {"any": "thing"}

    give.__annotations__["return"] = annotation
    assert (await (await worker(give, dev=True)).call(give)).ok


async def test_outside_of_dev_a_result_is_not_held_against_its_declaration(worker):
    async def give() -> str:
        return 5

    assert (await (await worker(give)).call(give)).value == 5


async def test_a_raw_result_is_passed_on_as_it_is(worker):
    async def give() -> Raw:
        return Raw(b'{"spaces": "kept" }')

    assert (await (await worker(give)).call(give)).payload == b'{"spaces": "kept" }'


async def test_a_raw_result_of_a_binary_frame_may_be_any_bytes(worker):
    async def give() -> Raw:
        return b"\xc1\x00"

    assert (await (await worker(give)).call(give, format=MSGPACK)).payload == b"\xc1\x00"


@pytest.mark.parametrize(
    "data", [b"no json", b"\xff", b"", b"[1", b"[" * 100_000, b'"\xff"'], ids=lambda data: str(data[:9])
)
async def test_a_raw_result_of_a_text_frame_must_be_json(worker, data):
    async def give() -> Raw:
        return Raw(data)

    assert (await (await worker(give)).call(give)).code == "plug_error"


def test_what_is_pushed_is_messagepack_only_while_somebody_wants_that():
    assert pushed({"a": 1}, msgpack=False) == (b'{"a":1}', None)
    assert pushed({"a": 1}, msgpack=True) == (b'{"a":1}', b"\x81\xa1a\x01")


def test_raw_json_can_be_pushed():
    assert pushed(Raw(b"[1]"), msgpack=True) == (b"[1]", b"\x91\x01")


@pytest.mark.fault("P8")
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_can_not_be_sent_can_not_be_pushed(make):
    with pytest.raises(ValueError, match=r"^What is pushed can't be sent: "):
        pushed(make(), msgpack=False)


@pytest.mark.parametrize("make", [lambda length: "x" * (length - 2), lambda length: Raw(b"1" * length)])
def test_what_is_longer_than_a_push_may_be_is_refused(make):
    assert len(pushed(make(MOST_PUSHED), msgpack=False)[0]) == MOST_PUSHED

    with pytest.raises(ValueError, match=r"What is pushed has 16777217 bytes as JSON; it may have 16777216\."):
        pushed(make(MOST_PUSHED + 1), msgpack=False)


def test_a_value_that_can_not_be_shown_is_shown_by_its_type():
    assert shown(Hostile()) == "<Hostile without a repr>"


def test_a_long_value_is_cut():
    assert len(shown("x" * 1000)) == 200
