"""Plugs that are swapped in several worker processes at once: one server, as far as any client can tell."""

import asyncio
import os
import signal
import sys

import pytest

from plugsock import Error
from plugsock.rpc.admin import List
from support.callers import EVENT, calling, source
from support.once import connect
from support.server import LIMIT_S, running
from support.swapping import swapping
from support.workforce import PID, ask, come, ended, ready, reload

pytestmark = [pytest.mark.end_to_end, pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")]


@pytest.mark.fault("S9")
async def test_after_clients_were_told_of_a_swap_no_call_starts_on_an_older_revision_on_any_worker(tmp_path):
    async with swapping(tmp_path / "plugs", "--workers", "3") as folder:
        async with calling(folder.server, folder.history, connections=6, depth=4) as callers:
            for _ in range(30):
                await folder.swap_by_notice()
        assert folder.history.faults() == []
        assert folder.history.versions() >= set(range(2, 32))
        assert all(caller.answered > 30 for caller in callers)


@pytest.mark.fault("S9", "K1")
async def test_swaps_while_workers_are_killed_lose_and_mix_up_nothing(tmp_path):
    async with swapping(tmp_path / "plugs", "--workers", "3") as folder:
        async with calling(folder.server, folder.history, connections=4, depth=4):
            for _ in range(8):
                victim = min((await ready(folder.server)).values())
                swapped = asyncio.get_running_loop().create_task(folder.swap())
                os.kill(victim, signal.SIGKILL)
                await swapped
                await come(folder.server, 3, without={victim})
        assert folder.history.faults() == []


@pytest.mark.fault("S9", "K11")
async def test_swaps_while_all_workers_are_replaced_lose_and_mix_up_nothing(tmp_path):
    async with swapping(tmp_path / "plugs", "--workers", "2") as folder:
        async with calling(folder.server, folder.history, connections=4, depth=4):
            for _ in range(3):
                reloading = asyncio.get_running_loop().create_task(reload(folder.server))
                while not reloading.done():
                    await folder.swap()
        assert folder.history.faults() == []


SPINS = """
import asyncio
from plugsock import Socket, plug

@plug
async def spins(socket: Socket) -> int:
    socket.send("began")
    await asyncio.sleep(0)
    while {version} == 1:
        pass
    return {version}
"""


@pytest.mark.fault("P4")
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_worker_in_an_endless_loop_does_not_stop_the_save_that_mends_it(tmp_path, workers):
    async with (
        running(tmp_path / "plugs", "--workers", str(workers), spins=SPINS.format(version=1)) as server,
        connect(server.url) as client,
        connect(server.url) as other,
    ):
        before = set((await ready(server)).values())
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call("spins"))
        await anext(pushes)
        server.save("spins.py", SPINS.format(version=2))
        await server.says("swapped.*spins")
        async with asyncio.timeout(LIMIT_S):
            assert await other.call("spins") == 2
        with pytest.raises(Error, match="worker_lost"):
            await call
        after = await come(server, workers)
        assert len(before & after) == workers - 1
        await ended(before - after)
        assert {await other.call("spins") for _ in range(10)} == {2}


async def test_a_broken_file_is_served_by_no_worker_and_named_once(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "3", pid=PID) as server,
        connect(server.url) as client,
    ):
        server.save("pid.py", "def broken(:\n" + PID)
        await server.says(r"pid\.py:1")
        listing = await ask(server, List())
        assert [(problem.line, problem.events) for problem in listing.problems] == [(1, ("pid",))]
        assert len({await client.call("pid") for _ in range(20)}) == 3
        server.save("pid.py", PID)
        async with asyncio.timeout(LIMIT_S):
            while (await ask(server, List())).problems:
                await client.ping()


async def test_a_worker_that_comes_later_serves_what_is_in_force_and_not_what_the_folder_holds(tmp_path):
    async with swapping(tmp_path / "plugs", "--workers", "2") as folder:
        server, client = folder.server, folder.client
        await folder.swap()
        server.save(f"{EVENT}.py", "def broken(:\n" + source(3))
        await server.says(rf"{EVENT}\.py:1")
        for _ in range(2):
            killed = min((await ready(server)).values())
            os.kill(killed, signal.SIGKILL)
            await come(server, 2, without={killed})
        assert {tuple((await client.call(EVENT))["versions"]) for _ in range(20)} == {(2, 2)}


MAKER = """
from msgspec import Struct
from plugsock import plug
from plugs._shelf import kept

class Thing(Struct):
    number: int

@plug
async def keep(number: int) -> Thing:
    kept.append(Thing(number))
    return kept[-1]

@plug
async def look() -> list[tuple[bool, int]]:
    return [(isinstance(thing, Thing), thing.number) for thing in kept]  # VERSION
"""


@pytest.mark.fault("S21")
async def test_what_a_helper_keeps_is_of_the_old_class_after_a_swap_and_only_data_leaves_the_worker(tmp_path):
    shelf = {"_shelf": "kept = []\n", "maker": MAKER}
    async with running(tmp_path / "plugs", "--workers", "1", **shelf) as server, connect(server.url) as client:
        assert await client.call("maker.keep", {"number": 7}) == {"number": 7}
        assert await client.call("maker.look") == [[True, 7]]

        server.save("maker.py", MAKER.replace("VERSION", "2"))
        await server.says(r"swapped .*event=maker\.look")

        assert await client.call("maker.look") == [[False, 7]]
        assert await client.call("maker.keep", {"number": 8}) == {"number": 8}
        assert await client.call("maker.look") == [[False, 7], [True, 8]]
