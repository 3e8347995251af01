"""When a carrier is used again, and when it must not be."""

import asyncio
import contextvars
import sys
import weakref

import pytest

if sys.version_info >= (3, 12):
    pytest.skip("tasks start at once by themselves", allow_module_level=True)

from plugsock.worker.eager_311 import CARRIERS, Starter

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE")


def ignore(_token: object, _value: object, _error: BaseException | None) -> None:
    pass


@pytest.fixture
async def starter():
    made = Starter(asyncio.get_running_loop())
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

    assert starter.start(run(), ignore, None) is None
    return seen[0]


def nothing() -> None:
    pass


async def test_a_carrier_that_carried_to_the_end_is_used_again(starter):
    assert len({entered(starter, nothing) for _ in range(100)}) == 1


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


async def test_waiting_carriers_that_somebody_cancels_are_replaced(starter):
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    del task
    for _ in range(CARRIERS):
        entered_in = starter.start(asyncio.sleep(0), ignore, None)
        assert entered_in is not None
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert entered(starter, nothing) == entered(starter, nothing)


async def test_a_carrier_is_not_entered_before_it_has_reached_its_wait():
    starter = Starter(asyncio.get_running_loop())
    ended = asyncio.Event()

    async def run() -> str:
        return asyncio.current_task().get_name()

    def done(_token: object, name: str, _error: BaseException | None) -> None:
        assert name != "carrier"
        ended.set()

    task = starter.start(run(), done, None)
    assert task is not None
    assert not ended.is_set()
    await ended.wait()
    starter.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_as_many_carriers_wait_again_after_a_burst(starter):
    for _ in range(3 * CARRIERS):
        starter.start(asyncio.sleep(0), ignore, None)
    for _ in range(4):
        await asyncio.sleep(0)
    assert len([task for task in asyncio.all_tasks() if task.get_name() == "carrier"]) == CARRIERS
