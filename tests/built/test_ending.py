"""How one file and all its processes end, whichever of them is killed: no process and no folder is left."""

import asyncio
import signal
import subprocess
import sys

import psutil
import pytest

from plugsock import Error
from plugsock.errors import Disconnected
from support import executable
from support.executable import LIMIT_S, running
from support.launched import Family, are_gone, is_emptied, is_swept, needs_one_file
from support.once import connect
from support.terminal import Terminal

SLOW = """
import asyncio
import time
from plugsock import Socket, plug

@plug
async def slow(socket: Socket, seconds: float) -> str:
    socket.send("slow.started")
    await asyncio.sleep(seconds)
    return "done"

@plug
def busy(socket: Socket, seconds: float) -> str:
    socket.send("busy.started")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return "done"
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")


@pytest.fixture
def plugs(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    return folder


@pytest.fixture
def one_file(exe):
    needs_one_file(exe)
    return exe


@pytest.mark.fault("F3")
@pytest.mark.parametrize("victim", ["launcher", "server"])
async def test_when_one_is_killed_nothing_is_left(one_file, plugs, temporary, victim):
    async with running(one_file, plugs, "--workers", "2", temporary=temporary) as server:
        family = Family(server)

        getattr(family, victim).kill()

        assert family.is_gone()
        assert is_emptied(temporary)
        assert await server.end() == -signal.SIGKILL


@pytest.mark.fault("F3")
@pytest.mark.parametrize("victim", ["launcher", "server"])
@pytest.mark.parametrize("event", ["slow", "slow.busy"])
async def test_nor_while_calls_are_open(one_file, plugs, temporary, victim, event):
    async with running(one_file, plugs, "--workers", "2", temporary=temporary) as server:
        family = Family(server)
        async with connect(server.url) as client:
            call = asyncio.get_running_loop().create_task(client.call(event, {"seconds": 25.0}))
            await anext(aiter(client.pushes()))

            getattr(family, victim).kill()

            assert await asyncio.to_thread(family.is_gone)
            assert is_emptied(temporary)
            with pytest.raises((Error, Disconnected)):
                await call
        assert await server.end() == -signal.SIGKILL


@pytest.mark.fault("F3")
async def test_when_the_launcher_and_the_server_are_killed_the_next_start_takes_their_folder_away(
    one_file, plugs, temporary
):
    async with running(one_file, plugs, temporary=temporary) as server:
        family = Family(server)
        family.launcher.suspend()  # so that it can't remove the folder in between
        family.server.kill()
        family.launcher.kill()
        assert family.is_gone()
        assert await server.end() == -signal.SIGKILL
    [left] = executable.unpacked(temporary)

    async with running(one_file, plugs, temporary=temporary):
        assert await asyncio.to_thread(is_swept, left)

    assert is_emptied(temporary)


@pytest.mark.fault("F3")
@pytest.mark.parametrize("files", [0, 1, 20, 60])
async def test_what_is_left_when_it_is_ended_while_it_unpacks_is_taken_away_by_the_next_start(
    one_file, plugs, temporary, files
):
    left = await asyncio.to_thread(_end_while_it_unpacks, one_file, temporary, files)

    async with running(one_file, plugs, temporary=temporary):
        assert await asyncio.to_thread(is_swept, left)

    assert is_emptied(temporary)


@pytest.mark.fault("F3")
def test_the_launcher_s_death_is_noticed_while_python_still_starts(one_file, plugs, temporary):
    command = [str(one_file), "--plugs", str(plugs), "--port", "0"]
    env = executable.environment(temporary)
    started = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not any(map(_has_python, family := executable.processes(started.pid))):
        assert started.poll() is None

    started.kill()
    started.communicate(timeout=LIMIT_S)  # until nobody has the pipe any more

    assert are_gone(family)
    assert is_emptied(temporary)


@pytest.mark.fault("F3")
async def test_sigterm_to_every_process_is_one_graceful_stop(one_file, plugs, temporary):
    async with running(one_file, plugs, "--workers", "1", temporary=temporary) as server, connect(server.url) as client:
        family = Family(server)
        call = asyncio.get_running_loop().create_task(client.call("slow", {"seconds": 1.0}))
        await anext(aiter(client.pushes()))

        family.server.terminate()  # as service managers do
        family.launcher.terminate()

        assert await call == "done"
        assert await server.end() == 0
        assert is_emptied(temporary)


async def test_one_ctrl_c_is_one_graceful_stop(exe, plugs, session_temporary):
    terminal = await Terminal.start(plugs, "--workers", "1")
    try:
        await terminal.shows("events:")
        url = terminal.match(r"ws://[\d.:]+")
        async with connect(url) as client:
            call = asyncio.get_running_loop().create_task(client.call("slow", {"seconds": 1.0}))
            await anext(aiter(client.pushes()))

            terminal.type(b"\x03")

            assert await call == "done"
        assert await asyncio.wait_for(terminal.process.wait(), LIMIT_S) == 0
        await terminal.ended()
        assert "Traceback" not in terminal.shown
    finally:
        await terminal.close()


@pytest.mark.parametrize(("arguments", "status"), [(["--version"], 0), (["--prot", "1"], 2), (["--plugs", "none"], 2)])
def test_the_exit_status_is_passed_on(exe, tmp_path, temporary, arguments, status):
    ended = executable.run(exe, *arguments, cwd=tmp_path, temporary=temporary)

    assert ended.returncode == status
    assert is_emptied(temporary)


def _has_python(process):
    """Has it begun to be a Python? Before that it ends by itself, as PyInstaller looks for its launcher too."""
    try:
        return any("libpython" in mapped.path for mapped in process.memory_maps())
    except psutil.Error:
        return False


def _end_while_it_unpacks(exe, temporary, files):
    """SIGTERM to a launcher that has begun so many files; what it leaves behind."""
    started = subprocess.Popen(
        [str(exe), "--version"], env=executable.environment(temporary), stdout=subprocess.DEVNULL
    )
    while not any(sum(1 for _ in folder.rglob("*")) >= files for folder in executable.unpacked(temporary)):
        assert started.poll() is None
    started.terminate()
    assert started.wait(LIMIT_S) == -signal.SIGTERM
    [left] = executable.unpacked(temporary)
    return left
