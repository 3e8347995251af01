"""Installing what plugs need: once for each state of their files, one at a time. pip itself is a stand-in here."""

import asyncio
import io
import sys

import pytest

from plugsock.frozen import executable
from plugsock.model import Problem
from plugsock.ops import log
from plugsock.pool.installer import Installer
from plugsock.pool.output import Output
from plugsock.rpc.frames import Group, Staged
from plugsock.settings import Settings
from support.workforce import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")

STAND_IN = """
import signal, sys, time
from pathlib import Path

with Path(sys.argv[1]).open("a") as told:
    told.write(" ".join(sys.argv[2:]) + "\\n")
if Path("hang").exists():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    Path("hangs").touch()
    time.sleep(60)
sys.exit(Path("fail").exists())
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """What was started, line by line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pip.py").write_text(STAND_IN)
    (tmp_path / "calls").touch()
    monkeypatch.setattr(executable, "command", lambda: [sys.executable, "pip.py", "calls"])
    log.configure()
    return lambda: (tmp_path / "calls").read_text().splitlines()


@pytest.fixture
async def installer(tmp_path, calls):
    output = Output(None, None)
    made = Installer(Settings(plugs=tmp_path / "plugs", data=tmp_path / "data", trust=True), output)
    made.start()
    yield made
    await made.stop()
    output.close()


def staged(**groups):
    """What was staged: by the id of each group what it lacks."""
    return Staged(
        1,
        [
            Group(id=id, events=[], gone=[], problems=[Problem(f"{id}.py", 2, "it needs", (), tuple(needs))])
            for id, needs in groups.items()
        ],
        [],
    )


async def says(capsys, text):
    """Wait for a line of the log; all that was logged until then."""
    seen = io.StringIO()
    async with asyncio.timeout(20):
        while text not in seen.getvalue():
            seen.write(capsys.readouterr().err)
            await asyncio.sleep(0.01)
    return seen.getvalue()


async def test_what_is_lacking_is_installed_for_the_folder_that_is_served(tmp_path, installer, calls, capsys):
    installer.saw(staged(a=["orjson>=3"], b=["humanize", "orjson>=3"]))

    assert 'needs="humanize, orjson>=3"' in await says(capsys, "pip has installed what plugs need")
    assert calls() == [f"pip sync --plugs {tmp_path / 'plugs'} --data {tmp_path / 'data'} --trust"]


async def test_other_problems_are_none_of_its_business(installer, calls, capsys):
    installer.saw(staged(a=[]))
    installer.saw(staged(b=["orjson"]))
    await says(capsys, "pip has installed")

    assert len(calls()) == 1


async def test_it_is_not_tried_again_before_the_file_changes(tmp_path, installer, calls, capsys):
    (tmp_path / "fail").touch()
    installer.saw(staged(a=["orjson"]))
    await says(capsys, "pip has failed")
    installer.saw(staged(a=["orjson"]))
    installer.saw(staged(changed=["orjson"]))
    await says(capsys, "pip has failed")

    assert len(calls()) == 2


async def test_what_is_found_out_meanwhile_comes_next(tmp_path, installer, calls, capsys):
    installer.saw(staged(a=["one"]))
    await says(capsys, "needs=one")
    installer.saw(staged(b=["two"]))
    await says(capsys, "needs=two")
    await says(capsys, "pip has installed")

    assert len(calls()) == 2


async def test_what_takes_too_long_is_ended(tmp_path, installer, capsys, monkeypatch):
    monkeypatch.setattr("plugsock.pool.installer.LIMIT_S", 1.0)
    (tmp_path / "hang").touch()
    installer.saw(staged(a=["orjson"]))

    await says(capsys, "pip has failed")


async def test_it_ends_with_the_server(tmp_path, installer):
    (tmp_path / "hang").touch()
    installer.saw(staged(a=["orjson"]))
    await until((tmp_path / "hangs").exists)
    async with asyncio.timeout(20):
        await installer.stop()


async def test_what_can_not_be_started_is_said(installer, calls, capsys, monkeypatch):
    monkeypatch.setattr(executable, "command", lambda: ["/no/such/program"])
    installer.saw(staged(a=["orjson"]))

    await says(capsys, "pip can't be started")
