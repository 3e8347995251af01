"""Plugs that run in processes of their own: what they can do is what they could do inline, from whichever worker."""

import asyncio
import contextlib
import os
import signal
import sys

import pytest

from plugsock import Error
from plugsock.errors import Disconnected
from support import executable
from support.once import connect
from support.server import LIMIT_S, environment, running
from support.workforce import PID, come, ended, family, is_alive, ps, ready, until

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]


async def pids_of(client, event="pid", calls=40):
    """The processes in which calls of an event have run."""
    return {await client.call(event) for _ in range(calls)}


async def test_calls_are_spread_over_the_workers_and_never_run_in_the_servers_process(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "3", pid=PID) as server,
        connect(server.url) as client,
    ):
        workers = await ready(server)
        assert len(workers) == 3
        assert await pids_of(client) == set(workers.values())
        assert server.pid not in workers.values()


async def test_ps_tells_what_each_worker_has_done(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", pid=PID) as server,
        connect(server.url) as client,
    ):
        await pids_of(client)
        rows = await ps(server)
        assert [row.state for row in rows] == ["ready", "ready"]
        assert sum(row.served for row in rows) == 40
        assert sum(row.share for row in rows) == pytest.approx(1.0)
        assert len({row.revision for row in rows}) == 1
        assert all(row.memory > 1 << 20 and row.restarts == row.calls == row.lost_threads == 0 for row in rows)


STUCK = """
import time
from plugsock import plug

@plug(timeout=0.05)
def stuck() -> None:
    time.sleep(5.0)
"""


async def test_ps_tells_of_an_inline_server_what_it_tells_of_workers(tmp_path):
    async with running(tmp_path / "one" / "plugs", "--workers", "1", stuck=STUCK) as server:
        (worker,) = await ps(server)
    async with (
        running(tmp_path / "two" / "plugs", "--workers", "0", stuck=STUCK) as server,
        connect(server.url) as client,
    ):
        (before,) = await ps(server)
        with pytest.raises(Error, match="timeout"):
            await client.call("stuck")
        (after,) = await ps(server)

    assert before.revision == worker.revision
    assert (before.lost_threads, after.lost_threads) == (0, 1)


REPORTS = """
import os
from plugsock import plug

@plug(worker="reports")
async def report() -> int:
    return os.getpid()

@plug(worker="reports")
def summary() -> int:
    return os.getpid()
"""


async def test_a_named_set_of_workers_runs_the_plugs_that_name_it_and_no_others(tmp_path):
    flags = ("--workers", "2", "--workers", "reports=1")
    async with (
        running(tmp_path / "plugs", *flags, pid=PID, reports=REPORTS) as server,
        connect(server.url) as client,
    ):
        (named,) = (await ready(server, "reports")).values()
        others = set((await ready(server)).values())
        assert await pids_of(client, "reports.report") == await pids_of(client, "reports.summary") == {named}
        assert await pids_of(client) == others
        assert len(others | {named}) == 3


WORDS = """
import os
from plugsock import Server, Socket, blocking, plug

@plug
async def me(socket: Socket) -> str:
    return socket.id

@plug
async def tell(socket: Socket, server: Server, other: str) -> int:
    for number in range(3):
        socket.send("told", number)
    server.send(other, "heard", os.getpid())
    server.broadcast("all", os.getpid())
    return os.getpid()

@plug
def tell_from_a_thread(socket: Socket, server: blocking.Server, other: str) -> int:
    for number in range(3):
        socket.send("told", number)
    server.send(other, "heard", os.getpid())
    server.broadcast("all", os.getpid())
    return os.getpid()

@plug
async def kick(server: Server, other: str) -> int:
    server.kick(other, reason="out")
    return os.getpid()
"""


@pytest.mark.parametrize("event", ["words.tell", "words.tell_from_a_thread"])
async def test_what_a_plug_says_arrives_before_its_answer_from_every_worker(tmp_path, event):
    async with (
        running(tmp_path / "plugs", "--workers", "2", words=WORDS) as server,
        connect(server.url) as client,
        connect(server.url) as other,
    ):
        name = await other.call("words.me")
        told, heard, everyone = [], [], []
        client.on("told", told.append)
        client.on("all", everyone.append)
        other.on("heard", heard.append)
        pids = []
        for _ in range(10):
            pids.append(await client.call(event, {"other": name}))
            assert told == [0, 1, 2]
            told.clear()
        await other.ping()
        assert everyone == pids
        assert heard == pids
        assert set(pids) == set((await ready(server)).values())


async def test_every_worker_can_close_a_socket(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", words=WORDS) as server,
        connect(server.url) as client,
    ):
        pids = set()
        for _ in range(4):
            async with connect(server.url) as other:
                pushes = other.pushes()
                pids.add(await client.call("words.kick", {"other": await other.call("words.me")}))
                with pytest.raises(Disconnected) as lost:
                    await anext(pushes)
            assert (lost.value.code, lost.value.reason) == (4502, "out")
        assert pids <= set((await ready(server)).values())


ORDERED = """
import asyncio, os
from pathlib import Path
from plugsock import plug

VERSION = {version}
HERE = Path({folder!r})

@plug(order="{{room}}")
async def enter(room: str, number: int) -> int:
    inside = os.open(HERE / f"inside-{{room}}", os.O_CREAT | os.O_EXCL)  # fails if anybody is, in whichever process
    try:
        with (HERE / f"log-{{room}}").open("a") as log:
            log.write(f"{{number}} ")
        await asyncio.sleep(0.002)
    finally:
        os.close(inside)
        (HERE / f"inside-{{room}}").unlink()
    return VERSION
"""


@pytest.mark.parametrize("workers", ["0", "3"])
async def test_calls_with_one_key_run_one_after_the_other_in_their_order_over_swaps_too(tmp_path, workers):
    rooms, calls = ("red", "blue", "green"), 120

    def source(version):
        return ORDERED.format(version=version, folder=str(tmp_path))

    async with (
        running(tmp_path / "plugs", "--workers", workers, ordered=source(1)) as server,
        connect(server.url) as client,
    ):
        swapped = asyncio.Queue()
        client.on_notice(lambda name, data: swapped.put_nowait(data))
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number in range(calls):
                if number % 30 == 29:
                    server.save("ordered.py", source(2 + number // 30))
                    await asyncio.wait_for(swapped.get(), LIMIT_S)
                arguments = {"room": rooms[number % 3], "number": number}
                tasks.append(group.create_task(client.call("ordered.enter", arguments)))
        assert {task.result() for task in tasks} > {1}
        for number, room in enumerate(rooms):
            entered = list(map(int, (tmp_path / f"log-{room}").read_text().split()))
            assert entered == list(range(number, calls, 3))


BUSY = """
import re, time
from plugsock import Socket, plug

@plug
def busy(socket: Socket) -> None:
    socket.send("began")
    time.sleep(0.1)  # time to leave
    re.match(r"(a+)+$", "a" * 60 + "b")  # in C code, and never lets go of the interpreter
"""


@pytest.mark.fault("K13")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_no_process_outlives_the_server_however_it_ends(tmp_path, number):
    async with running(tmp_path / "plugs", "--workers", "2", busy=BUSY) as server, connect(server.url) as client:
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call("busy"))
        await anext(pushes)
        started = family(server)
        assert len(started) >= 2
        os.kill(server.pid, number)
        assert await server.end() == -number
        with pytest.raises(Disconnected):
            await call
        await until(lambda: not any(map(is_alive, started)), limit_s=2.0)


@pytest.mark.fault("D1")
async def test_a_server_that_is_stopped_leaves_no_process(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "2", pid=PID) as server:
        started = family(server)
        server.send(signal.SIGTERM)
        assert await server.end() == 0
        assert not any(map(is_alive, started))
        assert not any("Traceback" in line or "error" in line for line in server.err)


SLOW = """
import asyncio
from plugsock import Socket, plug

@plug
async def slow(socket: Socket) -> str:
    socket.send("began")
    await asyncio.sleep(0.5)
    return "done"
"""


@pytest.mark.fault("D6")
async def test_ctrl_c_in_a_terminal_is_one_drain(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    async with in_a_terminal(folder, "--workers", "2") as terminal:
        await terminal.shows("event")
        async with connect(terminal.match(r"ws://127\.0\.0\.1:\d+")) as client:
            pushes = client.pushes()
            call = asyncio.get_running_loop().create_task(client.call("slow"))
            await anext(pushes)
            terminal.type(b"\x03")
            assert await call == "done"
        assert await asyncio.wait_for(terminal.process.wait(), LIMIT_S) == 0
        await terminal.ended()
        assert "Traceback" not in terminal.shown
        assert "KeyboardInterrupt" not in terminal.shown


@contextlib.asynccontextmanager
async def in_a_terminal(folder, *flags):
    """A server in the foreground of a terminal, as somebody has started it there."""
    from support.terminal import Terminal  # there is no such thing on Windows

    terminal = await Terminal.start(folder, *flags)
    try:
        yield terminal
    finally:
        await terminal.close()


async def test_a_worker_that_was_started_by_hand_gets_its_share(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", pid=PID) as server, connect(server.url) as client:
        (own,) = await come(server, 1)
        command = (*executable.command(), "worker", "--plugs", str(server.folder))
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment())
        try:
            both = await come(server, 2)
            assert both == {own, executable.server_of(process.pid).pid}
            assert await pids_of(client) == both
        finally:
            process.terminate()
            await process.wait()
        await ended(both - {own})
        assert await pids_of(client) == {own}


async def test_a_call_for_a_set_of_workers_that_was_not_started_runs_on_the_others(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", reports=REPORTS) as server, connect(server.url) as client:
        assert await pids_of(client, "reports.report", 3) == set((await ready(server)).values())
        with pytest.raises(Error, match="not_found"):
            await client.call("nobody")
