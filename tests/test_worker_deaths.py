"""Workers that are killed, stopped, or end themselves: who is told what, and who never hears of it."""

import asyncio
import os
import signal
import sys
import time

import psutil
import pytest

from plugsock import Error
from plugsock.rpc.admin import List
from support.once import connect
from support.server import LIMIT_S, running
from support.workforce import PID, ask, come, ended, family, is_alive, ready, until, zombies

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]

SOON_S = 5.0
"""What is promised within a second, on a machine that does other things too."""

ROUNDS = 10
AT_ONCE = 5
HONEST_S = 1.1
"""A worker that was ready for a second is replaced at once, however it ends; one that was not may be in a crash loop."""

WAITING = """
import asyncio, os
from plugsock import Socket, plug

@plug
async def waits(socket: Socket, seconds: float = 30.0) -> int:
    socket.send("began", os.getpid())
    await asyncio.sleep(seconds)
    return os.getpid()

@plug(idempotent=True)
async def waits_again(seconds: float = 1.0) -> int:
    await asyncio.sleep(seconds)
    return os.getpid()
"""


async def lost(call):
    """Wait until a call that had started is told that its worker was lost."""
    with pytest.raises(Error, match=r"worker_lost: .* nobody knows how far") as told:
        async with asyncio.timeout(SOON_S):
            await call
    assert not told.value.retry


@pytest.mark.fault("K1")
async def test_an_idle_worker_that_is_killed_is_replaced_and_nobody_notices(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "2", pid=PID) as server, connect(server.url) as client:
        (killed, *_) = before = (await ready(server)).values()
        os.kill(killed, signal.SIGKILL)
        after = await come(server, 2, without={killed})
        assert {await client.call("pid") for _ in range(20)} == after
        assert len(after & set(before)) == 1
        assert zombies(server) == []


@pytest.mark.fault("K1")
async def test_a_call_whose_worker_is_killed_is_told_at_once_and_its_socket_stays(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", waiting=WAITING, pid=PID) as server,
        connect(server.url) as client,
    ):
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call("waiting.waits"))
        worker = (await anext(pushes)).data
        os.kill(worker, signal.SIGKILL)
        await lost(call)
        async with asyncio.timeout(SOON_S):
            assert await client.call("pid") != worker


@pytest.mark.fault("K1")
async def test_an_idempotent_call_runs_once_more_elsewhere_and_its_caller_never_knows(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", waiting=WAITING) as server,
        connect(server.url) as client,
    ):
        first, second = (await ready(server)).values()
        calls = [asyncio.get_running_loop().create_task(client.call("waiting.waits_again")) for _ in range(2)]
        await client.ping()
        os.kill(first, signal.SIGKILL)
        assert set(await asyncio.gather(*calls)) <= {second, *await come(server, 2, without={first})}


@pytest.mark.fault("K1")
async def test_a_stream_whose_worker_is_killed_ends_with_an_error_after_the_items_that_came(tmp_path):
    flowing = """
import asyncio, os
from plugsock import plug

@plug(idempotent=True)
async def flowing():
    while True:
        yield os.getpid()
        await asyncio.sleep(0.01)
"""
    async with running(tmp_path / "plugs", "--workers", "1", flowing=flowing) as server, connect(server.url) as client:
        stream = client.stream("flowing")
        items = [await anext(stream) for _ in range(3)]
        os.kill(items[0], signal.SIGKILL)
        with pytest.raises(Error, match="worker_lost"):
            items += [item async for item in stream]
        assert len(set(items)) == 1


@pytest.mark.fault("K2")
async def test_a_worker_that_is_stopped_is_replaced_and_its_calls_are_told(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", waiting=WAITING, pid=PID) as server,
        connect(server.url) as client,
    ):
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call("waiting.waits"))
        stopped = (await anext(pushes)).data
        os.kill(stopped, signal.SIGSTOP)
        after = await come(server, 2, without={stopped})
        assert {await client.call("pid") for _ in range(20)} == after
        with pytest.raises(Error, match="worker_lost"):
            await call
        await ended({stopped})


@pytest.mark.fault("K12")
@pytest.mark.timeout(120)
async def test_fifty_kills_leave_neither_zombies_nor_open_files(tmp_path):
    flags = ("--workers", str(AT_ONCE))
    async with running(tmp_path / "plugs", *flags, pid=PID) as server, connect(server.url) as client:
        gateway = psutil.Process(server.pid)

        async def kill_all():
            killed = await come(server, AT_ONCE)
            honest = time.monotonic() + HONEST_S
            while time.monotonic() < honest:
                assert await client.call("pid") in killed
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            return await come(server, AT_ONCE, without=killed)

        await kill_all()
        await until(lambda: zombies(server) == [])
        files, processes, threads = gateway.num_fds(), len(family(server)), gateway.num_threads()
        for _ in range(ROUNDS):
            workers = await kill_all()
            assert await client.call("pid") in workers
        await until(lambda: zombies(server) == [])
        await until(lambda: gateway.num_fds() <= files)
        assert (len(family(server)), gateway.num_threads()) == (processes, threads)


DEADLY = """
import ctypes, os, signal, sys
from plugsock import plug

@plug
async def exits() -> None:
    os._exit(3)

@plug
async def aborts() -> None:
    os.abort()

@plug
async def segfaults() -> None:
    ctypes.string_at(0)

@plug
def segfaults_in_a_thread() -> None:
    ctypes.string_at(0)

@plug
async def overflows() -> None:
    sys.setrecursionlimit(1 << 30)
    def deeper(): return [*map(lambda _: deeper(), [0])]
    deeper()

@plug
async def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

@plug
async def kills_with_another_signal() -> None:
    os.kill(os.getpid(), signal.SIGBUS)
"""


@pytest.mark.fault("P3")
@pytest.mark.parametrize(
    "event",
    [
        "exits",
        "aborts",
        "segfaults",
        "segfaults_in_a_thread",
        pytest.param(
            "overflows",
            marks=pytest.mark.skipif(sys.version_info >= (3, 12), reason="there Python itself ends the recursion"),
        ),
        "kills_itself",
        "kills_with_another_signal",
    ],
)
async def test_a_plug_that_ends_its_process_ends_nothing_else(tmp_path, event):
    async with (
        running(tmp_path / "plugs", "--workers", "2", deadly=DEADLY, pid=PID) as server,
        connect(server.url) as client,
        connect(server.url) as other,
    ):
        before = set((await ready(server)).values())
        deadly = asyncio.get_running_loop().create_task(client.call(f"deadly.{event}"))
        while not deadly.done():
            assert await other.call("pid")
        await lost(deadly)
        async with asyncio.timeout(LIMIT_S):
            while len(before & (after := await come(server, 2))) != 1:
                pass
        assert {await client.call("pid") for _ in range(20)} == after


@pytest.mark.fault("S24", "K4")
@pytest.mark.parametrize("event", ["exits", "segfaults"])
async def test_a_new_version_that_kills_workers_is_taken_out_alone_until_it_is_saved_again(tmp_path, event):
    good = "from plugsock import plug\n\n@plug\nasync def fine() -> int:\n    return 1\n"
    async with (
        running(tmp_path / "plugs", "--workers", "2", deadly=good, pid=PID) as server,
        connect(server.url) as client,
    ):
        assert await client.call("deadly.fine") == 1
        server.save("deadly.py", DEADLY + good)
        await server.says("swapped.*deadly")
        for _ in range(3):
            await lost(client.call(f"deadly.{event}"))
        began = time.monotonic()
        for _ in range(10):
            with pytest.raises(Error, match="quarantined"):
                await client.call(f"deadly.{event}")
        assert time.monotonic() - began < SOON_S
        assert (await client.call("deadly.fine"), type(await client.call("pid"))) == (1, int)
        listing = await ask(server, List())
        assert any(f"deadly.{event}" in problem.events for problem in listing.problems)
        await come(server, 2)
        mended = f"from plugsock import plug\n\n@plug\nasync def {event}() -> int:\n    return 2\n"
        server.save("deadly.py", mended)
        await server.says("removed.*deadly.fine")
        assert await client.call(f"deadly.{event}") == 2
        assert all(is_alive(process) for process in family(server))


@pytest.mark.fault("K1")
async def test_kills_from_outside_put_nothing_into_quarantine(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", waiting=WAITING) as server,
        connect(server.url) as client,
    ):
        pushes = client.pushes()
        for _ in range(5):
            call = asyncio.get_running_loop().create_task(client.call("waiting.waits"))
            killed = (await anext(pushes)).data
            os.kill(killed, signal.SIGKILL)
            await lost(call)
            await come(server, 2, without={killed})
        assert isinstance(await client.call("waiting.waits", {"seconds": 0.0}), int)


IMPORTS = {
    "exits": "import os\nos._exit(3)\n",
    "blocks in C": "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')\n",
    "segfaults": "import ctypes\nctypes.string_at(0)\n",
}
VERSION = """
import os
from plugsock import plug

@plug(idempotent=True)
async def version() -> list[int]:
    return [{version}, os.getpid()]
"""


@pytest.mark.fault("P13")
@pytest.mark.parametrize("how", IMPORTS)
async def test_a_file_that_ends_its_process_at_import_costs_one_worker_and_is_not_served(tmp_path, how):
    async with (
        running(tmp_path / "plugs", "--workers", "3", version=VERSION.format(version=1)) as server,
        connect(server.url) as client,
    ):
        before = set((await ready(server)).values())
        server.save("version.py", IMPORTS[how] + VERSION.format(version=2))

        async def problems():
            return [problem.message for problem in (await ask(server, List())).problems]

        async with asyncio.timeout(LIMIT_S):
            while not (found := await problems()):
                assert (await client.call("version"))[0] == 1
        assert len(found) == 1
        after = await come(server, 3)
        assert len(before & after) == 2
        assert (await client.call("version"))[0] == 1
        server.save("version.py", VERSION.format(version=3))
        await server.says("swapped.*version")
        assert (await client.call("version"))[0] == 3
        assert await problems() == []
