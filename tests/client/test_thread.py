import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from plugsock.client.thread import LoopThread
from plugsock.errors import Disconnected, PlugsockError


@pytest.fixture
def thread():
    thread = LoopThread("a loop for tests")
    yield thread
    thread.stop()


async def answer():
    return 17


async def fail():
    raise ZeroDivisionError


def test_what_is_run_there_returns_or_raises_here(thread):
    assert thread.run(answer()) == 17
    with pytest.raises(ZeroDivisionError):
        thread.run(fail())


async def late():
    raise TimeoutError


def test_a_timeout_that_is_raised_there_is_like_any_other_error(thread):
    with pytest.raises(TimeoutError):
        thread.run(late())


def test_functions_are_called_there(thread):
    assert thread.do(threading.current_thread) is not threading.current_thread()


def test_what_runs_there_can_not_wait_for_itself(thread):
    async def wait_for_itself():
        thread.run(answer())

    with pytest.raises(PlugsockError, match="can't wait"):
        thread.run(wait_for_itself())


def test_what_runs_there_can_not_end_its_thread(thread):
    async def stop():
        thread.stop()

    with pytest.raises(PlugsockError, match="can't end"):
        thread.run(stop())


def test_a_callback_may_subscribe_and_forget(thread):
    async def subscribe():
        thread.told(lambda: lambda: None)()

    thread.run(subscribe())


def test_items_are_iterated_over(thread):
    async def count():
        for number in range(3):
            yield number

    assert list(thread.each(count())) == [0, 1, 2]


def test_a_block_lasts_there_as_long_as_here(thread):
    said = []

    @asynccontextmanager
    async def block():
        said.append("begun")
        yield 17
        said.append("ended")

    with thread.entered(block()) as value:
        assert (value, said) == (17, ["begun"])
    assert said == ["begun", "ended"]


def test_who_waits_when_it_ends_is_told(thread):
    begun = threading.Event()
    outcomes = []

    async def never():
        begun.set()
        await asyncio.Event().wait()

    def wait():
        try:
            thread.run(never())
        except Disconnected as error:
            outcomes.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    begun.wait()
    thread.stop()
    waiter.join()

    assert len(outcomes) == 1
    with pytest.raises(Disconnected):
        thread.run(answer())
