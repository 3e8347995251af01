"""Plugs that do not end in time, block, print, close and hoard: what of it their neighbours feel."""

import asyncio
import contextlib
import os
import signal
import statistics
import sys
import time

import psutil
import pytest

from plugsock import Error
from support.once import connect
from support.server import LIMIT_S, running
from support.workforce import PID, come, ended, ready, reload

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]

STUCK = r"""
import asyncio, contextlib, os, re, time
from plugsock import Socket, plug

@plug(timeout=0.5)
async def spins(socket: Socket) -> None:
    socket.send("began", os.getpid())
    await asyncio.sleep(0)  # what was said leaves before the loop stands still
    while True:
        pass

@plug(timeout=0.5)
async def sleeps(socket: Socket) -> None:
    socket.send("began", os.getpid())
    await asyncio.sleep(0)
    time.sleep(3600)

@plug(timeout=0.5)
async def computes(socket: Socket) -> None:
    socket.send("began", os.getpid())
    await asyncio.sleep(0)
    str(10 ** 10 ** 8)

@plug(timeout=0.5)
def matches(socket: Socket) -> None:
    socket.send("began", os.getpid())
    time.sleep(0.05)
    re.match(r"(a+)+$", "a" * 60 + "b")

@plug(timeout=0.5)
def hangs(socket: Socket) -> None:
    socket.send("began", os.getpid())
    time.sleep(3600)

@plug(timeout=0.5)
async def swallows(socket: Socket) -> None:
    socket.send("began", os.getpid())
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
"""

BESIDE_S = 8.0
"""A call that waits behind one that blocks its loop is run elsewhere 2 s after the deadline of that, 0.5 s here."""

SLOW = """
import asyncio, os
from plugsock import Socket, plug

@plug
async def slow(socket: Socket, seconds: float = 1.0) -> int:
    await asyncio.sleep(seconds)
    return os.getpid()
"""


async def overruns(server, event):
    """Call a plug that does not end in time; the process that it was in, after another one has taken its place."""
    async with connect(server.url) as client:
        began = time.monotonic()
        pids = []
        client.on("began", pids.append)
        with pytest.raises(Error, match="timeout"):
            await client.call(event)
        assert 0.5 <= time.monotonic() - began < 5.0
        await client.ping()
        assert len(pids) == 1
        return set(pids)


@pytest.mark.fault("P4", "K2")
@pytest.mark.parametrize("event", ["spins", "sleeps", "computes", "matches", "hangs"])
async def test_the_caller_is_told_in_time_and_the_worker_is_replaced(tmp_path, event):
    async with (
        running(tmp_path / "plugs", "--workers", "2", stuck=STUCK, pid=PID) as server,
        connect(server.url) as other,
    ):
        before = set((await ready(server)).values())
        await overruns(server, f"stuck.{event}")
        async with asyncio.timeout(LIMIT_S):
            while before <= set((await ready(server)).values()):
                async with asyncio.timeout(BESIDE_S):
                    assert await other.call("pid")
        after = await come(server, 2)
        assert len(before & after) == 1
        assert {await other.call("pid") for _ in range(20)} == after
        await ended(before - after)


@pytest.mark.fault("P5")
async def test_a_plug_that_swallows_its_cancellation_is_ended_with_its_worker(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", stuck=STUCK, pid=PID) as server:
        (worker,) = await overruns(server, "stuck.swallows")
        assert await come(server, 1, without={worker})
        await ended({worker})
        await server.says("stuck.swallows.*goes on")


@pytest.mark.fault("P4")
async def test_the_stacks_of_a_worker_that_is_stuck_are_in_the_log(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", stuck=STUCK) as server:
        await overruns(server, "stuck.hangs")
        await server.says(r"stuck\.py.*hangs")


@pytest.mark.fault("P4")
@pytest.mark.parametrize("event", ["spins", "hangs", "swallows"])
async def test_calls_beside_one_that_is_stuck_are_answered(tmp_path, event):
    async with (
        running(tmp_path / "plugs", "--workers", "1", stuck=STUCK, slow=SLOW, pid=PID) as server,
        connect(server.url) as other,
    ):
        loop = asyncio.get_running_loop()
        beside = [loop.create_task(other.call("slow", {"seconds": 1.0})) for _ in range(5)]
        await other.ping()
        await overruns(server, f"stuck.{event}")
        async with asyncio.timeout(LIMIT_S):
            assert isinstance(await other.call("pid"), int)
            answers = await asyncio.gather(*beside, return_exceptions=True)
        if event == "spins":  # they had started, and their loop never turned again
            assert {answer.code for answer in answers} == {"worker_lost"}
        else:
            assert len(set(answers)) == 1


PRINTS = """
import os, sys
from plugsock import Socket, plug

@plug
def prints(megabytes: int) -> int:
    line = "x" * 1023
    for _ in range(megabytes * 1024):
        print(line)
    return os.getpid()

@plug
async def closes() -> None:
    os.closerange(0, 256)

@plug
def scribbles() -> int:
    for fd in range(3, 64):
        try:
            os.write(fd, b"\\xff" * 64)
        except OSError:
            pass
    return 1
"""


@pytest.mark.fault("P7")
async def test_a_plug_that_prints_200_mib_slows_nobody_down_and_fills_no_log(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", prints=PRINTS, pid=PID) as server,
        connect(server.url) as client,
        connect(server.url) as other,
    ):
        call = asyncio.get_running_loop().create_task(client.call("prints", {"megabytes": 200}))
        while not call.done():
            async with asyncio.timeout(5.0):
                assert await other.call("pid")
        assert call.result() in (await ready(server)).values()
        assert sum(map(len, server.out)) < 20 << 20


@pytest.mark.fault("P7")
@pytest.mark.parametrize("event", ["prints.closes", "prints.scribbles"])
async def test_a_plug_that_breaks_the_connection_of_its_worker_loses_that_worker_alone(tmp_path, event):
    async with (
        running(tmp_path / "plugs", "--workers", "2", prints=PRINTS, pid=PID) as server,
        connect(server.url) as client,
        connect(server.url) as other,
    ):
        before = set((await ready(server)).values())
        call = asyncio.get_running_loop().create_task(client.call(event, timeout=2.0))
        answers = [await other.call("pid") for _ in range(20)]
        assert set(answers) & before
        with pytest.raises(Error, match=r"worker_lost|timeout"):
            await call
        async with asyncio.timeout(LIMIT_S):
            while before <= (after := await come(server, 2)):
                pass
        assert {await other.call("pid") for _ in range(20)} == after


LEAVES = """
import atexit, os, subprocess, sys, threading, time
from plugsock import plug

@plug
def leaves() -> list[int]:
    threading.Thread(target=time.sleep, args=(3600,)).start()
    threading.Timer(3600, print).start()
    atexit.register(time.sleep, 3600)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], start_new_session=True)
    return [os.getpid(), child.pid]
"""


@pytest.mark.fault("P9")
async def test_threads_timers_and_programs_that_a_plug_has_started_do_not_keep_its_worker(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", leaves=LEAVES) as server, connect(server.url) as client:
        worker, child = await client.call("leaves")
        try:
            await reload(server)
            await ended({worker})
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@pytest.mark.fault("P9", "D1")
async def test_what_a_plug_has_started_does_not_keep_the_server_from_stopping(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", leaves=LEAVES) as server:
        async with connect(server.url) as client:
            worker, child = await client.call("leaves")
        try:
            server.send(signal.SIGTERM)
            assert await server.process.wait() == 0
            await ended({worker})
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


CHANGES = """
import builtins, gc, os, signal, socket, sys, threading
from plugsock import plug

@plug
async def changes() -> None:
    os.chdir("/")
    os.environ["PLUGSOCK_MARK"] = "1"
    os.environ.pop("PATH", None)
    sys.path.append("/nowhere")
    sys.setrecursionlimit(12345)
    socket.setdefaulttimeout(7.0)
    builtins.mark = 1
    gc.disable()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

@plug
async def shows() -> list:
    return [
        os.getcwd(),
        os.environ.get("PLUGSOCK_MARK"),
        "PATH" in os.environ,
        "/nowhere" in sys.path,
        sys.getrecursionlimit(),
        socket.getdefaulttimeout(),
        hasattr(builtins, "mark"),
        gc.isenabled(),
        str(signal.getsignal(signal.SIGUSR1)),
    ]
"""


@pytest.mark.fault("P10")
async def test_what_a_plug_changes_of_its_process_is_gone_when_that_is_replaced(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", state=CHANGES) as server, connect(server.url) as client:
        before = await client.call("state.shows")
        await client.call("state.changes")
        changed = await client.call("state.shows")
        assert all(old != new for old, new in zip(before, changed, strict=True))
        await reload(server)
        assert await client.call("state.shows") == before


@pytest.mark.fault("P16")
async def test_two_hundred_slow_calls_of_one_plug_leave_places_for_the_others(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", slow=SLOW, pid=PID) as server,
        connect(server.url) as one,
        connect(server.url) as two,
        connect(server.url) as other,
    ):

        async def p99():
            taken = []
            for _ in range(200):
                began = time.monotonic()
                await other.call("pid")
                taken.append(time.monotonic() - began)
            return statistics.quantiles(taken, n=100)[-1]

        alone = await p99()
        loop = asyncio.get_running_loop()
        slow = [loop.create_task(client.call("slow", {"seconds": 2.0})) for client in (one, two) for _ in range(100)]
        await asyncio.gather(one.ping(), two.ping())
        beside = await p99()
        assert not any(call.done() for call in slow)
        assert beside < max(0.25, 2 * alone)
        assert set(await asyncio.gather(*slow)) == set((await ready(server)).values())


EATS = """
import os
from plugsock import plug

kept = []

@plug
async def eats(megabytes: int) -> int:
    kept.append(b"x" * (megabytes << 20))
    return os.getpid()
"""


@pytest.mark.fault("P6")
async def test_a_worker_that_holds_too_much_memory_is_replaced_and_no_call_is_lost(tmp_path):
    flags = ("--workers", "1", "--max-memory", "200MiB")
    async with running(tmp_path / "plugs", *flags, eats=EATS) as server, connect(server.url) as client:
        pids = set()
        async with asyncio.timeout(LIMIT_S):
            while len(pids) < 3:
                pids.add(await client.call("eats", {"megabytes": 10}))
                await asyncio.sleep(0.02)  # or it has eaten gigabytes before anybody looks
        (last,) = await come(server, 1)
        assert psutil.Process(last).memory_info().rss < 300 << 20


@pytest.mark.fault("P6")
async def test_a_plug_that_asks_for_ten_gib_gets_an_error_and_nobody_else_notices(tmp_path):
    flags = ("--workers", "1", "--max-memory", "200MiB")
    async with running(tmp_path / "plugs", *flags, eats=EATS, pid=PID) as server, connect(server.url) as client:
        worker = await client.call("pid")
        with pytest.raises(Error, match="plug_error"):
            await client.call("eats", {"megabytes": 10 << 10})
        assert await client.call("pid") == worker
