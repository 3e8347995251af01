import asyncio
import threading

import pytest

from plugsock.ops import log
from plugsock.rpc.page import MOST_THREADS, THREADS, is_started, private, running
from plugsock.worker.outbox import Outbox
from plugsock.worker.threads import Threads, in_thread
from support.recording import Ended
from support.working import Worker, until


class Gate:
    """A plain function that holds its thread until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self) -> None:
        self.entered.release()
        self.open.wait()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


async def test_threads_are_started_as_they_are_needed_and_no_more_than_allowed(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=2)
    before = threading.active_count()
    jobs = [threads.submit(1, gate) for _ in range(5)]
    assert threading.active_count() == before + 2
    gate.open.set()
    await until(lambda: not any(job.claim() for job in jobs))
    threads.close()


async def test_a_thread_that_is_free_is_used_again():
    threads, used = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=8), set()
    for _ in range(10):
        done = threading.Event()
        threads.submit(1, lambda done=done: (used.add(threading.current_thread().name), done.set()))
        done.wait()
        await until(lambda: not threads._pending)
    assert used == {"plug-1"}
    threads.close()


async def test_a_job_that_was_called_off_in_time_never_starts(gate):
    threads, ran = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=1), []
    threads.submit(1, gate)
    waiting = threads.submit(1, lambda: ran.append(True))
    assert threads.call_off(waiting)
    gate.open.set()
    await until(lambda: not threads._pending)
    assert ran == []
    assert threads.lost == 0
    threads.close()


async def test_a_job_that_runs_is_lost_until_it_ends(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=4)
    job = threads.submit(1, gate)
    gate.entered.acquire()
    assert not threads.call_off(job)
    assert threads.lost == 1
    gate.open.set()
    await until(lambda: threads.lost == 0)
    threads.close()


async def test_a_backlog_is_bounded(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=1, backlog=2)
    for _ in range(3):
        assert not threads.is_overloaded
        threads.submit(1, gate)
    assert threads.is_overloaded
    gate.open.set()
    await until(lambda: not threads.is_overloaded)
    threads.close()


async def test_there_are_no_more_threads_than_a_page_has_room_for():
    threads = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=100_000, backlog=0)
    assert not threads.is_overloaded
    threads.lost = MOST_THREADS
    assert threads.is_overloaded


async def test_a_thread_marks_what_it_runs_from_before_that_begins_until_it_has_ended(gate):
    page, seen = private(), []
    threads = Threads(Outbox(asyncio.get_running_loop()), page, capacity=1)
    threads.submit(7, lambda: (seen.append((page[THREADS], page[THREADS + 1])), gate()))
    gate.entered.acquire()
    assert seen == [(7, 7)]
    assert running(page) == {7}
    gate.open.set()
    await threads.at_rest()
    assert (page[THREADS], page[THREADS + 1]) == (7, 0)
    threads.close()


async def test_each_thread_marks_in_its_own_words(gate):
    page = private()
    threads = Threads(Outbox(asyncio.get_running_loop()), page, capacity=2)
    for sequence in (3, 4, 5):
        threads.submit(sequence, gate)
    for _ in range(2):
        gate.entered.acquire()
    assert running(page) == {3, 4}
    assert [is_started(page, sequence, in_thread=True) for sequence in (3, 4, 5)] == [True, True, False]
    gate.open.set()
    await threads.at_rest()
    threads.close()


async def test_a_job_of_a_call_of_long_ago_does_not_lower_what_has_started(gate):
    page = private()
    threads = Threads(Outbox(asyncio.get_running_loop()), page, capacity=1)
    threads.submit(9, lambda: None)
    threads.submit(2, gate)
    gate.entered.acquire()
    assert (page[THREADS], page[THREADS + 1]) == (9, 2)
    gate.open.set()
    await threads.at_rest()
    threads.close()


async def test_a_job_that_was_called_off_is_not_marked(gate):
    page = private()
    threads = Threads(Outbox(asyncio.get_running_loop()), page, capacity=1)
    threads.submit(1, gate)
    assert threads.call_off(threads.submit(2, lambda: None))
    gate.open.set()
    await threads.at_rest()
    assert page[THREADS] == 1
    threads.close()


async def test_threads_are_at_rest_at_once_or_when_the_last_job_has_ended(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), private(), capacity=2)
    assert threads.at_rest().done()
    threads.submit(1, gate)
    rest = threads.at_rest()
    assert rest is threads.at_rest()
    gate.entered.acquire()
    await asyncio.sleep(0)
    assert not rest.done()
    gate.open.set()
    await rest
    threads.close()


def blocking(gate: Gate):
    def block() -> str:
        gate()
        return "at last"

    return block


async def test_a_cancelled_plain_call_is_never_answered(worker, gate):
    one = await worker(blocking(gate))
    sequence = one.start("block")
    gate.entered.acquire()
    one.runner.cancel(sequence)
    gate.open.set()
    await until(lambda: one.runner._threads.lost == 0)
    assert one.sink.said == [Ended(sequence)]


async def test_when_all_threads_are_lost_plain_calls_are_refused(worker, gate):
    async def echo(text: str) -> str:
        return text

    def stream():
        yield 1

    one = await worker(blocking(gate), echo, stream, threads=2)
    for _ in range(2):
        sequence = one.start("block")
        gate.entered.acquire()
        one.runner.cancel(sequence)
    for event in ("block", "stream"):
        refused = await one.call(event)
        assert (refused.code, refused.fault.retry, refused.fault.after_ms) == ("overloaded", True, 1000)
    assert (await one.call(echo, '{"text":"hi"}')).ok
    gate.open.set()
    await until(lambda: one.runner._threads.lost == 0)
    assert (await one.call("block")).ok


async def test_a_cancelled_call_that_waits_for_a_thread_never_runs(worker, gate):
    ran = []

    def note(name: str) -> None:
        ran.append(name)

    one = await worker(blocking(gate), note, threads=1)
    blocked = one.start("block")
    gate.entered.acquire()
    cancelled = one.start(note, '{"name":"cancelled"}')
    one.runner.cancel(cancelled)
    assert one.sink.said == [Ended(cancelled)]
    waiting = one.start(note, '{"name":"kept"}')
    gate.open.set()
    await one.sink.answer_of(waiting)
    assert ran == ["kept"]
    assert (await one.sink.answer_of(blocked)).ok
    assert one.runner._open == {}


async def test_stop_waits_for_a_plain_call_that_runs(gate):
    returned = []

    def work() -> None:
        gate()
        returned.append(True)

    one = Worker(work)
    await asyncio.sleep(0)
    one.start(work)
    gate.entered.acquire()
    asyncio.get_running_loop().call_soon(gate.open.set)
    await one.runner.stop()
    assert returned == [True]
    assert one.sink.said == []


async def test_a_plain_call_that_will_not_end_holds_up_no_stop(gate, capsys, monkeypatch):
    log.configure("text")
    monkeypatch.setattr("plugsock.worker.run.STOP_S", 0.01)
    one = Worker(blocking(gate))
    await asyncio.sleep(0)
    one.start("block")
    gate.entered.acquire()
    await one.runner.stop()
    assert one.runner.lost_threads == 1
    assert "plugs did not end when they were cancelled  calls=1" in capsys.readouterr().err


async def test_in_thread_gives_what_a_function_returns():
    assert await in_thread("it", lambda: threading.current_thread().name) == "it"


async def test_in_thread_raises_what_a_function_raises():
    def fail() -> None:
        raise SystemExit(3)

    future = in_thread("it", fail)
    await asyncio.wait({future})
    assert isinstance(future.exception(), SystemExit)


async def test_nobody_has_to_wait_for_in_thread(gate):
    future = in_thread("it", gate)
    gate.entered.acquire()
    future.cancel()
    gate.open.set()
    await asyncio.sleep(0)
    assert future.cancelled()
