"""Plugs may use pools of processes, started in any of Python's ways, for functions of their own files."""

import os
import signal
import subprocess
import sys

import pytest

from support.once import connect
from support.server import running
from support.yard import has_ended

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="one of these ways is all there is, and signals are POSIX'"),
]

WAYS = ("fork", "spawn", "forkserver")

POOLS = """
import asyncio, multiprocessing, os, signal, time, warnings
from concurrent.futures import ProcessPoolExecutor
from msgspec import Struct
from plugsock import plug
from plugs._helper import FACTOR

warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, that there are threads where it forks
POOLS = []

class Work(Struct):
    number: int

def times(work):
    return Work(work.number * FACTOR), os.getpid(), __name__

def wait(_number):
    time.sleep(600)

@plug(timeout=50)
async def run(way: str, number: int) -> tuple[int, bool, str]:
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, multiprocessing.get_context(way)) as pool:
        done, pid, name = await loop.run_in_executor(pool, times, Work(number))
    return done.number, pid != os.getpid(), name

@plug(timeout=50)
def blocking(way: str, numbers: list[int]) -> list[int]:
    with multiprocessing.get_context(way).Pool(2) as pool:  # ends them by SIGTERM
        return [done.number for done, _, _ in pool.map(times, map(Work, numbers))]

@plug(timeout=50)
def keep(way: str) -> list[int]:
    pool = ProcessPoolExecutor(2, multiprocessing.get_context(way))
    POOLS.append(pool)
    pids = set()
    while len(pids) < 2:
        pids |= {pid for _, pid, _ in pool.map(times, [Work(1)] * 8)}
    for number in range(2):
        pool.submit(wait, number)
    return sorted(pids)

@plug
def pid() -> int:
    return os.getpid()
"""

HELPER = "FACTOR = {}\n"


def files(folder, factor=2):
    folder.mkdir(parents=True)
    (folder / "_helper.py").write_text(HELPER.format(factor))
    (folder / "pools.py").write_text(POOLS)
    return folder


@pytest.mark.parametrize("name", ["plugs", "whatever else"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_function_of_the_plugs_file_runs_in_another_process(tmp_path, way, name):
    async with running(files(tmp_path / name), "--workers", "1") as server, connect(server.url) as client:
        assert await client.call("pools.run", {"way": way, "number": 21}) == [42, True, "plugs.pools"]


@pytest.mark.parametrize("way", WAYS)
async def test_it_does_in_an_inline_server(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "0") as server, connect(server.url) as client:
        assert await client.call("pools.run", {"way": way, "number": 21}) == [42, True, "plugs.pools"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_pool_that_ends_its_processes_does_not_end_the_worker(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        worker = await client.call("pools.pid")
        for _ in range(3):
            assert await client.call("pools.blocking", {"way": way, "numbers": [1, 2, 3]}) == [2, 4, 6]
        assert await client.call("pools.pid") == worker


ENDED_AT_ONCE = """
import os, signal
from plugsock.worker import pools

signal.signal(signal.SIGTERM, lambda *_: None)  # as an event loop does
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
pools.enable()
pid = os.fork()
if not pid:
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""


def test_a_copy_heeds_what_it_was_sent_before_it_could():
    subprocess.run([sys.executable, "-W", "ignore", "-c", ENDED_AT_ONCE], check=True, timeout=50)


@pytest.mark.parametrize("way", WAYS)
async def test_what_runs_there_is_what_is_served(tmp_path, way):
    """And not what the folder says by then: this change is never served, as it is none that loads."""
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        server.save("pools.py", "broken(")
        await server.says("was never closed")

        assert await client.call("pools.run", {"way": way, "number": 21}) == [42, True, "plugs.pools"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_swapped_helper_is_used_by_new_pools(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        await client.call("pools.run", {"way": way, "number": 1})
        server.save("_helper.py", HELPER.format(100))
        await server.says("swapped.*pools.run")

        assert (await client.call("pools.run", {"way": way, "number": 1}))[0] == 100


@pytest.mark.parametrize("way", WAYS)
async def test_processes_of_a_pool_end_with_their_worker(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        worker = await client.call("pools.pid")
        pids = await client.call("pools.keep", {"way": way})

        os.kill(worker, signal.SIGKILL)

        assert [has_ended(pid, 10.0) for pid in pids] == [True, True]


@pytest.mark.parametrize("way", WAYS)
async def test_processes_of_a_pool_end_with_a_server_that_is_killed(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        pids = await client.call("pools.keep", {"way": way})

        server.send(signal.SIGKILL)
        await server.end()

        assert [has_ended(pid, 10.0) for pid in pids] == [True, True]


@pytest.mark.parametrize("way", WAYS)
async def test_processes_of_a_pool_end_with_a_server_that_stops(tmp_path, way):
    async with running(files(tmp_path / "plugs"), "--workers", "1") as server, connect(server.url) as client:
        pids = await client.call("pools.keep", {"way": way})

        server.send(signal.SIGTERM)
        await server.end()

        assert [has_ended(pid, 20.0) for pid in pids] == [True, True]
