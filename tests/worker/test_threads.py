import asyncio
import threading

import pytest

from plugsock.worker.outbox import Outbox
from plugsock.worker.threads import Threads, in_thread
from support.working import until


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
    threads = Threads(Outbox(asyncio.get_running_loop()), capacity=2)
    before = threading.active_count()
    jobs = [threads.submit(gate) for _ in range(5)]
    assert threading.active_count() == before + 2
    gate.open.set()
    await until(lambda: not any(job.claim() for job in jobs))
    threads.close()


async def test_a_thread_that_is_free_is_used_again():
    threads, used = Threads(Outbox(asyncio.get_running_loop()), capacity=8), set()
    for _ in range(10):
        done = threading.Event()
        threads.submit(lambda done=done: (used.add(threading.current_thread().name), done.set()))
        done.wait()
        await until(lambda: not threads._pending)
    assert used == {"plug-1"}
    threads.close()


async def test_a_job_that_was_called_off_in_time_never_starts(gate):
    threads, ran = Threads(Outbox(asyncio.get_running_loop()), capacity=1), []
    threads.submit(gate)
    waiting = threads.submit(lambda: ran.append(True))
    assert threads.call_off(waiting)
    gate.open.set()
    await until(lambda: not threads._pending)
    assert ran == []
    assert threads.lost == 0
    threads.close()


async def test_a_job_that_runs_is_lost_until_it_ends(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), capacity=4)
    job = threads.submit(gate)
    gate.entered.acquire()
    assert not threads.call_off(job)
    assert threads.lost == 1
    gate.open.set()
    await until(lambda: threads.lost == 0)
    threads.close()


async def test_a_backlog_is_bounded(gate):
    threads = Threads(Outbox(asyncio.get_running_loop()), capacity=1, backlog=2)
    for _ in range(3):
        assert not threads.is_overloaded
        threads.submit(gate)
    assert threads.is_overloaded
    gate.open.set()
    await until(lambda: not threads.is_overloaded)
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
    assert one.sink.said == []


async def test_when_half_of_the_threads_are_lost_plain_calls_are_refused(worker, gate):
    async def echo(text: str) -> str:
        return text

    def stream():
        yield 1

    one = await worker(blocking(gate), echo, stream, threads=4)
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
    one.runner.cancel(one.start(note, '{"name":"cancelled"}'))
    waiting = one.start(note, '{"name":"kept"}')
    gate.open.set()
    await one.sink.answer_of(waiting)
    assert ran == ["kept"]
    assert (await one.sink.answer_of(blocked)).ok
    assert one.runner._open == {}


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
