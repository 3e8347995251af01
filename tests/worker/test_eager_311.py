"""When a carrier is used again, and when it must not be."""

import asyncio
import contextlib
import contextvars
import sys
import weakref

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("tasks start at once by themselves", allow_module_level=True)

from plugsock.rpc.page import private
from plugsock.worker.eager_311 import CARRIERS, Starter, Suspended
from plugsock.worker.marks import PageMarks

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE")


def ignore(_token: object, _value: object, _error: BaseException | None) -> None:
    pass


@pytest.fixture
async def starter():
    made = Starter(asyncio.get_running_loop(), PageMarks(private()))
    await asyncio.sleep(0)
    yield made
    made.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def entered(starter: Starter, coro_function) -> int:
    """Start a coroutine that returns; the id of the task that was current in it."""
    seen: list[int] = []

    async def run() -> None:
        seen.append(id(asyncio.current_task()))
        coro_function()

    assert starter.step(run()) is None
    return seen[0]


def suspended(starter: Starter, coro) -> "asyncio.Task[None]":
    """Start a coroutine that suspends; the task that goes on with it."""
    result = starter.step(coro)
    assert type(result) is Suspended
    return result.go_on(ignore, None)


def nothing() -> None:
    pass


async def test_a_carrier_that_carried_to_the_end_is_used_again(starter):
    assert len({entered(starter, nothing) for _ in range(100)}) == 1


async def test_a_carrier_is_used_again_after_what_it_carried_has_raised(starter):
    def fail() -> None:
        raise ValueError

    first = entered(starter, nothing)
    for _ in range(3):
        with contextlib.suppress(ValueError):
            entered(starter, fail)
    assert entered(starter, nothing) == first


async def test_a_carrier_keeps_nothing_of_what_it_carried(starter):
    class Result:
        pass

    async def give() -> Result:
        return Result()

    result = weakref.ref(starter.step(give()))
    assert result() is None


async def test_a_coroutine_that_has_suspended_is_dropped_when_it_has_ended(starter):
    async def wait() -> None:
        await asyncio.sleep(0)

    coro = wait()
    dropped = weakref.ref(coro)
    task = suspended(starter, coro)
    del coro
    await task
    del task
    await asyncio.sleep(0)
    assert dropped() is None


async def test_a_carrier_that_somebody_refers_to_is_not_used_again(starter):
    kept = []
    first = entered(starter, lambda: kept.append(asyncio.current_task()))
    assert entered(starter, nothing) != first
    assert id(kept[0]) == first


async def test_a_carrier_that_somebody_refers_to_weakly_is_not_used_again(starter):
    states: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()

    def note() -> None:
        states[asyncio.current_task()] = "what a library keeps for a task"

    first = entered(starter, note)
    assert entered(starter, nothing) != first


async def test_a_carrier_whose_context_was_changed_is_not_used_again(starter):
    first = entered(starter, lambda: VARIABLE.set("mine"))
    assert entered(starter, nothing) != first


async def test_a_carrier_whose_context_is_as_before_is_used_again(starter):
    first = entered(starter, lambda: VARIABLE.reset(VARIABLE.set("mine")))
    assert entered(starter, nothing) == first


async def test_a_carrier_that_was_cancelled_is_not_used_again(starter):
    first = entered(starter, lambda: asyncio.current_task().cancel() and None)
    assert entered(starter, nothing) != first


async def test_a_carrier_whose_end_is_awaited_ends(starter):
    ended = asyncio.get_running_loop().create_future()
    first = entered(starter, lambda: asyncio.current_task().add_done_callback(lambda _: ended.set_result(True)))
    assert entered(starter, nothing) != first
    assert await ended


async def test_a_carrier_that_another_task_awaits_is_not_used_again(starter):
    async def wait_for(task: "asyncio.Task[None]") -> None:
        await task

    kept: list[asyncio.Task[None]] = []
    first = entered(starter, lambda: kept.append(asyncio.current_task()))
    async with asyncio.TaskGroup() as group:
        group.create_task(wait_for(kept.pop()))
        await asyncio.sleep(0)
        assert entered(starter, nothing) != first


async def test_a_carrier_that_was_given_a_name_is_not_used_again(starter):
    first = entered(starter, lambda: asyncio.current_task().set_name("mine"))
    assert entered(starter, nothing) != first


async def test_waiting_carriers_that_somebody_cancels_are_replaced(starter):
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    del task
    for _ in range(CARRIERS):
        suspended(starter, asyncio.sleep(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert entered(starter, nothing) == entered(starter, nothing)


async def test_a_carrier_is_not_entered_before_it_has_reached_its_wait():
    starter = Starter(asyncio.get_running_loop(), PageMarks(private()))
    ended = asyncio.Event()

    async def run() -> str:
        return asyncio.current_task().get_name()

    def done(_token: object, name: str, _error: BaseException | None) -> None:
        assert name != "carrier"
        ended.set()

    result = starter.step(run())
    assert type(result) is Suspended
    result.go_on(done, None)
    assert not ended.is_set()
    await ended.wait()
    starter.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_as_many_carriers_wait_again_after_a_burst(starter):
    for _ in range(3 * CARRIERS):
        suspended(starter, asyncio.sleep(0))
    for _ in range(4):
        await asyncio.sleep(0)
    assert len([task for task in asyncio.all_tasks() if task.get_name() == "carrier"]) == CARRIERS
