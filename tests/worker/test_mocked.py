"""Made-up answers as a worker gives them, and what it says of a plug without a body."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from plugsock import Raw, User
from plugsock.loader import signature
from plugsock.loader.catalog import Plug
from plugsock.loader.declare import Options
from plugsock.loader.examples import checked_examples
from plugsock.mock import pace
from plugsock.model import MSGPACK, Announcement, Fault
from plugsock.rpc.frames import MOCK, VIEW, Kick
from plugsock.rpc.views import Asked, Told, encode, read_told
from plugsock.worker.run import Runner
from support.working import REVISION, Worker


class Receipt(Struct):
    sku: str
    at: dt.datetime
    total: Annotated[float, Meta(gt=0)]


class Forever(Struct):
    next: "Forever"


async def place(sku: str, count: int = 1) -> Receipt:
    raise AssertionError("no plug is run")


def place_in_a_thread(sku: str, count: int = 1) -> Receipt:
    raise AssertionError("no plug is run")


async def mine(user: User) -> str:
    raise AssertionError("no plug is run")


async def forever() -> Forever:
    raise AssertionError("no plug is run")


async def echo(data: Raw) -> Raw:
    return data


async def numbers(upto: int) -> AsyncIterator[int]:
    raise AssertionError("no plug is run")
    yield 1


def one_of(function: Any, *, fault: str = "", is_shape: bool = False, examples: list[Any] | None = None) -> Worker:
    """A worker with a function that is, or is not, a shape, and has examples."""
    made = Worker()
    read = signature.read(function, function.__name__, is_shape=is_shape)
    said = Announcement(function.__name__, REVISION, read.kind, read.input_text, read.output_text, "", "test.py:1")
    options = Options(examples=checked_examples(examples or []))
    made.table.commit(2, [Plug(said, function, read, options, "plugs.test")], [])
    made.runner = Runner(made.sink, made.table, fault=fault)
    return made


@pytest.fixture
def quick(monkeypatch):
    """Streams without pauses: how long these are, `mock.pace` tells."""
    monkeypatch.setattr(pace, "pauses", lambda _seed, count=None: iter([0.0] * (7 if count is None else count)))


async def value(one: Worker, function: Any, payload: bytes = b"", type: Any = Any, **more: Any) -> Any:
    answer = await one.call(function, payload, flags=MOCK, **more)
    assert answer.ok, answer.payload
    return (msgspec.msgpack if more.get("format") else msgspec.json).decode(answer.payload, type=type)


@pytest.mark.parametrize("function", [place, place_in_a_thread], ids=lambda each: each.__name__)
async def test_the_answer_fits_and_the_plug_is_not_run(function):
    made = await value(one_of(function), function, b'{"sku":"tea"}', Receipt)

    assert made.total > 0


async def test_the_same_arguments_get_the_same_answer_in_every_worker_and_format():
    payloads = [b'{"sku":"tea"}', b'{ "count": 1, "sku": "tea" }']
    found = [await value(one_of(place), place, payload, Receipt) for payload in payloads]
    found.append(await value(one_of(place), place, msgspec.msgpack.encode({"sku": "tea"}), Receipt, format=MSGPACK))

    assert found[0] == found[1] == found[2]
    assert found[0] != await value(one_of(place), place, b'{"sku":"milk"}', Receipt)


async def test_what_does_not_fit_is_refused_as_always():
    assert (await one_of(place).call(place, b'{"sku":1}', flags=MOCK)).fault.code == "bad_payload"


async def test_who_calls_does_not_matter_where_no_plug_is_run():
    assert isinstance(await value(one_of(mine), mine, b"{}"), str)


async def test_raw_bytes_are_made_up_too():
    assert set(await value(one_of(echo), echo, b'{"a":1}')) == {"made_up"}


async def test_what_can_not_be_made_up_is_said():
    fault = (await one_of(forever).call(forever, flags=MOCK)).fault

    assert fault.code == "plug_error"
    assert fault.message == "forever: no value of `Forever` can be made up: it would never end."


async def test_an_example_with_the_same_arguments_is_the_answer():
    receipt = Receipt("tea", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 3.5)
    wrong = ({"sku": 1}, receipt)
    one = one_of(place, examples=[{"sku": "tea"}, wrong, ({"sku": "tea", "count": 1}, receipt)])

    assert await value(one, place, b'{"sku":"tea"}', Receipt) == receipt
    assert await value(one, place, b'{"sku":"milk"}', Receipt) != receipt


# Streams.


async def items(one: Worker, payload: bytes, **more: Any) -> list[Any]:
    sequence = one.start(numbers, payload, flags=MOCK, **more)
    answer = await one.sink.answer_of(sequence)
    assert answer.ok, answer.payload
    return one.sink.items(sequence)


async def test_a_stream_has_items_that_fit(quick):
    found = await items(one_of(numbers), b'{"upto":3}')

    assert len(found) == 7
    assert len(set(found)) > 3
    assert found == await items(one_of(numbers), b'{"upto":3}')


async def test_the_example_of_a_stream_is_its_items(quick):
    one = one_of(numbers, examples=[({"upto": 3}, [1, 2, 3])])

    assert await items(one, b'{"upto":3}') == [1, 2, 3]
    assert len(await items(one, b'{"upto":4}')) == 7


async def test_a_stream_waits_for_credit(quick):
    one = one_of(numbers)
    sequence = one.start(numbers, b'{"upto":3}', flags=MOCK, credit=2)
    await asyncio.sleep(0.01)
    assert len(one.sink.items(sequence)) == 2

    one.runner.more(sequence, 100)
    await one.sink.answer_of(sequence)
    assert len(one.sink.items(sequence)) == 7


# Views.


async def told(one: Worker, **asked: Any) -> Told:
    sequence = one.start(place, encode(Asked(b'{"sku":"tea"}', **asked)), socket="", flags=VIEW | MOCK)
    answer = await one.sink.answer_of(sequence)
    assert answer.ok, answer.payload
    return read_told(answer.payload)


async def test_a_view_says_when_it_changes_and_to_what():
    first, second = [await told(one_of(place), number=number) for number in (0, 1)]

    assert first.json != second.json
    assert all(pace.SOONEST_S <= each.again_s <= pace.LATEST_S for each in (first, second))
    assert first == await told(one_of(place))


async def test_a_view_that_fails_changes_all_the_same():
    found = await told(one_of(place, fault="error=100%"))

    assert msgspec.json.decode(found.fault, type=Fault).code == "plug_error"
    assert found.again_s > 0


# Faults.


async def test_errors_are_made_up():
    fault = (await one_of(place, fault="error=100%").call(place, b'{"sku":"tea"}', flags=MOCK)).fault

    assert (fault.code, fault.message, fault.ref) == ("plug_error", "This error was made up by --fault.", None)


async def test_latency_is_waited():
    loop = asyncio.get_running_loop()
    began = loop.time()
    await value(one_of(place, fault="latency=50ms"), place, b'{"sku":"tea"}')

    assert loop.time() - began >= 0.05


async def test_a_connection_is_cut_before_it_is_answered():
    one = one_of(place, fault="drop=100%")
    await value(one, place, b'{"sku":"tea"}')
    assert one.sink.emits() == [Kick("s1", 1011, "made up by --fault", 0)]

    await told(one)  # of a view that is nobody's own
    assert len(one.sink.emits()) == 1


async def test_what_is_real_has_no_faults():
    assert (await one_of(echo, fault="error=100%,drop=100%,latency=60s").call(echo, b"1")).value == 1


# Shapes.


async def bodiless(sku: str) -> int: ...


def bodiless_in_a_thread(sku: str) -> int: ...


def bodiless_stream(sku: str) -> AsyncIterator[int]: ...


BODILESS = pytest.mark.parametrize(
    "function", [bodiless, bodiless_in_a_thread, bodiless_stream], ids=lambda f: f.__name__
)


@BODILESS
async def test_a_shape_is_not_implemented(function):
    one = one_of(function, is_shape=True)
    fault = (await one.call(function, b'{"sku":"tea"}')).fault

    assert (fault.code, fault.retry) == ("not_implemented", False)
    assert fault.message == f"`{function.__name__}` is a shape: it has no body yet."
    assert (await one.call(function, b'{"sku":1}')).fault.code == "bad_payload"


@BODILESS
async def test_a_shape_has_made_up_answers(function, quick):
    one = one_of(function, is_shape=True)

    assert (await one.call(function, b'{"sku":"tea"}', flags=MOCK)).ok
