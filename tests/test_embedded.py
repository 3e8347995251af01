"""Default plugs under a server: a file of the folder takes their events, and gives them back."""

import asyncio

import pytest

from support import executable
from support.once import connect
from support.server import LIMIT_S, running

pytestmark = pytest.mark.end_to_end

MINE = """
from plugsock import plug

@plug
async def echo(word: str) -> str:
    return f"mine: {word}"
"""


class Serving:
    """A server over a folder that begins empty, and a connection to it that stays open."""

    def __init__(self, server, client):
        self.server = server
        self.client = client
        self.folder = server.folder
        self._notices = asyncio.Queue()
        client.on_notice(lambda name, data: self._notices.put_nowait((name, data)))

    async def echo(self):
        return await self.client.call("echo", {"word": "hello"})

    async def swapped(self):
        """Wait until clients are told that the event is on another revision."""
        async with asyncio.timeout(LIMIT_S):
            name, data = await self._notices.get()
        assert (name, data["changed"]) == ("plugs", ["echo"])


@pytest.fixture(params=["0", "2"], ids=["inline", "two workers"])
async def serving(request, tmp_path):
    async with running(tmp_path / "plugs", "--workers", request.param) as server, connect(server.url) as client:
        yield Serving(server, client)


async def plugsock(*arguments, cwd):
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *executable.command(), *arguments, cwd=cwd, env=executable.environment(), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_file_overrides_the_default_plug_of_its_event_and_its_deletion_brings_it_back(serving):
    assert await serving.echo() == {"word": "hello"}

    serving.server.save("echo.py", MINE)
    await serving.swapped()
    assert await serving.echo() == "mine: hello"

    (serving.folder / "echo.py").unlink()
    await serving.swapped()
    assert await serving.echo() == {"word": "hello"}


async def test_what_is_ejected_is_served_at_once_and_can_be_changed(serving):
    here = serving.folder.parent
    await plugsock("eject", "echo", "--plugs", str(serving.folder), cwd=here)
    await serving.swapped()
    rows = [row.split("\t") for row in (await plugsock("list", "--plugs", str(serving.folder), cwd=here)).splitlines()]
    assert {row[0]: row[4] for row in rows}["echo"] == "folder over embedded"
    assert await serving.echo() == {"word": "hello"}

    serving.server.save("echo.py", MINE)
    await serving.swapped()
    assert await serving.echo() == "mine: hello"
