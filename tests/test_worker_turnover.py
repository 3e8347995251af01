"""Workers that come and go in the course of things: more when there is more to do, new ones for old."""

import asyncio
import sys

import psutil
import pytest

from support.once import connect
from support.server import LIMIT_S, running
from support.workforce import PID, come, ended, family, ps, ready, reload, until

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]

THREADED = """
import os, time
from plugsock import plug

@plug
def threaded(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()
"""


@pytest.mark.fault("K11")
async def test_workers_are_added_while_calls_wait_and_never_more_than_allowed(tmp_path):
    flags = ("--workers", "1-3")
    async with running(tmp_path / "plugs", *flags, threaded=THREADED) as server, connect(server.url) as client:
        assert len(await ready(server)) == 1
        loop = asyncio.get_running_loop()
        calls = [loop.create_task(client.call("threaded", {"seconds": 0.2})) for _ in range(120)]
        workers = await come(server, 3)
        answers = await asyncio.gather(*calls)
        assert set(answers) <= workers
        assert len(set(answers)) > 1
        assert len(await ps(server)) == 3


@pytest.mark.fault("K11")
async def test_workers_are_replaced_after_so_many_calls_and_no_call_is_lost(tmp_path):
    flags = ("--workers", "2", "--max-calls", "100")
    async with (
        running(tmp_path / "plugs", *flags, pid=PID) as server,
        connect(server.url) as one,
        connect(server.url) as two,
    ):
        pids = set()

        async def call(client):
            while len(pids) < 6:  # each is asked a few times a second how many calls it has run
                pids.add(await client.call("pid"))

        async with asyncio.timeout(LIMIT_S):
            await asyncio.gather(call(one), call(two))
        await come(server, 2)
        await ended(pids - {row.pid for row in await ps(server)})


@pytest.mark.fault("K11")
async def test_reload_replaces_every_worker_and_no_call_is_lost(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "2", threaded=THREADED, pid=PID) as server:
        before = set((await ready(server)).values())
        async with connect(server.url) as client, connect(server.url) as other:
            begun = [
                asyncio.get_running_loop().create_task(client.call("threaded", {"seconds": 0.5})) for _ in range(4)
            ]
            await client.ping()
            reloading = asyncio.get_running_loop().create_task(reload(server))
            while not reloading.done():
                await other.call("pid")
            assert set(await asyncio.gather(*begun)) <= before
            after = await come(server, 2, without=before)
            assert {await other.call("pid") for _ in range(20)} == after
        await ended(before)


LEAKS = """
import logging, os, threading
from plugsock import plug

VERSION = {version}
threading.Thread(target=threading.Event().wait, name="left", daemon=True).start()
logging.getLogger().addHandler(logging.NullHandler())

@plug
async def leaks() -> list[int]:
    threads = [thread for thread in threading.enumerate() if thread.name == "left"]
    return [VERSION, os.getpid(), len(threads), len(logging.getLogger().handlers)]
"""


@pytest.mark.fault("S20")
async def test_what_each_version_leaves_behind_goes_with_its_worker(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", leaks=LEAKS.format(version=1)) as server,
        connect(server.url) as client,
    ):
        _, _, threads, handlers = await client.call("leaks")
        seen = 0
        for version in range(2, 7):
            server.save("leaks.py", LEAKS.format(version=version))
            await server.says("swapped.*leaks", since=seen)
            seen = len(server.err)
        _, old, *left = await client.call("leaks")
        assert left == [threads + 5, handlers + 5]
        processes = len(family(server))
        await reload(server)
        version, pid, *fresh = await client.call("leaks")
        assert (version, fresh) == (6, [threads, handlers])
        assert pid != old
        await ended({old})
        await until(lambda: len(family(server)) <= processes)


@pytest.mark.fault("S20", "K11")
async def test_the_servers_own_process_does_not_grow_with_the_workers_that_it_has_replaced(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "2", pid=PID) as server, connect(server.url) as client:
        gateway = psutil.Process(server.pid)
        await reload(server)
        await until(lambda: len(family(server)) <= 3)
        files, threads = gateway.num_fds(), gateway.num_threads()
        for _ in range(5):
            await reload(server)
            assert isinstance(await client.call("pid"), int)
        await until(lambda: gateway.num_fds() <= files)
        assert gateway.num_threads() == threads
