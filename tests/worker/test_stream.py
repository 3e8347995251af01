import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from plugsock import CallEnded, Error, Socket
from plugsock.model import MSGPACK
from support.recording import Answer, Ended, Item
from support.working import Worker, until

VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE")


async def count(to: int) -> AsyncIterator[int]:
    for n in range(to):
        yield n


async def count_slowly(to: int) -> AsyncIterator[int]:
    for n in range(to):
        await asyncio.sleep(0)
        yield n


def count_plainly(to: int) -> Iterator[int]:
    yield from range(to)


STYLES = pytest.mark.parametrize("plug", [count, count_slowly, count_plainly], ids=lambda plug: plug.__name__)


async def settle(one: Worker) -> None:
    """Turn the loop until nothing goes on by itself, threads included."""
    for _ in range(20):
        await asyncio.sleep(0.001)


@STYLES
async def test_a_stream_is_its_items_and_an_empty_end(worker, plug):
    one = await worker(plug)
    answer = await one.call(plug, '{"to":3}')
    assert one.sink.items(answer.sequence) == [0, 1, 2]
    assert (answer.ok, answer.payload) == (True, b"")
    assert one.sink.said[-1] is answer


@STYLES
async def test_a_stream_of_nothing_is_just_its_end(worker, plug):
    one = await worker(plug)
    answer = await one.call(plug, '{"to":0}')
    assert one.sink.said == [answer]


@STYLES
async def test_items_use_the_format_of_the_call(worker, plug):
    one = await worker(plug)
    await one.call(plug, b"\x81\xa2to\x02", format=MSGPACK)
    assert [said.payload for said in one.sink.said if isinstance(said, Item)] == [b"\x00", b"\x01"]


@STYLES
async def test_a_stream_goes_as_far_as_it_has_credit(worker, plug):
    one = await worker(plug)
    sequence = one.start(plug, '{"to":10}', credit=2)
    await one.sink.items_of(sequence, 2)
    await settle(one)
    assert one.sink.items(sequence) == [0, 1]
    one.runner.more(sequence, 3)
    await one.sink.items_of(sequence, 5)
    await settle(one)
    assert one.sink.items(sequence) == [0, 1, 2, 3, 4]
    one.runner.more(sequence, 100)
    assert (await one.sink.answer_of(sequence)).ok
    assert one.sink.items(sequence) == list(range(10))


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_without_credit_a_generator_is_not_even_entered(worker, style):
    asked = []

    if style == "async":

        async def stream():
            asked.append(True)
            yield 1
    else:

        def stream():
            asked.append(True)
            yield 1

    one = await worker(stream)
    sequence = one.start(stream, credit=0)
    await settle(one)
    assert asked == []
    one.runner.more(sequence, 2)
    assert (await one.sink.answer_of(sequence)).ok
    assert asked == [True]


@STYLES
async def test_a_held_socket_is_sent_nothing_until_it_has_room_again(worker, plug):
    one = await worker(plug)
    one.runner.hold("s1", held=True)
    held, free = one.start(plug, '{"to":5}'), one.start(plug, '{"to":5}', socket="s2")
    await one.sink.answer_of(free)
    await settle(one)
    assert one.sink.items(held) == []
    one.runner.hold("s1", held=False)
    assert (await one.sink.answer_of(held)).ok
    assert one.sink.items(held) == [0, 1, 2, 3, 4]


@STYLES
async def test_a_stream_that_runs_can_be_held(worker, plug):
    one = await worker(plug)
    sequence = one.start(plug, '{"to":100}', credit=1)
    await one.sink.items_of(sequence, 1)
    one.runner.hold("s1", held=True)
    one.runner.more(sequence, 100)
    await settle(one)
    assert one.sink.items(sequence) == [0]
    one.runner.hold("s1", held=False)
    await one.sink.answer_of(sequence)
    assert one.sink.items(sequence) == list(range(100))


def endless(style: str, ended: threading.Event, *, credit_waits: bool):
    """A stream that never ends by itself and tells when its `finally` has run."""
    if style == "async":

        async def stream():
            try:
                while True:
                    yield 1
                    if not credit_waits:
                        await asyncio.sleep(0)
            finally:
                await asyncio.sleep(0)
                ended.set()
    else:

        def stream():
            try:
                while True:
                    yield 1
            finally:
                ended.set()

    return stream


@pytest.mark.fault("P12")
@pytest.mark.parametrize("credit", [1, 1_000_000_000], ids=["waiting for credit", "running"])
@pytest.mark.parametrize("style", ["async", "plain"])
async def test_an_endless_stream_is_closed_when_its_caller_leaves(worker, style, credit):
    ended = threading.Event()
    one = await worker(endless(style, ended, credit_waits=credit == 1))
    sequence = one.start("stream", credit=credit)
    await one.sink.items_of(sequence, 1)
    one.runner.cancel(sequence)
    async with asyncio.timeout(1):
        await until(ended.is_set)
    await settle(one)
    assert one.sink.answers(sequence) == []
    assert [said for said in one.sink.said if not isinstance(said, Item)] == [Ended(sequence)]
    assert one.runner._open == {}
    assert one.runner._streams == {}


@pytest.mark.fault("P12")
async def test_a_stream_that_waits_for_something_else_is_interrupted_there(worker):
    interrupted, entered = asyncio.Event(), asyncio.Event()

    async def stream():
        try:
            entered.set()
            await asyncio.Event().wait()
            yield 1
        finally:
            interrupted.set()

    one = await worker(stream)
    sequence = one.start(stream)
    await entered.wait()
    one.runner.cancel(sequence)
    await interrupted.wait()


@pytest.mark.fault("P12")
async def test_a_stream_that_will_not_end_gets_no_further(worker):
    async def stream():
        while True:
            try:
                yield 1
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield 2

    one = await worker(stream)
    sequence = one.start(stream)
    await one.sink.items_of(sequence, 1)
    await asyncio.sleep(0)
    one.runner.cancel(sequence)
    await settle(one)
    assert one.sink.said == [Item(sequence, b"1"), Ended(sequence)]
    assert one.runner._open == {}


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_a_stream_that_was_never_entered_can_be_cancelled(worker, style):
    one = await worker(endless(style, threading.Event(), credit_waits=True))
    sequence = one.start("stream", credit=0)
    one.runner.cancel(sequence)
    await settle(one)
    assert one.sink.said == [Ended(sequence)]
    assert one.runner._open == {}


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_an_error_in_the_middle_is_the_end_of_a_stream(worker, style):
    if style == "async":

        async def stream():
            yield 1
            raise Error("enough", "No more.")
    else:

        def stream():
            yield 1
            raise Error("enough", "No more.")

    one = await worker(stream)
    answer = await one.call(stream)
    assert one.sink.said == [Item(answer.sequence, b"1"), answer]
    assert answer.code == "enough"


@pytest.mark.fault("P8")
@pytest.mark.parametrize("style", ["async", "plain"])
async def test_an_item_that_can_not_be_sent_is_the_end_of_a_stream_and_closes_it(worker, style):
    closed = threading.Event()

    if style == "async":

        async def stream():
            try:
                yield 1
                yield lambda: 0
                yield 3
            finally:
                closed.set()
    else:

        def stream():
            try:
                yield 1
                yield lambda: 0
                yield 3
            finally:
                closed.set()

    one = await worker(stream)
    answer = await one.call(stream)
    assert one.sink.said == [Item(answer.sequence, b"1"), answer]
    assert answer.code == "plug_error"
    assert closed.is_set()


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_all_steps_of_a_stream_share_one_context(worker, style):
    if style == "async":

        async def stream():
            VARIABLE.set(7)
            yield VARIABLE.get()
            await asyncio.sleep(0)
            yield VARIABLE.get()
    else:

        def stream():
            VARIABLE.set(7)
            yield VARIABLE.get()
            yield VARIABLE.get()

    one = await worker(stream)
    sequence = one.start(stream, credit=1)
    await one.sink.items_of(sequence, 1)
    one.runner.more(sequence, 5)
    await one.sink.answer_of(sequence)
    assert one.sink.items(sequence) == [7, 7]


async def test_a_plain_stream_holds_no_thread_while_it_waits_for_credit(worker):
    def quick() -> str:
        return "done"

    one = await worker(count_plainly, quick, threads=1)
    waiting = [one.start(count_plainly, '{"to":5}', credit=1) for _ in range(3)]
    for sequence in waiting:
        await one.sink.items_of(sequence, 1)
    assert (await one.call(quick)).ok


async def test_credit_that_comes_while_a_plain_stream_works_counts(worker):
    entered, may_go_on = threading.Event(), threading.Event()

    def stream():
        yield 1
        entered.set()
        may_go_on.wait()
        yield 2
        yield 3

    one = await worker(stream)
    sequence = one.start(stream, credit=2)
    await until(entered.is_set)
    one.runner.more(sequence, 2)
    may_go_on.set()
    assert (await one.sink.answer_of(sequence)).ok
    assert one.sink.items(sequence) == [1, 2, 3]


@pytest.mark.fault("P12")
async def test_a_plain_stream_that_works_when_its_caller_leaves_is_closed_after_that(worker):
    entered, may_go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def stream():
        try:
            entered.set()
            may_go_on.wait()
            yield 1
            yield 2
        finally:
            closed.set()

    one = await worker(stream)
    sequence = one.start(stream)
    await until(entered.is_set)
    one.runner.cancel(sequence)
    may_go_on.set()
    await until(closed.is_set)
    await until(lambda: one.runner._open == {})
    assert one.sink.said == [Ended(sequence)]


@pytest.mark.parametrize("style", ["async", "plain"])
async def test_what_a_stream_says_and_yields_arrives_in_order(worker, style):
    if style == "async":

        async def stream(socket: Socket):
            for n in range(3):
                socket.send("before", n)
                yield n
    else:

        def stream(socket: Socket):
            for n in range(3):
                socket.send("before", n)
                yield n

    one = await worker(stream)
    await one.call(stream)
    assert [type(said).__name__ for said in one.sink.said] == ["Send", "Item"] * 3 + ["Answer"]


async def test_a_cancelled_stream_can_say_nothing_more(worker):
    refused = asyncio.Event()

    async def stream(socket: Socket):
        try:
            while True:
                yield 1
        finally:
            try:
                socket.send("late")
            except CallEnded:
                refused.set()

    one = await worker(stream)
    sequence = one.start(stream, credit=1)
    await one.sink.items_of(sequence, 1)
    one.runner.cancel(sequence)
    await refused.wait()
    assert one.sink.emits() == []


async def test_a_stream_that_never_waits_lets_others_run(worker):
    one = await worker(count)
    sequence = one.start(count, '{"to":1000000}', credit=1_000_000)
    turns = 0
    while not one.sink.answers(sequence) and turns < 5:
        await asyncio.sleep(0)
        turns += 1
    assert turns == 5
    one.runner.cancel(sequence)


async def test_a_stream_that_is_ended_by_its_own_item_is_closed(worker):
    one = await worker(count_slowly, count)
    one.sink.hear = lambda said: one.runner.cancel(said.sequence)
    for plug in (count, count_slowly):
        sequence = one.start(plug, '{"to":5}')
        await settle(one)
        assert [said for said in one.sink.said if isinstance(said, Answer)] == []
        assert one.sink.items(sequence) == [0]
    assert one.runner._open == {}
