"""What plugs can do in the built executable that they can do anywhere: import, be read, fail and be told about."""

import json
import os
import sys

import pytest

from plugsock import Error
from support.executable import run
from support.once import connect
from support.server import running

FAILING = """
from plugsock import plug

def inner(number):
    return number / 0  # the line that fails

@plug
async def failing(number: int) -> float:
    return inner(number)
"""


@pytest.mark.fault("F7")
async def test_where_a_plug_fails_is_shown_in_the_log_and_with_dev_to_the_client(tmp_path):
    flags = ("--workers", "1", "--dev")
    async with running(tmp_path / "plugs", *flags, failing=FAILING) as server, connect(server.url) as client:
        with pytest.raises(Error, match="plug_error") as failed:
            await client.call("failing", {"number": 1})
        for line in (r'failing\.py\S*", line 5, in inner', "return number / 0  # the line that fails", r"~~~~~~~\^~~"):
            await server.says(line)
        shown = failed.value.data["traceback"]
        assert f'File "{server.folder / "failing.py"}' in shown
        assert "return number / 0  # the line that fails" in shown


@pytest.mark.fault("F7")
async def test_where_an_import_fails_is_shown_in_the_log(tmp_path):
    broken = "from plugsock import plug\nLIMIT = 1\nLIMIT.missing  # the line that fails\n"
    async with running(tmp_path / "plugs", "--workers", "1", broken=broken) as server:
        await server.says(r'broken\.py\S*", line 3, in <module>')
        await server.says("LIMIT.missing  # the line that fails")


@pytest.mark.fault("F7")
async def test_where_a_line_is_no_python_is_shown_in_the_log(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", broken="\nx = (  # never closed\n") as server:
        await server.says(r"'\(' was never closed")
        await server.says(r"broken\.py:2")


CRASHING = """
import ctypes
from plugsock import plug

@plug
def crashing() -> bytes:
    return ctypes.string_at(1)
"""


@pytest.mark.fault("F7")
@pytest.mark.skipif(sys.platform == "win32", reason="there it is no signal")
async def test_where_a_plug_breaks_its_process_is_shown_in_the_log(tmp_path):
    async with (
        running(tmp_path / "plugs", "--workers", "1", crashing=CRASHING) as server,
        connect(server.url) as client,
    ):
        with pytest.raises(Error):
            await client.call("crashing")
        await server.says("Fatal Python error: Segmentation fault")
        await server.says(r'File ".*crashing\.py\S*", line 7 in crashing')


READING = '''
import inspect
from plugsock import plug

def helper():
    return "the text of a plug"

@plug
async def reading() -> list[str | None]:
    """Say what is written here."""
    return [inspect.getsource(helper), reading.__doc__, inspect.getsourcefile(helper)]
'''


async def test_a_plug_can_read_its_own_source_and_docstrings(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", reading=READING) as server, connect(server.url) as client:
        source, doc, file = await client.call("reading")

    assert source == 'def helper():\n    return "the text of a plug"\n'
    assert doc == "Say what is written here."
    assert file.startswith(str(tmp_path / "plugs" / "reading.py"))


IMPORTING = """
from plugs._prices import PRICES
from ._prices import PRICES as SAME
from .tools.words import shout
import by_hand
from by_hand.inside import DEEPER
from plugsock import plug

@plug
async def importing() -> list:
    return [PRICES is SAME, PRICES["tea"], shout("tea"), by_hand.NAME, DEEPER]
"""


async def test_helpers_packages_and_what_lies_in_site_packages_can_be_imported(tmp_path):
    package = tmp_path / "plugs" / "site-packages" / "by_hand"
    tools = tmp_path / "plugs" / "tools"
    for folder in (package, tools):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text("NAME = __name__\n")
    (package / "inside.py").write_text("DEEPER = __name__\n")
    (tools / "words.py").write_text("def shout(word):\n    return word.upper()\n")
    files = {"importing": IMPORTING, "_prices": 'PRICES = {"tea": 2}\n'}

    async with running(tmp_path / "plugs", "--workers", "1", **files) as server, connect(server.url) as client:
        assert await client.call("importing") == [True, 2, "TEA", "by_hand", "by_hand.inside"]


LIBRARY = """
import csv, ctypes, decimal, io, sqlite3, ssl, sys, tomllib, unittest.mock, zoneinfo
import xml.etree.ElementTree as tree
from plugsock import plug

if sys.platform != "win32":
    import curses

@plug
def library() -> dict:
    connection = sqlite3.connect(":memory:")
    mock = unittest.mock.Mock(return_value=3)
    return {
        "sqlite3": connection.execute("select 2 + 2").fetchone()[0],
        "decimal": str(decimal.Decimal("0.1") + decimal.Decimal("0.2")),
        "csv": next(csv.reader(io.StringIO("a,b"))),
        "xml": tree.fromstring("<a><b>c</b></a>").find("b").text,
        "zoneinfo": zoneinfo.ZoneInfo("Europe/Berlin").key,
        "ctypes": ctypes.sizeof(ctypes.c_int64),
        "ssl": ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED,
        "tomllib": tomllib.loads("a = 1"),
        "mock": mock(),
    }
"""


@pytest.mark.fault("F2")
async def test_a_plug_can_use_what_only_it_imports(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1", library=LIBRARY) as server, connect(server.url) as client:
        found = await client.call("library")

    assert found == {
        "sqlite3": 4,
        "decimal": "0.3",
        "csv": ["a", "b"],
        "xml": "c",
        "zoneinfo": "Europe/Berlin",
        "ctypes": 8,
        "ssl": True,
        "tomllib": {"a": 1},
        "mock": 3,
    }


async def test_what_a_plug_prints_is_seen_at_once(tmp_path):
    prints = (
        'from plugsock import plug\nprint("from the import")\n\n@plug\ndef prints() -> None:\n    print("called")\n'
    )
    async with running(tmp_path / "plugs", "--workers", "1", prints=prints) as server, connect(server.url) as client:
        await server.says("from the import")
        await client.call("prints")
        await server.says("called")


def test_no_bytecode_is_left_among_plugs(exe, tmp_path):
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs" / "failing.py").write_text(FAILING)

    assert run(exe, "check", cwd=tmp_path, env=dict(os.environ) | {"PLUGSOCK_PLUGS": "plugs"}).returncode == 0
    assert [path.name for path in (tmp_path / "plugs").iterdir()] == ["failing.py"]


async def test_every_command_of_a_day_works_beside_a_server_that_runs(exe, tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1") as server:

        def says(*arguments):
            ended = run(exe, *arguments, cwd=tmp_path, env=dict(os.environ) | {"PLUGSOCK_PLUGS": "plugs"})
            assert (ended.returncode, ended.stderr) == (0, ""), arguments
            return ended.stdout

        assert "plugs/greet.py" in says("add", "plug", "greet")
        assert (server.folder / "greet.py").is_file()
        assert "no problems" in says("check")
        says("swap")
        assert "Ada" in says("call", "greet", '{"name": "Ada"}')
        assert "greet" in {event["event"] for event in json.loads(says("list", "--format", "json"))["events"]}
        [worker] = json.loads(says("ps", "--format", "json"))
        says("reload")
        [other] = json.loads(says("ps", "--format", "json"))
        assert worker["pid"] != other["pid"]
