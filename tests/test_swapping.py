"""A whole server whose plugs are swapped while clients call: what nobody may notice, and what everybody is told."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from plugsock import Error
from plugsock.client import connect
from support.callers import EVENT, calling, source
from support.history import History
from support.server import LIMIT_S, running

MEMORY_SWAPS = int(os.environ.get("PLUGSOCK_TEST_SWAPS", "200"))
WARM_UP_SWAPS = 30
GROWTH_MIB = 10

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell that a file is still open")

# Revisions say when they are freed. It happens wherever the collector runs, so the line is written past all buffers.
FREED = """
import os, sys, weakref

def tell_when_freed(module, version):
    line = f"freed {module} {version}\\n"
    weakref.finalize(sys.modules[module], os.write, 2, line.encode())
"""


class Folder:
    """Saves versions, and waits until they are served."""

    def __init__(self, server, client, history):
        self.server = server
        self.client = client
        self.history = history
        self.notices = asyncio.Queue()
        self.version = 1
        client.on_notice(lambda name, data: self.notices.put_nowait((name, data)))
        history.see(history.begin(1))

    @property
    def path(self):
        return self.server.folder / f"{EVENT}.py"

    async def swap(self, save=None):
        """Save the next version, in a thread if it takes a program, and wait until it is served."""
        swap = self.begin()
        text = source(swap.version)
        if save is None:
            self.server.save(self.path.name, text)
        else:
            await asyncio.to_thread(save, self.path, text)
        await self.served(swap)

    def begin(self):
        """The next version is about to be saved."""
        self.version += 1
        return self.history.begin(self.version)

    async def served(self, swap):
        """Wait until a version answers: it is looked at after each notice."""
        async with asyncio.timeout(LIMIT_S):
            while (await self.client.call(EVENT))["versions"] != [swap.version] * 2:
                await self.notices.get()
        self.history.see(swap)

    async def two_are_alive(self):
        """Wait until of the versions that have answered all but the last two are freed."""
        for version in sorted(self.history.versions())[:-2]:
            await self.server.says(f"freed plugs.{EVENT} {version}$")


@asynccontextmanager
async def swapping(folder, **files):
    """A server with the first version, and a client of whoever swaps."""
    async with running(folder, **{EVENT: source(1)}, _freed=FREED, **files) as server, connect(server.url) as client:
        yield Folder(server, client, History())


@pytest.mark.fault("S9")
async def test_fifty_swaps_under_load_lose_double_and_mix_up_nothing(tmp_path):
    async with swapping(tmp_path / "plugs") as folder:
        async with calling(folder.server, folder.history, connections=6, depth=8) as callers:
            for _ in range(50):
                await folder.swap()
        assert folder.history.faults() == []
        assert folder.history.versions() >= set(range(2, 52))
        assert all(caller.answered > 50 for caller in callers)


def in_place(path, text):
    path.write_text(text)


def renamed(path, text):
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    beside.replace(path)


def backed_up(path, text):
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(text)


def truncated(path, text):
    os.truncate(path, 0)
    path.write_text(text)


def copied(path, text):
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    _run("cp", beside, path)


def moved_from_another_folder(path, text):
    beside = path.parent.parent / path.name
    beside.write_text(text)
    _run("mv", beside, path)


def moved_from_another_file_system(path, text):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        beside = Path(other, path.name)
        beside.write_text(text)
        _run("mv", beside, path)


def sed(path, text):
    version = text.rpartition(" ")[2].strip()
    _run("sed", "-i", f"s/^\\(FIRST\\|LAST\\) = .*/\\1 = {version}/", path)


def vim(path, text):
    version = text.rpartition(" ")[2].strip()
    change = f"%s/^\\(FIRST\\|LAST\\) = .*/\\1 = {version}/"
    _run("vim", "-u", "NONE", "-es", "-c", "set backup backupcopy=no", "-c", change, "-c", "wq", path)


def rsync(path, text):
    beside = path.parent.parent / path.name
    beside.write_text(text)
    _run("rsync", "--ignore-times", beside, path)  # two saves of a test may be alike in size and second


def checked_out(path, text):
    """The next version is committed in another working tree; this one checks it out."""
    here, there = path.parent, path.parent.parent / "there"
    if not there.exists():
        _git(here, "init", "-q")
        _git(here, "add", ".")
        _git(here, "commit", "-qm", "first")
        _git(here, "worktree", "add", "-q", "--detach", str(there))
    (there / path.name).write_text(text)
    _git(there, "commit", "-qam", "next")
    head = _git(there, "rev-parse", "HEAD").strip()
    _git(here, "checkout", "-q", head)


def _git(folder, *words):
    return _run("git", "-c", "user.name=a", "-c", "user.email=a@b", *words, cwd=folder)


def _run(*words, cwd=None):
    return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def _is_another_file_system(path):
    return Path(path).is_dir() and Path(path).stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev


another_file_system = pytest.mark.skipif(not _is_another_file_system("/dev/shm"), reason="there is but one file system")


@pytest.mark.fault("S2")
@pytest.mark.parametrize(
    "style",
    [
        in_place,
        renamed,
        backed_up,
        truncated,
        pytest.param(copied, marks=needs("cp")),
        pytest.param(moved_from_another_folder, marks=needs("mv")),
        pytest.param(moved_from_another_file_system, marks=[needs("mv"), another_file_system]),
        pytest.param(sed, marks=[needs("sed"), linux]),
        pytest.param(vim, marks=needs("vim")),
        pytest.param(rsync, marks=needs("rsync")),
        pytest.param(checked_out, marks=needs("git")),
    ],
    ids=lambda style: style.__name__,
)
async def test_every_way_to_save_is_served_without_a_gap(tmp_path, style):
    async with swapping(tmp_path / "plugs") as folder:
        async with calling(folder.server, folder.history, connections=2, depth=2):
            for _ in range(5):
                await folder.swap(style)
        assert folder.history.faults() == []


@pytest.mark.fault("S11")
async def test_of_a_hundred_saves_a_second_the_last_is_served_and_few_are_swaps(tmp_path):
    saves = 200
    async with swapping(tmp_path / "plugs") as folder:
        loop = asyncio.get_running_loop()
        async with calling(folder.server, folder.history, connections=2, depth=2) as callers:
            began = loop.time()
            answered = []
            for number in range(1, saves + 1):
                swap = folder.begin()
                folder.server.save(folder.path.name, source(swap.version))
                answered.append(sum(caller.answered for caller in callers))
                await asyncio.sleep(began + number * 0.01 - loop.time())
            await folder.served(swap)
        assert folder.history.faults() == []
        assert folder.history.slowest_s() < 2.0
        assert answered[-1] > answered[saves // 2] > answered[0]
        assert len(folder.history.versions()) < saves // 2
        await folder.two_are_alive()


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
    async with running(tmp_path / "plugs", **files) as server, connect(server.url) as client:
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


@pytest.mark.fault("S14")
async def test_a_folder_that_is_moved_away_goes_on_serving_and_is_found_again(tmp_path):
    async with swapping(tmp_path / "plugs") as folder:
        here, away = folder.server.folder, tmp_path / "away"
        async with calling(folder.server, folder.history, connections=2, depth=2):
            here.rename(away)
            await folder.server.says("can't be read")
            swap = folder.begin()
            (away / folder.path.name).write_text(source(swap.version))
            away.rename(here)
            await folder.served(swap)
            await folder.swap()
        assert folder.history.faults() == []


@pytest.mark.fault("S14")
@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there that few have")
async def test_a_link_that_is_turned_to_the_next_release_swaps(tmp_path):
    for version in (1, 2):
        release = tmp_path / "releases" / str(version)
        release.mkdir(parents=True)
        (release / f"{EVENT}.py").write_text(source(version))
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "releases" / "1")
    async with swapping(current) as folder:
        async with calling(folder.server, folder.history, connections=2, depth=2):
            turned = tmp_path / "turned"
            turned.symlink_to(tmp_path / "releases" / "2")
            swap = folder.begin()
            turned.replace(current)
            await folder.served(swap)
            await folder.swap()
        assert folder.history.faults() == []
        assert (tmp_path / "releases" / "2" / f"{EVENT}.py").read_text() == source(3)


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
async def test_many_swaps_under_load_leave_neither_memory_nor_threads_nor_revisions(tmp_path):
    async with swapping(tmp_path / "plugs") as folder:
        process = psutil.Process(folder.server.process.pid)
        async with calling(folder.server, folder.history, connections=1, depth=1):
            for _ in range(WARM_UP_SWAPS):
                await folder.swap()
            await folder.two_are_alive()
            rss, threads = process.memory_info().rss, process.num_threads()
            for _ in range(MEMORY_SWAPS):
                await folder.swap()
            await folder.two_are_alive()
            grown = process.memory_info().rss - rss
            async with asyncio.timeout(LIMIT_S):
                while process.num_threads() > threads:
                    await folder.client.ping()
        assert folder.history.faults() == []
        assert grown < GROWTH_MIB << 20
