import json
import os
import subprocess
import sys

import pytest

from plugsock.cli import admin
from plugsock.cli.list import Found, _print
from plugsock.errors import PlugsockError
from plugsock.model import Problem
from plugsock.ops.datadir import read_server
from plugsock.rpc.admin import List
from support import executable
from support.scripted import announce

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals and no SIGSTOP")

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


def test_who_authenticates_is_listed(home, plugsock):
    (home / "plugs" / "auth.py").write_text(
        "from plugsock import Hello, User, authenticate\n\n\n"
        '@authenticate\nasync def who(hello: Hello) -> User | None:\n    """Nobody."""\n'
    )

    found = own(plugsock("list")[1])[0]
    assert [found[0], *found[2:]] == [
        *("@authenticate", "call"),
        *("(hello: Hello) -> User | None", "folder", "ok", "Nobody."),
    ]


def test_what_no_client_can_call_is_listed_as_what_it_is(home, plugsock):
    (home / "plugs" / "chat.py").write_text(
        "from plugsock import any_of, on_join, topic, view\n\n"
        'topic("room.*", requires=["chat", any_of("room:{*}", "admin")], history=100)\n'
        'topic("lobby")\n\n\n'
        '@on_join\nasync def joined(topic: str) -> None:\n    """Greet."""\n\n\n'
        '@view\nasync def summary(day: int) -> int:\n    """Count."""\n    return day\n'
    )

    shown = [[line[0], line[2], line[3], line[6]] for line in own(plugsock("list")[1])[:4]]
    assert shown == [
        ["@on_join:chat.joined", "moment", "(topic: str)", "Greet."],
        ["@topic:lobby", "topic", "()", "Clients may join."],
        [
            *("@topic:room.*", "topic", "(history=100, ttl=60)"),
            "Clients who have chat and room:{*} or admin may join.",
        ],
        ["chat.summary", "view", "(day: int) -> int", "Count."],
    ]


def test_the_default_plugs_are_listed_too(plugsock):
    out = plugsock("list")[1]

    assert ["echo", "embedded"] in [[line[0], line[4]] for line in columns(out)]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_a_plug_that_others_can_write_to_is_listed_only_if_it_is_trusted(home, plugsock):
    (home / "plugs" / "greet.py").chmod(0o666)

    assert own(plugsock("list")[1]) == []
    assert [line[0] for line in own(plugsock("list", "--trust")[1])] == ["greet", "greet.count"]


def test_it_asks_the_server_that_runs(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text(BROKEN)  # what the server has loaded before is still there

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


def on_a_terminal(environ, *, columns=200):
    """What `list` shows on a terminal."""
    terminal, end = os.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    shape = {"TERM": "xterm", "COLUMNS": str(columns), "PYTHONUTF8": "1"}

    subprocess.run([*executable.command(), "list"], stdout=end, env=plain | shape | environ, check=True)

    os.close(end)
    shown = os.read(terminal, 65_536).decode()
    os.close(terminal)
    return shown


@on_posix
@pytest.mark.parametrize(
    ("environ", "is_table", "is_colored"),
    [({}, True, True), ({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False)],
)
def test_on_a_terminal_it_is_a_table_with_colours_unless_somebody_wants_none(home, environ, is_table, is_colored):
    shown = on_a_terminal(environ)

    assert ("revision" in shown) is is_table
    assert ("\x1b[" in shown) is is_colored


@on_posix
def test_on_a_narrow_terminal_each_event_has_one_line(home):
    lines = on_a_terminal({"NO_COLOR": "1"}, columns=80).splitlines()

    greet = next(line for line in lines if line.strip().startswith("greet "))
    assert all(len(line) <= 80 for line in lines)
    assert all(word in greet.split() for word in ("call", "folder", "ok"))
    assert "(name: str" in greet
    assert "…" in greet


def test_it_does_not_answer_for_another_folder_than_the_servers(home, server, plugsock):
    (home / "other").mkdir()

    status, out, err = plugsock("list", "--plugs", "other")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"serves {home / 'plugs'}, not {home / 'other'}" in err


def test_a_server_that_is_named_by_its_data_is_asked_from_anywhere(home, server, plugsock, monkeypatch):
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")

    assert "greet" in [line[0] for line in own(plugsock("list", "--data", str(home / ".plugsock"))[1])]


def test_a_folder_that_is_not_there_is_wrong_usage(home, server, plugsock):
    status, out, err = plugsock("list", "--plugs", "nosuch")

    assert (status, out) == (2, "")
    assert "nosuch: there is no such folder of plugs" in err


@on_posix
def test_a_server_that_stands_still_is_not_waited_for_forever(home, server):
    serving = executable.server_of(server.process.pid)
    serving.suspend()
    try:
        with pytest.raises(PlugsockError, match=r"has not answered within 0\.3 s: does a plug block it\?"):
            admin.ask(read_server(home / ".plugsock"), List(), answer_s=0.3)
    finally:
        serving.resume()


def test_an_event_that_kills_workers_is_shown_as_quarantined(capsys):
    events = [announce("boom"), announce("old"), announce("well")]
    problems = [
        Problem("plugs/boom.py", 3, "quarantined: it has ended 3 workers", ("boom",)),
        Problem("plugs/boom.py", 1, "SyntaxError: no", ("boom", "old")),
    ]

    _print(Found(events, problems), "never")

    out, err = capsys.readouterr()
    assert {line[0]: line[5] for line in columns(out)} == {"boom": "quarantined", "old": "stale", "well": "ok"}
    assert "quarantined: it has ended 3 workers" in err
