import time
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct, msgpack

from plugsock import Raw
from plugsock.model import MSGPACK


class Line(Struct):
    sku: str
    count: Annotated[int, Meta(ge=1)]


async def order(lines: list[Line], note: str = "") -> int:
    return len(lines)


async def whole(line: Line | None = None) -> str:
    return line.sku if line else "nothing"


async def anything(value: Any = None) -> str:
    return type(value).__name__


async def ratio(value: float) -> str:
    return "a number"


async def raw(payload: Raw) -> str:
    return f"{payload.format}: {len(payload)}"


ALL = (order, whole, anything, ratio, raw)

NOT_EVEN_JSON = {
    "100k brackets": b'{"value":' + b"[" * 100_000,
    "100k braces": b'{"value":' + b'{"a":' * 100_000,
    "an integer of 1 MB": b'{"value":' + b"9" * 1_000_000 + b"}",
    "a float of 1 MB": b'{"value":' + b"9" * 1_000_000 + b".5}",
    "a float that is infinite": b'{"value":1e999}',
    "NaN": b'{"value":NaN}',
    "Infinity": b'{"value":-Infinity}',
    "half a surrogate pair": b'{"value":"\\ud800"}',
    "the other half": b'{"value":"\\udc00x"}',
    "a byte order mark": b'\xef\xbb\xbf{"value":1}',
    "a key of 10 MB": b'{"' + b"k" * 10_000_000 + b'":1}',
    "two payloads": b'{"value":1}{"value":2}',
    "half a payload": b'{"value":',
    "no UTF-8": b'{"value":"\xff"}',
    "a NUL": b'{"value":\x00}',
    "a list": b"[1]",
    "a comment": b'{"value":1 /* one */}',
    "a trailing comma": b'{"value":1,}',
    "single quotes": b"{'value':1}",
    "hexadecimal": b'{"value":0x10}',
    "an unknown field": b'{"value":1,"other":2}',
    "the same field twice": b'{"value":1,"value":2}',
}


@pytest.mark.fault("W21")
@pytest.mark.parametrize("payload", NOT_EVEN_JSON.values(), ids=NOT_EVEN_JSON)
@pytest.mark.parametrize("event", ["anything", "ratio"])
async def test_bad_json_is_refused_at_once_and_the_worker_goes_on(worker, event, payload):
    one = await worker(*ALL)
    took_s = []
    for _ in range(3):  # other processes push this one's data out of the caches
        before = time.process_time()
        refused = await one.call(event, payload)
        took_s.append(time.process_time() - before)
        assert refused.code == "bad_payload"
        assert len(refused.payload) < 1000
    assert min(took_s) < 0.05
    assert (await one.call("ratio", '{"value":1}')).value == "a number"


@pytest.mark.fault("W21")
@pytest.mark.parametrize(
    "payload",
    [
        b"\x81\xa5value" + b"\x91" * 100_000 + b"\xc0",
        b"\x81\xa5value\xdd\xff\xff\xff\xff",
        b"\x81\xa5value\xa1\xff",
        b"\xc1",
    ],
    ids=["100k arrays", "an array of 4 billion", "no UTF-8", "a byte that means nothing"],
)
async def test_bad_messagepack_is_refused(worker, payload):
    one = await worker(*ALL)
    refused = await one.call(anything, payload, format=MSGPACK)
    assert msgpack.decode(refused.payload)["code"] == "bad_payload"


@pytest.mark.parametrize(
    ("event", "payload", "path", "message"),
    [
        ("order", '{"lines":[{"sku":"tea","count":0}]}', "$.lines[0].count", "Expected `int` >= 1."),
        ("order", '{"lines":[{"sku":1,"count":1}]}', "$.lines[0].sku", "Expected `str`, got `int`."),
        ("order", '{"lines":[{"sku":"tea"}]}', "$.lines[0]", "Object missing required field `count`."),
        ("order", "{}", "$", "Object missing required field `lines`."),
        ("order", "", "$", "Object missing required field `lines`."),
        ("order", '{"lines":[],"x":1}', "$", "Object contains unknown field `x`."),
        ("order", "[]", "$", "Expected `object`, got `array`."),
        ("whole", '"tea"', "$", "Expected `object | null`, got `str`."),
    ],
)
async def test_what_does_not_fit_is_told_with_its_place_and_what_was_expected(worker, event, payload, path, message):
    refused = await (await worker(*ALL)).call(event, payload)
    assert (refused.code, refused.fault.path, refused.fault.message) == ("bad_payload", path, message)


async def test_the_function_does_not_run_on_what_does_not_fit(worker):
    ran = []

    async def count(number: int) -> None:
        ran.append(number)

    await (await worker(count)).call("count", '{"number":"one"}')
    assert ran == []


@pytest.mark.parametrize("payload", ["", "null"])
async def test_nothing_as_a_payload_means_no_arguments(worker, payload):
    one = await worker(*ALL)
    assert (await one.call(anything, payload)).value == "NoneType"
    assert (await one.call(whole, payload)).value == "nothing"


async def test_a_raw_payload_is_not_looked_into(worker):
    one = await worker(*ALL)
    assert (await one.call(raw, b'{"value":NaN')).value == "json: 12"


async def test_a_raw_payload_of_a_binary_frame_may_be_any_bytes(worker):
    answer = await (await worker(*ALL)).call(raw, b"\xc1\x00\xff", format=MSGPACK)
    assert msgpack.decode(answer.payload) == "msgpack: 3"


async def test_a_type_of_the_plug_that_raises_is_the_plugs_fault(worker):
    class Picky(Struct):
        value: int

        def __post_init__(self) -> None:
            raise SystemExit(3)

    async def pick(it: Picky) -> None: ...

    one = await worker(pick, ratio)
    assert (await one.call(pick, '{"value":1}')).code == "plug_error"
    assert (await one.call(ratio, '{"value":1}')).ok


async def test_a_type_of_the_plug_may_refuse_a_value(worker):
    class Even(Struct):
        value: int

        def __post_init__(self) -> None:
            if self.value % 2:
                raise ValueError("odd")

    async def halve(it: Even) -> int:
        return it.value // 2

    refused = await (await worker(halve)).call(halve, '{"value":1}')
    assert (refused.code, refused.fault.message) == ("bad_payload", "odd.")


async def test_a_call_of_a_revision_that_is_not_served_is_gone(worker):
    refused = await (await worker(*ALL)).call(ratio, '{"value":1}', revision="00000000")
    assert refused.code == "gone"
