"""Plugs that need packages, in a real server: what it says, what `plugsock pip sync` does to it, and `--install`."""

import asyncio
import re
import sys

import pytest

from plugsock import Error
from support import executable
from support.once import connect
from support.server import LIMIT_S, environment, running
from support.wheels import wheel
from support.workforce import PID, POLL_S, come, ready, until

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.timeout(180),  # pip runs up to six times, two seconds each on a machine that has nothing else to do
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'"),
]

NEEDY = """
# /// script
# dependencies = ["alpha{version}"]
# ///
import alpha
from plugsock import plug

@plug
async def needy() -> str:
    return alpha.VERSION
"""

ROLLED = r'all workers are replaced, one by one +reason="(.+?)"'
LIBRARIES = "site-packages has changed"


def alpha(folder, version):
    """A package with many files, as real ones have."""
    files = {f"alpha/_{n}.py": "" for n in range(200)} | {"alpha/__init__.py": f"VERSION = {version!r}\n"}
    wheel(folder, "alpha", version, files)


@pytest.fixture(autouse=True)
def wheels(tmp_path, monkeypatch):
    """Where pip finds packages: here and nowhere else, as its own variables say."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    alpha(tmp_path / "wheels", "1.0")
    return tmp_path / "wheels"


async def sync(server):
    """Say `plugsock pip sync`; its status and what it has printed."""
    command = [*executable.command(), "pip", "sync", "--plugs", str(server.folder)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(LIMIT_S):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


async def answer(client, event="needy"):
    """Call until there is such an event."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await client.call(event)
            except Error:  # not_found
                await asyncio.sleep(POLL_S)


def rolls(server):
    """Why all workers were replaced, each time."""
    return [match[1] for line in server.err if (match := re.search(ROLLED, line))]


async def test_a_plug_answers_on_an_open_connection_as_soon_as_what_it_needs_is_installed(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "2", pid=PID) as server,
        connect(server.url) as client,
    ):
        before = set((await ready(server)).values())
        server.save("needy.py", NEEDY.format(version=">=1"))
        await server.says(r"it needs alpha>=1, which is not installed: run `plugsock pip sync`.*needy\.py:3")
        status, out = await sync(server)
        assert (status, "installed alpha 1.0" in out) == (0, True)
        assert await answer(client) == "1.0"
        between = await come(server, 2, without=before)
        (server.folder / ".env").write_text("A=1\n")  # whatever else there was to be said is said with it
        await come(server, 2, without=between)
        assert rolls(server) == [LIBRARIES, ".env has changed"]


async def test_an_upgrade_replaces_the_workers_once_and_the_old_revision_serves_until_then(tmp_path, wheels):
    async with (
        running(
            tmp_path / "plugs", "--workers", "2", "--install", "--auth", "none", needy=NEEDY.format(version="==1")
        ) as server,
        connect(server.url) as client,
    ):
        assert await answer(client) == "1.0"
        await until(lambda: rolls(server) == [LIBRARIES])
        before = set((await ready(server)).values())
        server.save("needy.py", NEEDY.format(version=">=2"))
        await server.says("pip has failed")
        assert await client.call("needy") == "1.0"
        alpha(wheels, "2.0")
        server.save("needy.py", NEEDY.format(version=">=2.0"))
        await come(server, 2, without=before)
        await until(lambda: sum("swapped" in line for line in server.err) == 2)
        assert await client.call("needy") == "2.0"
        assert rolls(server) == [LIBRARIES, LIBRARIES]
        assert not list((tmp_path / "plugs" / "site-packages").glob("alpha-1*"))


async def test_with_install_a_save_is_enough_and_without_a_package_the_rest_is_served_at_once(tmp_path):
    plugs = {"pid": PID, "needy": NEEDY.format(version=">=1"), "never": NEEDY.format(version=">=9")}
    async with (
        running(tmp_path / "plugs", "--workers", "1", "--install", "--auth", "none", **plugs) as server,
        connect(server.url) as client,
    ):
        assert isinstance(await client.call("pid"), int)
        await server.says("pip installs them.*alpha>=1, alpha>=9")
        await server.says("pip has failed")
        assert await answer(client) == "1.0"
        await until(lambda: rolls(server) == [LIBRARIES])
        assert sum("pip installs them" in line for line in server.err) == 1


async def test_without_workers_nothing_is_installed_and_the_log_says_so(tmp_path):
    plugs = {"needy": NEEDY.format(version=">=1")}
    async with running(tmp_path / "plugs", "--workers", "0", "--install", "--auth", "none", **plugs) as server:
        await server.says(r"an inline server \(--workers 0\) installs nothing: say `plugsock pip sync`, and restart it")
        await sync(server)
    async with (
        running(tmp_path / "plugs", "--workers", "0") as server,
        connect(server.url) as client,
    ):
        assert await client.call("needy") == "1.0"
