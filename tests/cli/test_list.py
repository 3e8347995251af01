import json
import os
import subprocess
import sys

import pytest

BROKEN = "import nothing_of_this_name\n"


def columns(out):
    return [line.split("\t") for line in out.splitlines()]


def own(out):
    return [line for line in columns(out) if line[4] == "folder"]


def test_without_a_server_it_lists_the_folder(home, plugsock):
    status, out, err = plugsock("list")

    greet, count = own(out)
    assert (status, err) == (0, "")
    assert greet[0] == "greet"
    assert len(greet[1]) == 8
    assert greet[2:] == ["call", "(name: str, times: int = 1) -> list[str]", "folder", "ok", "Say hello."]
    assert (count[0], count[2]) == ("greet.count", "stream")


def test_the_default_plugs_are_listed_too(plugsock):
    out = plugsock("list")[1]

    assert ["echo", "embedded"] in [[line[0], line[4]] for line in columns(out)]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_a_plug_that_others_can_write_to_is_listed_only_if_it_is_trusted(home, plugsock):
    (home / "plugs" / "greet.py").chmod(0o666)

    assert own(plugsock("list")[1]) == []
    assert [line[0] for line in own(plugsock("list", "--trust")[1])] == ["greet", "greet.count"]


def test_it_asks_the_server_that_runs(home, server, plugsock):
    (home / "plugs" / "greet.py").unlink()  # the server has not noticed yet, or keeps it for its second of grace

    assert "greet" in [line[0] for line in own(plugsock("list")[1])]


def test_a_folder_can_be_named_although_a_server_runs(home, server, plugsock):
    other = home / "other"
    other.mkdir()

    assert own(plugsock("list", str(other))[1]) == []


def test_a_stale_event_and_its_reason_are_shown(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text(BROKEN)
    plugsock("swap")

    _, out, err = plugsock("list")

    assert {line[0]: line[5] for line in own(out)} == {"greet": "stale", "greet.count": "stale"}
    assert "greet.py:1: " in err
    assert "nothing_of_this_name" in err


def test_for_machines_it_is_one_json_document(plugsock):
    status, out, _ = plugsock("list", "--format", "json")

    listed = json.loads(out)
    assert (status, listed["problems"]) == (0, [])
    assert "greet" in [each["event"] for each in listed["events"]]


def test_a_docstring_can_not_command_the_terminal(home, plugsock):
    (home / "plugs" / "evil.py").write_text(
        'from plugsock import plug\n\n\n@plug\ndef evil() -> None:\n    "\\x1b[2Jcleared\\tand more"\n'
    )

    out = plugsock("list")[1]

    assert "\x1b" not in out
    assert all(len(line) == 7 for line in columns(out))


def test_with_colours_it_is_a_table(plugsock):
    assert "revision" not in plugsock("list")[1]

    out = plugsock("list", "--color", "always", NO_COLOR="1")[1]
    assert "revision" in out
    assert "\x1b[" in out


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("environ", "is_rich"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_on_a_terminal_it_has_colours_unless_somebody_wants_none(home, environ, is_rich):
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "plugsock", "list"]
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}

    subprocess.run(command, stdout=end, env=plain | {"TERM": "xterm"} | environ, check=True)

    os.close(end)
    shown = os.read(terminal, 65_536)
    os.close(terminal)
    assert (b"\x1b[" in shown) is is_rich
