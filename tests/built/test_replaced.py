"""The executable is replaced, overwritten or deleted under a server that runs: it says so, and goes on serving."""

import asyncio
import errno
import shutil
import subprocess
import sys

import pytest

from support import executable
from support.executable import running
from support.launched import Family
from support.once import connect

PLUG = """
import importlib
import os
import subprocess
import sys
from plugsock import plug

@plug
async def version() -> int:
    return 1

@plug
async def pid() -> int:
    return os.getpid()

@plug(timeout=30.0)
def runs(arguments: list[str]) -> tuple[int, str]:
    ended = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    return ended.returncode, ended.stderr

@plug
async def imports(name: str) -> str:
    return importlib.import_module(name).__name__
"""

NEVER_IMPORTED = "wsgiref.simple_server"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows replaces no file that runs")


@pytest.fixture
def ours(exe, tmp_path):
    """An executable of this test's own."""
    (tmp_path / "own").mkdir()
    return executable.put(tmp_path / "own")


@pytest.fixture
def plugs(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "ours.py").write_text(PLUG)
    return folder


def replace(path):
    new = path.with_name("new")
    shutil.copy(path, new)
    new.replace(path)


def delete(path):
    path.unlink()


@pytest.mark.fault("F5")
@pytest.mark.parametrize("change", [replace, delete])
async def test_a_server_whose_executable_has_changed_goes_on_as_before(ours, plugs, temporary, change):
    async with running(ours, plugs, "--workers", "1", temporary=temporary) as server, connect(server.url) as client:
        change(ours)

        await server.says("the executable was replaced: restart plugsock")
        assert await client.call("ours.imports", {"name": NEVER_IMPORTED}) == NEVER_IMPORTED
        server.save("ours.py", PLUG.replace("return 1", "return 2"))
        assert await _swapped(client, "ours.version", 2)


@pytest.mark.fault("F5")
@pytest.mark.parametrize("change", [replace, delete])
async def test_workers_are_still_forked(ours, plugs, temporary, change):
    async with running(ours, plugs, "--workers", "1", temporary=temporary) as server, connect(server.url) as client:
        [first] = Family(server).workers
        change(ours)

        first.kill()

        assert await client.call("ours.pid") != first.pid
        assert await client.call("ours.imports", {"name": NEVER_IMPORTED}) == NEVER_IMPORTED


@pytest.mark.fault("F5")
async def test_without_a_nursery_it_serves_on_with_the_workers_it_has_and_says_why(ours, plugs, temporary):
    async with running(ours, plugs, "--workers", "2", temporary=temporary) as server, connect(server.url) as client:
        family = Family(server)
        replace(ours)
        await server.says("the executable was replaced")
        family.nursery.kill()

        family.workers[0].kill()

        await server.says("a worker's process can't be started.*the executable was replaced: restart plugsock")
        await asyncio.sleep(1.0)  # in which it is tried some more times
        assert sum("can't be started" in line for line in server.err) == 1
        assert await client.call("ours.pid") == family.workers[1].pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell")
@pytest.mark.fault("F5")
async def test_a_program_that_a_plug_starts_with_it_says_why_it_does_not_run(ours, plugs, temporary):
    async with running(ours, plugs, "--workers", "1", temporary=temporary) as server, connect(server.url) as client:
        unpacked_by_itself = executable.unpacked(temporary)
        replace(ours)

        status, said = await client.call("ours.runs", {"arguments": ["-c", "print(1)"]})

    if unpacked_by_itself:  # else it is another one with all that belongs to it
        assert (status, said) == (1, "plugsock: the executable was replaced: restart plugsock\n")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux' own rule")
def test_linux_lets_nobody_overwrite_a_file_that_runs(ours, temporary):
    command = [str(ours), "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=executable.environment(temporary)) as started:
        with pytest.raises(OSError) as refused, ours.open("r+b"):
            pass
        started.communicate(b"\n")

    assert refused.value.errno == errno.ETXTBSY


async def _swapped(client, event, value):
    """Call until a swap is in force: whoever saves a file is not told."""
    async with asyncio.timeout(executable.LIMIT_S):
        while await client.call(event) != value:  # noqa: ASYNC110 - it is asked for, not waited for
            await asyncio.sleep(0.02)
    return True
