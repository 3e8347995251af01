"""What the gateway reads of a payload, and what a plug gets: two readers that can't be played against each other."""

import dataclasses
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from plugsock.loader.order import required_values
from plugsock.loader.signature import read
from plugsock.model import JSON, MSGPACK
from plugsock.rpc import fields
from plugsock.worker.bind import REFUSALS
from plugsock.worker.repeats import COLON, refuse_repeats, sure_fields

REQUIRES = (("orders.read:{shop}",),)


class AStruct(Struct):
    shop: str
    n: int = 0


class Renamed(Struct, rename={"place": "shop", "shop": "SHOP"}):
    place: str
    shop: str = ""


class Tagged(Struct, tag="order", tag_field="kind"):
    shop: str


@dataclasses.dataclass
class ADataclass:
    shop: int
    n: int = 0


class ADict(TypedDict):
    shop: str


def as_fields(shop: str, n: int = 0, note: str = ""): ...
def as_number(n: int, shop: int): ...
def as_bounded(shop: Annotated[str, msgspec.Meta(max_length=3)]): ...
def as_choice(shop: Literal["a", "b"], n: Any = None): ...
def as_struct(order: AStruct): ...
def as_renamed(order: Renamed): ...
def as_tagged(order: Tagged): ...
def as_dataclass(order: ADataclass): ...
def as_dict(order: ADict): ...


PLUGS = [as_fields, as_number, as_bounded, as_choice, as_struct, as_renamed, as_tagged, as_dataclass, as_dict]
SIGNATURES = [read(plug, plug.__name__) for plug in PLUGS]
GATEWAY = fields.reader(fields.Template("", "shop"))

JSON_KEYS = st.sampled_from(
    [
        *([rb'"shop"', rb'"sh\u006fp"', rb'"\u0073hop"'] * 4),
        *(rb'"SHOP"', rb'"shop\u0000"', rb'"sh\u00f6p"', rb'"shop "', rb'""'),
        *(rb'"n"', rb'"note"', rb'"kind"', rb'"\/shop"', '"sh\u043ep"'.encode(), '"\ufb05"'.encode(), rb"shop", rb"1"),
    ]
)
JSON_VALUES = st.sampled_from(
    [
        *(
            rb'"a"',
            rb'"b"',
            rb'"\u0061"',
            rb'"A"',
            rb'"a\u0000"',
            rb'"\ud800"',
            rb'"\ud83d\ude00"',
            rb'"order"',
            rb'""',
            rb'"1"',
        ),
        *(rb"1", rb"-0", rb"1.0", rb"1e0", rb"01", rb"18446744073709551616", rb"123456789012345678901234567890"),
        *(rb"null", rb"true", rb'{"shop":"b"}', rb'["b"]', rb'{"shop":1,"shop":2}', b'"\xff"'),
    ]
)
SPACE = st.sampled_from([*([b""] * 12), b" ", b"\n\t", b"\xef\xbb\xbf", b"\x00"])

MSGPACK_KEYS = st.sampled_from(
    [
        *([b"\xa4shop", b"\xd9\x04shop", b"\xda\x00\x04shop", b"\xdb\x00\x00\x00\x04shop"] * 3),  # the same text
        *(b"\xc4\x04shop", b"\xa4SHOP", b"\xa5shop\x00", b"\xa1n", b"\xa4note", b"\xa4kind", b"\xa0"),
        *(b"\x01", b"\xc0", b"\xc3", b"\x91\xa4shop", b"\xd6\x01shop", b"\xca\x3f\x80\x00\x00", b"\xa4sh\xffp"),
    ]
)
MSGPACK_VALUES = st.sampled_from(
    [
        *(b"\xa1a", b"\xd9\x01a", b"\xa1b", b"\xc4\x01a", b"\xa1A", b"\xa5order", b"\xa0", b"\xa11", b"\xa1\xff"),
        *(
            b"\x01",
            b"\xcc\x01",
            b"\xd0\x01",
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xd3\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
        *(b"\xca\x3f\x80\x00\x00", b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", b"\xc0", b"\xc3", b"\x81\xa4shop\xa1b"),
        *(b"\x91\xa1a", b"\xd6\xff\x00\x00\x00\x01", b"\xd4\x01a"),
    ]
)


def pairs(keys, values, shop, texts, numbers, n):
    """Fields of a payload in any order: what a plug takes, and perhaps others, or the same once more."""
    alone = [[(key, value)] for key in shop for value in (*texts, *numbers)]
    good = st.sampled_from([*alone, *([*one, n] for one in alone)])
    others = st.lists(st.tuples(keys, values), max_size=2)
    return st.tuples(good, st.just([]) | others).flatmap(lambda both: st.permutations(both[0] + both[1]))


@st.composite
def json_payloads(draw):
    fields = draw(
        pairs(
            JSON_KEYS,
            JSON_VALUES,
            [rb'"shop"', rb'"sh\u006fp"'],
            [rb'"a"', rb'"\u0062"'],
            [b"1", b"-0"],
            (b'"n"', b"3"),
        )
    )
    return (
        draw(SPACE) + b"{" + b",".join(key + draw(SPACE) + b":" + value for key, value in fields) + b"}" + draw(SPACE)
    )


@st.composite
def msgpack_payloads(draw):
    fields = draw(
        pairs(
            MSGPACK_KEYS,
            MSGPACK_VALUES,
            [b"\xa4shop", b"\xd9\x04shop"],
            [b"\xa1a", b"\xd9\x01b"],
            [b"\x01", b"\xcc\x02"],
            (b"\xa1n", b"\x03"),
        )
    )
    count = max(0, len(fields) + draw(st.sampled_from([0, 0, 0, 0, 1, -1])))
    heads = [bytes([0x80 | count]), b"\xde\x00" + bytes([count]), b"\xdf\x00\x00\x00" + bytes([count])]
    return draw(st.sampled_from(heads)) + b"".join(key + value for key, value in fields)


def bound(signature, payload, format):
    """What a plug gets, refused as `Runner.start` refuses."""
    value = signature.bind(payload, format)
    if format == JSON and payload.count(COLON) > sure_fields(signature):
        refuse_repeats(payload)
    return value


def compare(signature, payload, format):
    """Whatever the plug takes, the gateway has read the same text in it; what it refuses runs nothing."""
    try:
        value = bound(signature, payload, format)
    except REFUSALS:
        return
    assert GATEWAY(payload, format) == str(required_values(signature, REQUIRES)["shop"](value))


@pytest.mark.parametrize("signature", SIGNATURES, ids=[plug.__name__ for plug in PLUGS])
@given(payload=json_payloads())
@settings(max_examples=200)
def test_both_read_the_same_in_all_json_that_a_plug_takes(signature, payload):
    compare(signature, payload, JSON)


@pytest.mark.parametrize("signature", SIGNATURES, ids=[plug.__name__ for plug in PLUGS])
@given(payload=msgpack_payloads())
@settings(max_examples=200)
def test_both_read_the_same_in_all_messagepack_that_a_plug_takes(signature, payload):
    compare(signature, payload, MSGPACK)


def test_of_a_field_that_is_given_twice_in_messagepack_both_read_the_last():
    payload = b"\x82\xa4shop\xa1a\xa4shop\xa1b"
    assert bound(SIGNATURES[0], payload, MSGPACK).f0 == GATEWAY(payload, MSGPACK) == "b"


async def listed(shop: str, n: int = 0) -> str:
    return shop


class Lowered(Struct):
    shop: str

    def __post_init__(self):
        self.shop = self.shop.lower()


async def lowered(order: Lowered) -> str:
    return order.shop


@dataclasses.dataclass
class Vanishing:
    shop: str

    def __post_init__(self):
        del self.shop


def vanishing(order: Vanishing) -> str:
    return "ran"


async def test_a_plug_runs_on_what_the_gateway_has_read(worker):
    one = await worker(listed, lowered, requires=REQUIRES)
    assert (await one.call(listed, '{"shop":"berlin"}')).value == "berlin"
    assert (await one.call(lowered, '{"shop":"berlin"}')).value == "berlin"
    assert (await one.call(listed, b"\x81\xa4shop\xa6berlin", format=MSGPACK)).ok


@pytest.mark.parametrize(
    ("plug", "payload"),
    [(lowered, '{"shop":"Berlin"}'), (vanishing, '{"shop":"berlin"}')],
    ids=["lowered", "vanishing"],
)
async def test_one_whose_types_make_something_else_of_it_does_not_run(worker, plug, payload):
    answer = await (await worker(plug, requires=REQUIRES)).call(plug, payload)
    assert (answer.code, answer.fault.path) == ("bad_payload", "$.shop")
    assert answer.fault.message == "The field `shop`, by which permissions are checked, can't be read in one way."


async def test_all_fields_are_compared_that_permissions_name(worker):
    class Both(Struct):
        shop: str
        day: int

        def __post_init__(self):
            self.day += 1

    async def it(both: Both) -> None: ...

    requires = (("a:{shop}", "b.{day}"), ("c",))
    answer = await (await worker(it, requires=requires)).call(it, '{"shop":"berlin","day":1}')
    assert answer.fault.path == "$.day"


async def test_an_order_is_held_against_what_the_call_says(worker):
    async def enter(text: str, room: int) -> None: ...

    one = await worker(enter, order="room-{room}")
    payload = '{"text":"Hello","room":5}'
    assert (await one.call(enter, payload, order="room-5")).ok
    assert (await one.call(enter, payload, order="room-6")).fault.path == "$.room"
