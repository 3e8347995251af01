import asyncio

import pytest

from plugsock.ops import log
from plugsock.ops.tasks import Tasks


async def test_a_task_is_named_after_its_owner():
    tasks = Tasks("gateway")
    task = tasks.spawn("ticks", asyncio.sleep(0))
    assert task.get_name() == "gateway: ticks"
    await task


async def test_a_task_is_kept_until_it_ends():
    tasks = Tasks("gateway")
    task = tasks.spawn("sleeps", asyncio.sleep(0))
    assert len(tasks) == 1
    await task
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_task_gives_its_result():
    async def answer() -> int:
        return 42

    assert await Tasks("gateway").spawn("answers", answer()) == 42


async def test_an_exception_that_nobody_awaits_is_in_the_log(capsys):
    log.configure("text")

    async def fail() -> None:
        raise ValueError("boom")

    task = Tasks("gateway").spawn("fails", fail())
    await asyncio.wait({task})
    await asyncio.sleep(0)
    logged = capsys.readouterr().err
    assert "a task failed" in logged
    assert 'task="gateway: fails"' in logged
    assert "ValueError: boom" in logged


async def test_stop_cancels_and_waits_for_what_is_cleaned_up():
    tasks, ended = Tasks("gateway"), []

    async def clean_up_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    tasks.spawn("cleans", clean_up_slowly())
    await asyncio.sleep(0)
    await tasks.stop()
    assert ended == [True]


async def test_stop_without_tasks_returns():
    await Tasks("gateway").stop()


async def test_a_task_may_stop_its_owner():
    tasks = Tasks("gateway")
    task = tasks.spawn("stops", tasks.stop())
    await task
    assert not task.cancelled()


async def test_a_cancelled_task_is_no_failure(capsys):
    log.configure("text")
    tasks = Tasks("gateway")
    task = tasks.spawn("waits", asyncio.Event().wait())
    await asyncio.sleep(0)
    await tasks.stop()
    with pytest.raises(asyncio.CancelledError):
        task.result()
    assert capsys.readouterr().err == ""
