"""What both ways of starting workers promise."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from plugsock.frozen import executable
from plugsock.pool.nursery import Nursery
from plugsock.pool.output import Output
from plugsock.pool.processes import starter
from plugsock.pool.spawn import Spawner
from support import stand_in
from support.yard import KINDS, children, descriptors, has_ended, is_zombie, place, yard

GONE_S = 2.0
"""So long after the gateway a worker may live."""


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
async def workers(kind):
    async with yard(kind) as made:
        yield made


async def test_a_process_is_started_and_does_what_it_was_asked_for(workers):
    pid = await workers.start("exit:0", "the key")

    assert await workers.line() == f"the key {pid}"


@pytest.mark.fault("P3")
@pytest.mark.parametrize(
    ("does", "status"),
    [
        ("exit:0", 0),
        ("exit:7", 7),
        ("raise", 1),
        ("abort", -signal.SIGABRT),
        ("segfault", -signal.SIGSEGV),
    ],
)
async def test_how_it_ended_is_told(workers, does, status):
    assert await workers.end(await workers.start(does)) == status


async def test_what_it_raised_is_printed(workers):
    await workers.started("raise")

    lines = [await workers.line()]
    while not lines[-1].startswith("RuntimeError"):
        lines.append(await workers.line())

    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "RuntimeError: it is broken"


async def test_its_end_is_told_after_its_start_has_returned(workers):
    for _ in range(3):
        pid = await workers.start("exit:0")

        assert pid not in workers.ends
        await workers.end(pid)


async def test_it_can_be_killed(workers):
    pid = await workers.started("wait")

    workers.starter.kill(pid)

    assert await workers.end(pid) == -signal.SIGKILL


async def test_it_can_be_sent_a_signal(workers):
    pid = await workers.started("wait")

    workers.starter.kill(pid, signal.SIGABRT)

    assert await workers.end(pid) == -signal.SIGABRT


async def test_one_that_has_ended_is_not_killed_and_neither_is_a_stranger(workers):
    pid = await workers.start("exit:0")
    await workers.end(pid)

    workers.starter.kill(pid)
    workers.starter.kill(os.getpid())


async def test_closing_ends_what_still_runs(kind):
    async with yard(kind) as workers:
        pids = [await workers.started("wait"), await workers.started("compute")]

    assert workers.ends == dict.fromkeys(pids, -signal.SIGKILL)
    assert children() == set()


@pytest.mark.fault("K12")
async def test_many_ends_leave_no_zombies_and_no_open_files(workers, kind):
    await workers.end(await workers.start("exit:0"))
    open_before, children_before = len(descriptors()), children()

    for _ in range(30 if kind == "nursery" else 5):
        await workers.end(await workers.start("exit:0"))
    for pid in [await workers.start("exit:0") for _ in range(3)]:
        await workers.end(pid)

    assert children() <= children_before
    assert not any(is_zombie(pid) for pid in children())
    assert len(descriptors()) <= open_before


async def test_it_gets_nothing_but_its_streams_and_its_lifeline(workers):
    await workers.started("report")

    found = json.loads(await workers.line())

    standard = {found["descriptors"][number] for number in "012"}
    lifeline = place(workers.starter._lifeline.end)
    assert found["descriptors"]["0"] == "/dev/null"
    assert set(found["descriptors"].values()) - standard - {lifeline} <= inheritable()
    assert found["stdin"] == ""
    assert found["variables"] == []
    assert found["threads"] == 1
    assert (found["wakeup"], found["on_child"]) == (-1, True)


def inheritable():
    """What this process gives to every program that it starts, if the event loop does not prevent it; uvloop doesn't."""
    return {place(number) for number in descriptors() if os.get_inheritable(number)}


@pytest.mark.fault("D6")
async def test_ctrl_c_does_not_end_it(workers):
    pid = await workers.started("wait")
    os.killpg(os.getpgid(pid), signal.SIGINT)

    again = await workers.started("exit:0")

    await workers.end(again)
    assert pid not in workers.ends


@pytest.mark.fault("D6")
async def test_it_is_not_in_the_group_that_ctrl_c_goes_to(workers):
    assert os.getpgid(await workers.started("wait")) != os.getpgid(0)


async def test_what_it_prints_without_an_end_of_line_is_not_lost(workers):
    pid = await workers.started("unfinished:half a line")
    await workers.end(pid)
    await workers.close()

    assert await workers.line() == "half a line"


async def test_what_it_complains_about_goes_to_stderr(workers):
    await workers.started("complain:oh no")

    assert await workers.line() == "oh no"


async def test_programs_that_it_leaves_behind_can_still_print(workers, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    await workers.end(await workers.started(f"start_program:{tmp_path / 'fifo'}"))

    await asyncio.to_thread((tmp_path / "fifo").write_text, "hello")

    assert await workers.line() == "heard hello"


async def test_a_program_left_behind_does_not_keep_it_from_closing(kind, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    async with yard(kind) as workers:
        await workers.end(await workers.started(f"start_program:{tmp_path / 'fifo'}"))

    await asyncio.to_thread((tmp_path / "fifo").write_text, "")


async def test_a_program_that_can_not_be_started_is_an_error(kind):
    async with yard(kind, ["/no/such/program"]) as workers:
        with pytest.raises(FileNotFoundError):
            await workers.start("wait")


@pytest.mark.fault("K13")
async def test_when_the_gateway_is_killed_nothing_is_left(kind):
    deeds = ["wait", "wait", "compute", "match"]
    gateway = await asyncio.create_subprocess_exec(
        *stand_in.COMMAND, "gateway", kind, *deeds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    pids = [int((await gateway.stdout.readline()).split()[1]) for _ in deeds]
    os.kill(pids[0], signal.SIGSTOP)  # not even that keeps it alive

    gateway.kill()
    await gateway.wait()

    assert all(has_ended(pid, GONE_S) for pid in pids)
    assert await gateway.stdout.read() == b""  # nobody has it open any more: the nursery has gone too
    gateway._transport.close()


async def test_this_system_forks():
    starts = starter(print, Output(None, None))

    assert isinstance(starts, Nursery)
    await starts.close()


async def test_apple_s_does_not(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    starts = starter(print, Output(None, None))

    assert isinstance(starts, Spawner)
    await starts.close()


async def test_plugsock_s_own_workers_are_started(kind):
    async with yard(kind, executable.command()) as workers:
        pid = await workers.start("/no/such/socket", "a key")

        assert "/no/such/socket" in await workers.line()
        assert await workers.end(pid) == 1
