"""What only forking has: a process that is ready, and may die itself."""

import asyncio
import ctypes
import os
import signal

import pytest

from plugsock.pool import forker
from support.stand_in import WITHOUT_ROOM
from support.yard import LIMIT_S, children, has_ended, parent, yard

PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
async def workers():
    async with yard("nursery") as made:
        yield made


@pytest.fixture
def adopting():
    """Orphans become this process's children, as they do where it is process 1."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


async def kill_nursery(workers):
    """Kill the process that forks, and wait until that is known."""
    process = workers.starter._process
    lost = asyncio.Event()
    process.forker._lost = lambda lost_already=process.forker._lost: (lost_already(), lost.set())
    process.program.send(signal.SIGKILL)
    await lost.wait()


async def test_its_process_can_be_started_before_it_is_needed(workers):
    await workers.starter.open()
    (nursery,) = children()

    assert parent(await workers.started("wait")) == nursery


async def test_workers_asked_for_at_once_come_from_one_nursery(workers):
    pids = await asyncio.gather(*(workers.start("wait") for _ in range(5)))

    assert len(set(pids)) == 5
    assert len({parent(pid) for pid in pids}) == 1


async def test_workers_live_on_without_it_and_are_heard(workers, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    pid = await workers.started(f"hear:{tmp_path / 'fifo'}")

    await kill_nursery(workers)

    assert pid not in workers.ends
    await asyncio.to_thread((tmp_path / "fifo").write_text, "hello")
    assert await workers.line() == "heard hello"


@pytest.mark.fault("K1")
async def test_the_end_of_an_orphan_is_told(workers):
    pid = await workers.started("wait")
    await kill_nursery(workers)

    workers.starter.kill(pid)

    assert await workers.end(pid) is None


async def test_how_an_orphan_ended_is_told_where_this_is_process_1(workers, adopting):
    pid = await workers.started("wait")
    await kill_nursery(workers)

    workers.starter.kill(pid, signal.SIGTERM)
    workers.starter.kill(pid)

    assert await workers.end(pid) == -signal.SIGKILL
    assert pid not in children()


async def test_an_orphan_that_ended_together_with_it_is_told_of(workers):
    pid = await workers.started("wait")
    process = workers.starter._process
    process.program.send(signal.SIGSTOP)

    workers.starter.kill(pid)
    process.program.send(signal.SIGKILL)

    assert await workers.end(pid) is None


async def test_another_one_is_started_after_its_death(workers, capsys):
    await workers.started("wait")
    await kill_nursery(workers)

    assert await workers.end(await workers.start("exit:3")) == 3
    assert "the nursery of workers has died, another one is started" in capsys.readouterr().err


async def test_its_death_fails_what_was_asked_of_it(workers):
    await workers.started("wait")
    process = workers.starter._process
    process.program.send(signal.SIGSTOP)
    asking = asyncio.create_task(workers.start("wait"))  # noqa: TID251
    await asyncio.sleep(0)

    process.program.send(signal.SIGKILL)

    with pytest.raises(ConnectionResetError):
        await asking


async def test_one_that_does_not_answer_is_killed(workers, monkeypatch):
    await workers.started("wait")
    monkeypatch.setattr(forker, "ANSWER_S", 0.05)
    process = workers.starter._process
    process.program.send(signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        await workers.start("wait")

    assert await process.program.ended == -signal.SIGKILL


async def test_a_fork_that_fails_is_an_error_and_the_nursery_lives():
    async with yard("nursery", WITHOUT_ROOM) as workers:
        for _ in range(2):
            with pytest.raises(OSError, match="Resource temporarily unavailable"):
                await workers.start("wait")

        assert not workers.starter._process.forker.is_lost


async def test_a_worker_that_nobody_waits_for_any_more_is_killed(workers):
    wanted = await workers.started("wait")
    process = workers.starter._process
    process.program.send(signal.SIGSTOP)
    asking = asyncio.create_task(workers.start("wait", "unwanted"))  # noqa: TID251
    await asyncio.sleep(0)
    asking.cancel()
    process.program.send(signal.SIGCONT)

    pid = await workers.start("wait")

    others = children(process.program.pid) - {wanted, pid}
    assert all(has_ended(other, LIMIT_S) for other in others)


@pytest.mark.fault("K14")
async def test_a_hundred_forks_whose_workers_run_threads_and_uvloop_all_come_to_their_end(workers):
    pids = []
    for _ in range(20):
        pids += await asyncio.gather(*(workers.start("with_threads") for _ in range(5)))

        assert [await workers.end(pid) for pid in pids[-5:]] == [0] * 5


async def test_closing_without_having_started_anything_is_nothing():
    async with yard("nursery"):
        pass


async def test_closing_ends_the_nursery_even_if_it_is_stopped(workers, monkeypatch):
    await workers.starter.open()
    (nursery,) = children()
    os.kill(nursery, signal.SIGSTOP)

    await workers.close()

    assert children() == set()


async def test_a_worker_that_can_not_be_killed_is_left_behind_in_the_end(workers, monkeypatch):
    pid = await workers.started("wait")
    monkeypatch.setattr("plugsock.pool.nursery.END_S", 0.05)
    monkeypatch.setattr(workers.starter._workers[pid], "send", lambda number: None)

    await workers.close()

    assert pid not in workers.ends
