"""A whole server whose plugs are swapped while clients call: what nobody may notice, and what everybody is told."""

import asyncio
import os
from contextlib import asynccontextmanager

import psutil
import pytest

from plugsock import Error
from support.callers import EVENT, calling
from support.once import connect
from support.server import LIMIT_S, running
from support.swapping import FREED, swapping
from support.workforce import family

pytestmark = pytest.mark.end_to_end

MEMORY_SWAPS = int(os.environ.get("PLUGSOCK_TEST_SWAPS", "200"))
WARM_UP_SWAPS = 30
GROWTH_MIB = 10


@pytest.mark.fault("S9")
@pytest.mark.parametrize("workers", ["0", "3"])
async def test_fifty_swaps_under_load_lose_double_and_mix_up_nothing(tmp_path, workers):
    async with swapping(tmp_path / "plugs", "--workers", workers) as folder:
        async with calling(folder.server, folder.history, connections=6, depth=8) as callers:
            for _ in range(50):
                await folder.swap()
        assert folder.history.faults() == []
        assert folder.history.versions() >= set(range(2, 52))
        assert all(caller.answered > 50 for caller in callers)


LONG = """
import sys
from plugsock import Socket, on_unload, plug
from plugs._freed import tell_when_freed
from plugs._gate import gate

VERSION = {version}
tell_when_freed(__name__, VERSION)

@plug
async def waits(socket: Socket) -> int:
    socket.send("began")
    await gate.wait()
    return VERSION

@plug
def blocks(socket: Socket) -> int:
    socket.send("began")
    while not gate.is_set():
        gate.blocking.wait()
    return VERSION

@plug
async def flows():
    while not gate.is_set():
        yield VERSION

@plug
def pours():
    while not gate.is_set():
        yield VERSION

@on_unload
def leave():
    print("unloaded long", VERSION, file=sys.stderr, flush=True)
"""

GATE = """
import asyncio, threading

class Gate(asyncio.Event):
    def __init__(self):
        super().__init__()
        self.blocking = threading.Event()

    def open(self):
        self.set()
        self.blocking.set()

gate = Gate()
"""

OPENS = """
from plugsock import plug
from plugs._gate import gate

@plug
async def opens():
    gate.open()
"""

OTHER = """
import sys
from plugsock import on_unload, plug

@plug
async def other() -> int:
    return {version}

@on_unload
def leave():
    print("unloaded other", {version}, file=sys.stderr, flush=True)
"""


@asynccontextmanager
async def long_running(tmp_path):
    """A server whose `long` plugs run until `opens` is called, and stay with one gate whatever is swapped."""
    files = {"long": LONG.format(version=1), "_freed": FREED, "_gate": GATE, "opens": OPENS}
    files["other"] = OTHER.format(version=1)
    # One worker: that the gate is open is known in its process alone.
    async with running(tmp_path / "plugs", "--workers", "1", **files) as server, connect(server.url) as client:
        yield server, client


async def other_unloads(server):
    """Swap another plug and wait until its old revision is unloaded: whatever was due before has been by then."""
    server.save("other.py", OTHER.format(version=2))
    await server.says("unloaded other 1")


@pytest.mark.fault("S10")
@pytest.mark.parametrize("event", ["long.waits", "long.blocks"])
async def test_a_call_ends_on_the_revision_it_began_on_which_is_unloaded_after_it(tmp_path, event):
    async with long_running(tmp_path) as (server, client):
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call(event))
        assert (await anext(pushes)).event == "began"
        server.save("long.py", LONG.format(version=2))
        await server.says(f"swapped.*{event}")
        await other_unloads(server)
        assert "unloaded long 1" not in server.err
        assert not call.done()
        await client.call("opens")
        assert await call == 1
        await server.says("unloaded long 1")
        await server.says("freed plugs.long 1$")
        assert await client.call(event) == 2


@pytest.mark.fault("S10")
@pytest.mark.parametrize("event", ["long.flows", "long.pours"])
async def test_a_stream_ends_on_the_revision_it_began_on_while_others_begin_on_the_next(tmp_path, event):
    async with long_running(tmp_path) as (server, client):
        old = client.stream(event, credit=2)
        assert await anext(old) == 1
        server.save("long.py", LONG.format(version=2))
        await server.says(f"swapped.*{event}")
        new = client.stream(event, credit=2)
        assert await anext(new) == 2
        assert [await anext(old) for _ in range(10)] == [1] * 10
        assert [await anext(new) for _ in range(10)] == [2] * 10
        await other_unloads(server)
        assert "unloaded long 1" not in server.err
        await client.call("opens")
        assert {item async for item in old} <= {1}
        await server.says("unloaded long 1")
        await server.says("freed plugs.long 1$")
        assert {item async for item in new} <= {2}
        assert "unloaded long 2" not in server.err


@pytest.mark.fault("S10")
async def test_a_call_whose_caller_leaves_keeps_nothing_alive(tmp_path):
    async with long_running(tmp_path) as (server, client):
        async with connect(server.url) as leaving:
            pushes = leaving.pushes()
            call = asyncio.get_running_loop().create_task(leaving.call("long.waits"))
            await anext(pushes)
            server.save("long.py", LONG.format(version=2))
            await server.says("swapped.*long.waits")
            call.cancel()
            await asyncio.wait({call})
        await server.says("unloaded long 1")
        await server.says("freed plugs.long 1$")
        await client.call("opens")
        assert await client.call("long.waits") == 2


BY_NAME = """
import asyncio, importlib, sys
from pathlib import Path
from plugsock import Socket, on_unload, plug

VERSION = importlib.import_module("plugs._num" + "ber").VERSION

@plug
async def named(socket: Socket, until: str = "") -> int:
    if until:
        socket.send("began")
    while until and not Path(until).exists():
        await asyncio.sleep(0.01)
    return VERSION

@on_unload
def leave():
    print("unloaded named", VERSION, file=sys.stderr, flush=True)
"""


@pytest.mark.fault("S10", "S22")
async def test_a_call_is_waited_for_though_only_a_helper_has_changed_that_no_import_statement_names(tmp_path):
    go = tmp_path / "go"
    files = {"named": BY_NAME, "_number": "VERSION = 1\n"}
    async with (
        running(tmp_path / "plugs", other=OTHER.format(version=1), **files) as server,
        connect(server.url) as client,
    ):
        pushes = client.pushes()
        call = asyncio.get_running_loop().create_task(client.call("named", {"until": str(go)}))
        await anext(pushes)
        server.save("_number.py", "VERSION = 2\n")
        async with asyncio.timeout(LIMIT_S):
            while await client.call("named") != 2:
                pass
        await other_unloads(server)
        assert "unloaded named 1" not in server.err
        go.touch()
        assert await call == 1
        await server.says("unloaded named 1")


async def test_clients_are_told_which_events_changed_and_nothing_of_what_failed(tmp_path):
    files = {"other": OTHER.format(version=1)}
    async with swapping(tmp_path / "plugs", **files) as folder, connect(folder.server.url, hello=False) as anonymous:
        told = asyncio.Queue()
        anonymous.on_notice(lambda name, data: told.put_nowait((name, data)))
        server = folder.server
        server.save("other.py", "def broken(:\n")
        await server.says(r"other\.py:1")
        server.save("other.py", OTHER.format(version=2))
        (server.folder / folder.path.name).unlink()
        await server.says(f"removed.*{EVENT}")
        for notices in (told, folder.notices):
            (first, edited), (second, removed) = [await notices.get() for _ in range(2)]
            assert {first, second} == {"plugs"}
            assert (edited["changed"], edited["breaking"]) == (["other"], False)
            assert (removed["changed"], removed["breaking"]) == ([EVENT], True)
            assert edited["shapes"] != removed["shapes"]
            assert notices.empty()
        with pytest.raises(Error, match="gone"):
            await folder.client.call(EVENT)


@pytest.mark.fault("S11", "S19")
@pytest.mark.parametrize("workers", ["0", "1"])
async def test_many_swaps_under_load_leave_neither_memory_nor_threads_nor_revisions(tmp_path, workers):
    async with swapping(tmp_path / "plugs", "--workers", workers) as folder:
        processes = [psutil.Process(folder.server.pid), *family(folder.server)]

        def used():
            return [process.memory_info().rss for process in processes], [one.num_threads() for one in processes]

        async with calling(folder.server, folder.history, connections=1, depth=1):
            for _ in range(WARM_UP_SWAPS):
                await folder.swap()
            await folder.two_are_alive()
            rss, threads = used()
            for _ in range(MEMORY_SWAPS):
                await folder.swap()
            await folder.two_are_alive()
            grown = [after - before for before, after in zip(rss, used()[0], strict=True)]
            async with asyncio.timeout(LIMIT_S):
                while used()[1] > threads:
                    await folder.client.ping()
        assert folder.history.faults() == []
        assert max(grown) < GROWTH_MIB << 20
