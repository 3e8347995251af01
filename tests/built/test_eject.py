"""Default plugs of the executable: copied out, served instead, and back again."""

import asyncio

import pytest

from support import executable
from support.once import connect
from support.server import LIMIT_S

MINE = '''
from plugsock import plug

@plug
async def echo(word: str) -> str:
    """Mine."""
    return f"mine: {word}"
'''


@pytest.fixture
def plugs(tmp_path):
    folder = tmp_path / "plugs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["chat", "clock", "echo", "math", "tokens"])
def test_the_source_of_each_default_plug_can_be_copied_out(exe, plugs, name):
    ended = executable.run(exe, "eject", name, "--plugs", plugs)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "from plugsock import" in (plugs / f"{name}.py").read_text(encoding="utf-8")
    events = "0 events" if name == "tokens" else "1 event"  # it answers none before it is told of a key
    assert executable.run(exe, "check", plugs).stdout == f"no problems, {events}\n"


def test_a_file_that_is_there_is_left_alone(exe, plugs):
    (plugs / "chat.py").write_text("# mine\n", encoding="utf-8")

    ended = executable.run(exe, "eject", "chat.send", "--plugs", plugs)

    assert ended.returncode == 1
    assert f"{plugs / 'chat.py'} is there already" in ended.stderr
    assert (plugs / "chat.py").read_text(encoding="utf-8") == "# mine\n"


async def test_a_file_overrides_a_default_plug_and_its_deletion_brings_it_back_live(exe, plugs):
    async with executable.running(exe, plugs) as server, connect(server.url) as client:
        notices = asyncio.Queue()
        client.on_notice(lambda name, data: notices.put_nowait((name, data["changed"])))

        async def swapped():
            assert await asyncio.wait_for(notices.get(), LIMIT_S) == ("plugs", ["echo"])
            return await client.call("echo", {"word": "hello"})

        assert await client.call("echo", {"word": "hello"}) == {"word": "hello"}
        server.save("echo.py", MINE)
        assert await swapped() == "mine: hello"
        listed = executable.run(exe, "list", "--plugs", plugs).stdout
        assert {line.split("\t")[0]: line.split("\t")[4] for line in listed.splitlines()}["echo"] == (
            "folder over embedded"
        )
        (plugs / "echo.py").unlink()
        assert await swapped() == {"word": "hello"}
