import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, field, msgpack

from plugsock.loader.catalog import Plug
from plugsock.model import MSGPACK
from plugsock.ops import log
from plugsock.rpc.frames import EXPLAIN
from plugsock.worker.run import Runner
from plugsock.worker.table import Table
from plugsock.worker.threads import CAPACITY
from support.recording import Ended, RecordingSink
from support.working import Worker, plug_of, until


async def greet(name: str, times: int = 1) -> list[str]:
    return [f"Hello, {name}!"] * times


async def slow_greet(name: str) -> str:
    await asyncio.sleep(0)
    return f"Hello, {name}!"


def plain_greet(name: str) -> str:
    return f"Hello, {name}!"


async def test_an_async_plug_that_does_not_wait_is_answered_before_start_returns(worker):
    one = await worker(greet)
    sequence = one.start(greet, '{"name":"Ada","times":2}')
    assert [answer.value for answer in one.sink.answers(sequence)] == [["Hello, Ada!", "Hello, Ada!"]]


@pytest.mark.parametrize("plug", [slow_greet, plain_greet], ids=lambda plug: plug.__name__)
async def test_one_that_waits_or_runs_in_a_thread_is_answered_later(worker, plug):
    one = await worker(plug)
    sequence = one.start(plug, '{"name":"Ada"}')
    assert one.sink.said == []
    assert (await one.sink.answer_of(sequence)).value == "Hello, Ada!"


async def test_an_answer_uses_the_format_of_its_call(worker):
    answer = await (await worker(slow_greet)).call(slow_greet, msgpack.encode({"name": "Ada"}), format=MSGPACK)
    assert msgpack.decode(answer.payload) == "Hello, Ada!"


async def test_a_plug_may_return_nothing(worker):
    async def forget() -> None: ...

    assert (await (await worker(forget)).call(forget)).payload == b"null"


async def test_a_plain_plug_runs_beside_the_loop(worker):
    ran_in = []

    def where() -> None:
        ran_in.append(threading.current_thread())

    await (await worker(where)).call(where)
    assert ran_in[0] is not threading.current_thread()
    assert ran_in[0].daemon


async def test_a_plain_plug_that_blocks_holds_up_nobody(worker):
    may_end = threading.Event()

    def block() -> str:
        may_end.wait()
        return "at last"

    one = await worker(block, greet)
    blocked = one.start(block)
    assert (await one.call(greet, '{"name":"Ada"}')).ok
    may_end.set()
    assert (await one.sink.answer_of(blocked)).value == "at last"


async def test_the_time_in_the_plug_is_told(worker):
    async def wait() -> None:
        await asyncio.sleep(0.02)

    answer = await (await worker(wait)).call(wait)
    assert 0.015 < answer.ran_s < 5
    assert answer.details is None


@pytest.mark.parametrize("plug", [greet, slow_greet, plain_greet], ids=lambda plug: plug.__name__)
async def test_a_call_that_wants_to_know_is_told_where_its_time_went(worker, plug):
    answer = await (await worker(plug)).call(plug, '{"name":"Ada"}', flags=EXPLAIN)
    assert answer.ok
    assert 0 < answer.details.decoded_s < 5
    assert 0 < answer.details.encoded_s < 5
    assert 0 <= answer.details.waited_s < 5


async def test_after_a_cancel_nothing_is_answered(worker):
    cleaned = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    one = await worker(wait)
    sequence = one.start(wait)
    one.runner.cancel(sequence)
    await cleaned.wait()
    await asyncio.sleep(0)
    assert one.sink.said == [Ended(sequence)]


async def test_a_plug_that_will_not_be_cancelled_is_not_answered_either(worker):
    ended = asyncio.Event()

    async def insist() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        ended.set()
        return "still here"

    one = await worker(insist)
    sequence = one.start(insist)
    one.runner.cancel(sequence)
    await ended.wait()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert one.sink.said == [Ended(sequence)]


async def test_a_cancelled_run_has_ended_when_its_finally_has(worker):
    entered, may_end = asyncio.Event(), asyncio.Event()

    async def clean_up() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            entered.set()
            await may_end.wait()

    one = await worker(clean_up)
    sequence = one.start(clean_up)
    one.runner.cancel(sequence)
    one.runner.cancel(sequence)
    await entered.wait()
    assert one.sink.said == []
    may_end.set()
    await one.sink.until(lambda: one.sink.said)
    await asyncio.sleep(0)
    assert one.sink.said == [Ended(sequence)]


async def test_a_cancel_after_the_answer_and_of_an_unknown_call_are_ignored(worker):
    one = await worker(greet)
    answer = await one.call(greet, '{"name":"Ada"}')
    one.runner.cancel(answer.sequence)
    one.runner.cancel(999)
    one.runner.more(999, 1)
    assert (await one.call(greet, '{"name":"Ada"}')).ok
    assert not [said for said in one.sink.said if isinstance(said, Ended)]


async def test_stop_ends_what_runs_without_answering():
    cleaned = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    one = Worker(wait)
    await asyncio.sleep(0)
    one.start(wait)
    await one.runner.stop()
    await asyncio.sleep(0)
    assert cleaned == [True]
    assert one.sink.said == []


class Note(Struct):
    words: list[str]


@pytest.mark.fault("P11")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(max_size=5), max_size=4), users=st.lists(st.sampled_from(["s1", "s2", "s3"]), min_size=1))
def test_what_a_plug_does_to_its_arguments_is_not_seen_by_the_next_call(words, users):
    async def add(words: list[str] = words, marks: dict[str, list[int]] = {"a": [1]}) -> Any:  # noqa: B006
        seen = [*words], {key: [*value] for key, value in marks.items()}
        words.append("added")
        marks["a"].append(2)
        marks["b"] = []
        return seen

    async def story() -> None:
        one = Worker(add)
        await asyncio.sleep(0)
        for user in users:
            assert (await one.call(add, socket=user)).value == [words, {"a": [1]}]
        await one.runner.stop()
        await asyncio.sleep(0)

    asyncio.run(story())


@pytest.mark.fault("P11")
async def test_the_same_payload_gives_a_new_object_each_time(worker):
    async def add(note: Note) -> int:
        note.words.append("added")
        return len(note.words)

    one = await worker(add)
    payload = '{"words":["one"]}'
    assert [(await one.call(add, payload)).value for _ in range(3)] == [2, 2, 2]


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_a_context_variable_of_one_call_is_not_seen_by_another(worker, style):
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    if style == "async":

        async def swap(mine: str) -> str:
            seen = variable.get("nothing")
            variable.set(mine)
            await asyncio.sleep(0)
            assert variable.get() == mine
            return seen
    else:

        def swap(mine: str) -> str:
            seen = variable.get("nothing")
            variable.set(mine)
            return seen

    one = await worker(swap, threads=1)
    assert [(await one.call(swap, f'{{"mine":"{n}"}}')).value for n in range(3)] == ["nothing"] * 3


async def test_a_decorated_async_plug_may_give_any_awaitable(worker):
    class Later:
        def __await__(self):
            yield
            return "later"

    async def wrapped() -> str: ...

    one = await worker()
    plug = plug_of(wrapped)
    one.table.commit(2, [Plug(plug.announcement, Later, plug.signature, plug.options, plug.module)], [])
    assert (await one.call("wrapped")).value == "later"


async def test_a_decorator_around_an_async_plug_that_raises_is_a_plug_error(worker):
    async def wrapped() -> str: ...

    def refuse() -> None:
        raise ValueError

    one = await worker()
    plug = plug_of(wrapped)
    one.table.commit(2, [Plug(plug.announcement, refuse, plug.signature, plug.options, plug.module)], [])
    assert (await one.call("wrapped")).code == "plug_error"


async def test_a_plug_that_will_not_end_holds_up_no_stop(capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.run.STOP_S", 0.01)
    may_end = asyncio.Event()

    async def insist() -> None:
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue

    one = Worker(insist)
    await asyncio.sleep(0)
    one.start(insist)
    await one.runner.stop()
    assert "plugs did not end when they were cancelled  calls=1" in capsys.readouterr().err
    may_end.set()
    for _ in range(3):
        await asyncio.sleep(0)


async def test_as_many_threads_as_the_standard_library_would_start():
    runner = Runner(RecordingSink(), Table(1, dev=False))
    assert 5 <= CAPACITY <= 32
    await runner.stop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_calls_that_are_cancelled_before_their_first_step_leave_nothing(worker):
    async def waits() -> None:
        await asyncio.sleep(60)

    async def ticks() -> AsyncIterator[int]:
        await asyncio.sleep(60)
        yield 1

    one = await worker(waits, ticks)
    sequences = [one.start(plug) for _ in range(60) for plug in (waits, ticks)]
    for sequence in sequences:
        one.runner.cancel(sequence)
    assert one.runner._open
    await until(lambda: not one.runner._open)
    assert not one.runner._streams
    assert not any(one.sink.answers(sequence) for sequence in sequences)


async def enter(room: str, text: str = "") -> str:
    return f"in {room}"


async def enter_number(room: int) -> str:
    return f"in {room}"


class Room(Struct):
    name: str = field(name="room")
    kind: str = "plain"

    def __post_init__(self) -> None:
        if self.kind == "moved":
            self.name = "elsewhere"
        elif self.kind == "lost":
            self.name = None


async def enter_whole(room: Room) -> str:
    return f"in {room.name}"


def enter_plainly(room: str) -> str:
    return f"in {room}"


@pytest.mark.parametrize("plug", [enter, enter_whole, enter_plainly], ids=lambda plug: plug.__name__)
async def test_a_call_that_was_put_in_order_by_what_the_plug_sees_runs(worker, plug):
    one = await worker(plug, order="room-{room}")
    assert (await one.call(plug, '{"room":"kitchen"}', order="room-kitchen")).value == "in kitchen"


@pytest.mark.parametrize("order", ["", "room-cellar", "room-kitchen ", "kitchen"])
@pytest.mark.parametrize("plug", [enter, enter_whole, enter_plainly], ids=lambda plug: plug.__name__)
async def test_a_call_that_was_put_in_order_by_something_else_is_refused(worker, plug, order):
    one = await worker(plug, order="room-{room}")
    answer = await one.call(plug, '{"room":"kitchen"}', order=order)
    assert (answer.code, answer.fault.path) == ("bad_payload", "$.room")
    assert answer.fault.message == "The field `room`, by which calls are put in order, can't be read in one way."


async def test_a_number_is_put_in_order_by_its_digits(worker):
    one = await worker(enter_number, order="{room}")
    assert (await one.call(enter_number, '{"room":5}', order="5")).ok
    assert (await one.call(enter_number, msgpack.encode({"room": 5}), format=MSGPACK, order="5")).ok


@pytest.mark.parametrize("kind", ["moved", "lost"])
async def test_a_field_that_the_plugs_own_type_has_changed_is_refused(worker, kind):
    one = await worker(enter_whole, order="{room}")
    answer = await one.call(enter_whole, f'{{"room":"kitchen","kind":"{kind}"}}', order="kitchen")
    assert (answer.code, answer.fault.path) == ("bad_payload", "$.room")


async def test_a_payload_that_does_not_fit_is_refused_for_that(worker):
    one = await worker(enter, order="{room}")
    answer = await one.call(enter, "{}")
    assert (answer.code, answer.fault.message) == ("bad_payload", "Object missing required field `room`.")


@pytest.mark.parametrize("order", ["socket", "user"])
async def test_the_order_of_whoever_calls_is_nothing_to_the_worker(worker, order):
    one = await worker(greet, order=order)
    assert (await one.call(greet, '{"name":"Ada"}', order="whatever")).ok
