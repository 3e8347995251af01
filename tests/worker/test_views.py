"""Runs of views: what they are asked for, and what they tell."""

import asyncio
import datetime as dt
import threading
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from plugsock import Error, Raw, Server, Socket, User, blocking
from plugsock.model import JSON, MSGPACK, Fault, Reach
from plugsock.rpc.frames import EXPLAIN, VIEW, Reply
from plugsock.rpc.views import Asked, Told, encode, read_told
from plugsock.worker.mouth import MOST_READ
from support.recording import Ended
from support.working import Worker, until

pack = msgspec.msgpack.encode


def start(one: Worker, view: Any, arguments: bytes = b"", *, format: int = JSON, socket: str = "", **asked: Any) -> int:
    return one.start(view, encode(Asked(arguments, **asked)), format=format, socket=socket, flags=VIEW)


async def told(one: Worker, view: Any, arguments: bytes = b"", **more: Any) -> Told:
    answer = await one.sink.answer_of(start(one, view, arguments, **more))
    assert answer.ok, answer.payload
    return read_told(answer.payload)


def fault(told: Told) -> Fault:
    assert (told.json, told.msgpack, told.patch, told.msgpack_patch) == (b"", None, None, None)
    return msgspec.json.decode(told.fault, type=Fault)


async def total(shop: str, days: int = 7) -> dict[str, Any]:
    return {"shop": shop, "days": days}


def total_in_a_thread(shop: str, days: int = 7) -> dict[str, Any]:
    return {"shop": shop, "days": days}


async def slow_total(shop: str, days: int = 7) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"shop": shop, "days": days}


STYLES = pytest.mark.parametrize("view", [total, total_in_a_thread, slow_total], ids=lambda view: view.__name__)


@STYLES
async def test_a_run_tells_the_value(worker, view):
    one = await worker(view)
    assert await told(one, view, b'{"shop":"x"}') == Told(json=b'{"shop":"x","days":7}')


@STYLES
async def test_as_messagepack_too_if_somebody_wants_that(worker, view):
    result = await told(await worker(view), view, pack({"shop": "x"}), format=MSGPACK, msgpack=True)
    assert result == Told(json=b'{"shop":"x","days":7}', msgpack=pack({"shop": "x", "days": 7}))


@STYLES
async def test_a_view_can_be_called_like_any_plug(worker, view):
    assert (await (await worker(view)).call(view, '{"shop":"x"}')).value == {"shop": "x", "days": 7}


async def test_a_run_can_say_where_its_time_went(worker):
    one = await worker(total)
    answer = await one.call(total, encode(Asked(b'{"shop":"x"}')), flags=VIEW | EXPLAIN)
    assert answer.ran_s > 0
    assert answer.details.decoded_s > 0


# What it depends on.


async def test_what_a_run_has_read_is_told_once_each(worker):
    async def read(server: Server) -> int:
        server.reads("orders/42", "stock/*")
        await asyncio.sleep(0)
        server.reads("orders/42", "a")
        return 1

    def read_in_a_thread(server: blocking.Server) -> int:
        server.reads("orders/42")
        return 1

    one = await worker(read, read_in_a_thread)
    assert (await told(one, read)).reads == ["orders/42", "stock/*", "a"]
    assert (await told(one, read_in_a_thread)).reads == ["orders/42"]
    assert (await told(one, read)).reads == ["orders/42", "stock/*", "a"]


async def test_who_is_in_a_topic_is_read_too(worker):
    async def here(server: Server) -> int:
        return len(await server.members("room.kitchen"))

    one = await worker(here)
    sequence = start(one, here)
    asked = await one.sink.question()
    one.runner.mouth.told(asked.number, Reply(Reach()))
    answer = await one.sink.answer_of(sequence)
    assert read_told(answer.payload) == Told(json=b"0", reads=["@members/room.kitchen"])


async def test_a_run_that_raises_tells_what_it_has_read_before(worker):
    async def fail(server: Server) -> None:
        server.reads("orders")
        raise RuntimeError

    assert (await told(await worker(fail), fail)).reads == ["orders"]


async def test_a_run_reads_so_many_keys_and_no_more(worker):
    async def read(server: Server, count: int) -> None:
        server.reads("first")
        server.reads(*(f"orders/{n}" for n in range(count - 1)))

    one = await worker(read, dev=True)
    assert len((await told(one, read, b'{"count":%d}' % MOST_READ)).reads) == MOST_READ
    result = await told(one, read, b'{"count":%d}' % (MOST_READ + 1))
    assert "a view reads at most 1000 keys" in result.fault.decode()
    assert result.reads == ["first"]


# What goes wrong.


@pytest.mark.parametrize("style", ["async", "thread"])
async def test_a_run_that_raises_tells_a_fault_as_json_whatever_the_arguments_are(worker, style, capsys):
    async def fail(shop: str) -> None:
        raise RuntimeError("secret")

    def fail_in_a_thread(shop: str) -> None:
        raise RuntimeError("secret")

    view = fail if style == "async" else fail_in_a_thread
    wrong = fault(await told(await worker(view), view, pack({"shop": "x"}), format=MSGPACK, msgpack=True))
    assert wrong.code == "plug_error"
    assert wrong.ref in wrong.message
    assert wrong.ref in capsys.readouterr().err


async def test_an_answer_of_its_own_is_told_as_it_is(worker):
    async def refuse() -> None:
        raise Error("closed", "We are closed.", retry=True, after=2.0, data={"until": 9})

    wrong = fault(await told(await worker(refuse), refuse))
    assert wrong == Fault("closed", "We are closed.", retry=True, after_ms=2000, data={"until": 9})


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (float("nan"), "plug_error", "JSON has no word for"),
        ({"a": [float("inf")]}, "plug_error", "`$.a[0]` is inf"),
        (2**70, "plug_error", "beyond 64 bits"),
        (object(), "plug_error", "its answer can't be sent"),
        ("x" * 100, "too_large", "an answer may have 100"),
        (Raw(b"{"), "plug_error", "must be JSON"),
    ],
    ids=lambda value: str(value)[:15],
)
async def test_a_value_that_can_not_be_sent_is_a_fault(worker, value, code, said):
    async def give() -> Any:
        return value

    wrong = fault(await told(await worker(give, max_answer=100), give, msgpack=True))
    assert wrong.code == code
    assert said in wrong.message


@pytest.mark.parametrize("only_named", [False, True])
@pytest.mark.parametrize("format", [JSON, MSGPACK])
async def test_arguments_that_do_not_fit_are_an_error_in_their_own_format(worker, format, only_named):
    one = await worker(total)
    encoded = (msgspec.json, msgspec.msgpack)[format]
    sequence = start(one, total, encoded.encode({"shop": 7}), format=format, only_named=only_named)
    answer = await one.sink.answer_of(sequence)
    assert not answer.ok
    wrong = encoded.decode(answer.payload, type=Fault)
    assert (wrong.code, wrong.path) == ("bad_payload", "$.shop")


@pytest.mark.parametrize(
    "arguments", [b'{"shop":"x","shop":"x"}', b'{"shop":', b'{"shop":"\xff"}', b'{"shop":"x","more":1}']
)
async def test_so_are_those_that_nobody_can_read(worker, arguments):
    one = await worker(total)
    answer = await one.sink.answer_of(start(one, total, arguments))
    assert answer.code == "bad_payload"


async def test_so_is_a_field_that_the_gateway_has_read_otherwise(worker):
    class Shop(Struct):
        shop: str

        def __post_init__(self) -> None:
            self.shop = self.shop.lower()

    async def sales(shop: Shop) -> None: ...

    one = await worker(sales, requires=(("sales.read:{shop}",),))
    for only_named in (False, True):
        answer = await one.sink.answer_of(start(one, sales, b'{"shop":"Berlin"}', only_named=only_named))
        assert answer.code == "bad_payload"
        answer = await one.sink.answer_of(start(one, sales, b'{"shop":"berlin"}', only_named=only_named))
        assert answer.ok


async def test_a_revision_that_is_served_no_more_is_gone(worker):
    one = await worker(total)
    answer = await one.call(total, encode(Asked(b'{"shop":"x"}')), flags=VIEW, revision="another")
    assert answer.code == "gone"


async def test_where_no_thread_is_left_it_does_not_run(worker):
    entered, may_end = threading.Event(), threading.Event()

    def block() -> None:
        entered.set()
        may_end.wait()

    one = await worker(block, threads=1)
    blocked = one.start(block)
    entered.wait()
    one.runner.cancel(blocked)
    sequence = start(one, block, b"", format=MSGPACK)
    answer = await one.sink.answer_of(sequence)
    assert msgspec.msgpack.decode(answer.payload, type=Fault).code == "overloaded"
    may_end.set()
    await until(lambda: one.runner.lost_threads == 0)


# For whom it runs.


async def test_one_for_everybody_runs_for_nobody(worker):
    async def who(user: User | None) -> str | None:
        return user and user.id

    one = await worker(who)
    one.meet("s1", "ada")
    assert [(await told(one, who, socket=socket)).json for socket in ("", "s1")] == [b"null", b'"ada"']


async def test_one_that_needs_a_user_does_not_run_for_nobody_and_names_arguments_all_the_same(worker):
    async def mine(user: User, day: int) -> str:
        return user.id

    one = await worker(mine)
    one.meet("s1", "ada")
    assert (await one.sink.answer_of(start(one, mine, b'{"day":1}'))).code == "unauthorized"
    assert (await told(one, mine, b'{"day":1}', socket="s1")).json == b'"ada"'
    assert (await told(one, mine, b'{"day":1}', only_named=True)).name


async def test_it_may_speak_to_its_socket_until_it_is_ended(worker):
    ended = asyncio.Event()

    async def speak(socket: Socket) -> None:
        socket.send("n")
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    one = await worker(speak)
    sequence = start(one, speak, socket="s2")
    assert [(emit.socket, emit.sequence) for emit in one.sink.emits()] == [("s2", sequence)]
    one.runner.cancel(sequence)
    await ended.wait()
    await asyncio.sleep(0)
    assert one.sink.said[1:] == [Ended(sequence)]


# What arguments are called.


class Range(Struct):
    first: dt.date
    last: dt.date | None = None


async def name(one: Worker, view: Any, arguments: bytes, format: int = JSON) -> bytes:
    result = await told(one, view, arguments, format=format, only_named=True)
    assert result == Told(name=result.name)
    assert len(result.name) >= 16
    return result.name


async def names(view: Any, *spellings: Any) -> int:
    """How many names spellings have: bytes are JSON, everything else is encoded as MessagePack."""
    one = Worker(view)
    found = {
        await name(one, view, *((each, JSON) if isinstance(each, bytes) else (pack(each), MSGPACK)))
        for each in spellings
    }
    assert one.sink.emits() == []
    await one.runner.stop()
    return len(found)


async def test_the_same_arguments_have_one_name_however_they_are_spelt():
    async def view(a: int, b: int = 2) -> None:
        raise AssertionError

    spellings = (b'{"a":1}', b' { "a": 1 } ', b'{"b":2,"a":1}', b'{"\\u0061":1}', {"a": 1}, {"a": 1, "b": 2})
    assert await names(view, *spellings) == 1
    assert await names(view, *spellings, b'{"a":2}', b'{"a":1,"b":3}') == 3


async def test_no_arguments_have_one_name_too():
    async def view(a: int = 1) -> None: ...

    assert await names(view, b"", b"{}", b"null", b'{"a":1}', {}, None) == 1


async def test_so_have_one_object_and_types_of_all_kinds():
    async def ranged(range: Range) -> None: ...

    same = (b'{"first":"2026-01-02"}', b'{"last":null,"first":"2026-01-02"}', {"first": "2026-01-02"})
    assert await names(ranged, *same) == 1
    assert await names(ranged, *same, b'{"first":"2026-01-02","last":"2026-01-03"}') == 2

    async def typed(x: float, tags: set[str] = frozenset(), of: dict[int, str] = {}) -> None: ...  # noqa: B006

    assert await names(typed, b'{"x":1}', b'{"x":1.0}', b'{"x":1e0,"tags":[],"of":{}}', {"x": 1.0}) == 1
    assert await names(typed, b'{"x":1,"tags":["a","b","c"]}', b'{"x":1,"tags":["c","b","a","a"]}') == 1
    assert await names(typed, b'{"x":1,"of":{"1":"a"}}', {"x": 1.0, "of": {1: "a"}}, b'{"x":1,"of":{"2":"a"}}') == 2


async def test_what_a_plug_can_tell_apart_has_names_of_its_own():
    async def anything(x: Any) -> None: ...

    assert await names(anything, b'{"x":null}', {"x": float("nan")}, {"x": float("inf")}) == 3
    assert await names(anything, b'{"x":1}', b'{"x":1.0}', b'{"x":true}', b'{"x":"1"}') == 4
    assert await names(anything, b'{"x":"YQ=="}', {"x": b"a"}) == 2
    assert await names(anything, b'{"x":1180591620717411303424}', b'{"x":1180591620717411303425}') == 2
    assert await names(anything, {"x": {1: 2}}, {"x": {"1": 2}}, {"x": {1: 2, "a": 3}}) == 3

    async def moment(x: dt.datetime) -> None: ...

    assert await names(moment, b'{"x":"2026-01-02T00:00:00Z"}', b'{"x":"2026-01-02T01:00:00+01:00"}') == 2


async def test_raw_arguments_are_called_by_their_bytes_and_format():
    async def raw(payload: Raw) -> None: ...

    one = Worker(raw)
    given = (b"1", JSON), (b" 1", JSON), (b"1", MSGPACK)
    assert len({await name(one, raw, *each) for each in given}) == 3
    assert await name(one, raw, b"1") == await name(one, raw, b"1")
    await one.runner.stop()


async def test_arguments_that_can_not_be_written_down_are_a_failure_of_the_plugs_types(worker):
    class Odd(Struct):
        x: Any

        def __post_init__(self) -> None:
            self.x = object()

    async def view(odd: Odd) -> None: ...

    one = await worker(view)
    answer = await one.sink.answer_of(start(one, view, b'{"x":1}', only_named=True))
    assert answer.code == "plug_error"


# Raw values.


async def test_a_raw_value_is_json_and_becomes_messagepack(worker):
    async def given() -> Raw:
        return Raw(b'{ "a": [1, null] }')

    async def declared() -> Raw:
        return b'{"a":1}'

    one = await worker(given, declared)
    assert await told(one, given, msgpack=True) == Told(json=b'{ "a": [1, null] }', msgpack=pack({"a": [1, None]}))
    assert await told(one, declared, msgpack=True) == Told(json=b'{"a":1}', msgpack=pack({"a": 1}))


# Patches.


async def grown(count: int) -> dict[str, Any]:
    return {"count": count, "photo": b"x" * 30, "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC)}


async def test_what_has_changed_is_told_beside_the_value(worker):
    one = await worker(grown)
    before = await told(one, grown, b'{"count":1}', msgpack=True)
    after = await told(one, grown, b'{"count":2}', base=before.json)
    assert (after.patch, after.msgpack_patch) == (b'{"count":2}', None)
    assert after.json == before.json.replace(b":1,", b":2,")


async def test_as_messagepack_it_has_the_values_of_messagepack(worker):
    one = await worker(grown)
    base = b'{"count":1,"photo":"","at":"","more":1,"%b":2}' % (b"x" * 200)
    after = await told(one, grown, b'{"count":1}', base=base, msgpack=True)
    assert after.patch is None  # it would be longer than the value
    base = b'{"count":1,"photo":"","at":"2026-01-02T00:00:00Z","more":1}'
    after = await told(one, grown, b'{"count":1}', base=base, msgpack=True)
    assert msgspec.json.decode(after.patch)["more"] is None
    assert msgspec.msgpack.decode(after.msgpack_patch) == {"more": None, "photo": b"x" * 30}


@pytest.mark.parametrize("base", [b"", b"[1]", b'{"count":null}', b'{"longer":1,"than":2,"the":3,"value":4}'])
async def test_where_there_is_no_shorter_way_to_say_it_only_the_value_is_told(worker, base):
    async def count() -> dict[str, int]:
        return {"count": 1}

    after = await told(await worker(count), count, base=base, msgpack=True)
    assert (after.json, after.patch, after.msgpack_patch) == (b'{"count":1}', None, None)


async def test_in_values_of_more_than_a_megabyte_no_change_is_looked_for(worker):
    async def big(length: int) -> dict[str, str]:
        return {"big": "x" * length, "small": "y"}

    one = await worker(big, max_answer=1 << 22)
    before = await told(one, big, b'{"length":1000000}')
    assert (await told(one, big, b'{"length":1000000}', base=before.json)).patch == b"{}"
    before = await told(one, big, b'{"length":2000000}')
    assert (await told(one, big, b'{"length":2000000}', base=before.json)).patch is None
    assert (await told(one, big, b'{"length":5}', base=before.json)).patch is None
