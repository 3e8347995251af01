import os
import subprocess
import sys

import pytest

from plugsock.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add(event):
    return main(["add", "plug", event])


@pytest.mark.parametrize(
    ("event", "file"), [("greet", "greet.py"), ("chat.send", "chat.py"), ("chat.rooms.send", "chat/rooms.py")]
)
def test_a_name_says_where_the_function_stands(home, event, file):
    assert add(event) == 0

    code = (home / "plugs" / file).read_text()
    assert code.startswith("from plugsock import plug\n\n\n@plug\nasync def " + event.rpartition(".")[2])


def test_where_the_file_would_be_a_folder_the_function_gets_a_file_of_its_name(home):
    (home / "plugs" / "chat").mkdir(parents=True)

    assert add("chat.send") == 0

    assert "async def send(" in (home / "plugs" / "chat" / "send.py").read_text()
    assert not (home / "plugs" / "chat.py").exists()


def test_it_says_what_to_do_next(capsys):
    add("chat.send")

    out = capsys.readouterr().out
    assert "plugs/chat.py" in out
    assert "python -m pytest tests/test_chat_send.py" in out
    assert """plugsock call chat.send '{"name": "Ada"}'""" in out


def test_it_names_the_folder_that_was_named(home, capsys):
    assert main(["add", "plug", "greet", "--plugs", "my plugs"]) == 0

    out = capsys.readouterr().out
    assert "next:   plugsock --plugs 'my plugs' " in out
    assert """plugsock call greet '{"name": "Ada"}' --plugs 'my plugs'""" in out


def test_a_view_is_written_likewise(home, capsys):
    assert main(["add", "view", "chat.summary"]) == 0

    code = (home / "plugs" / "chat.py").read_text()
    assert code.startswith('from plugsock import view\n\n\n@view(on="chat.summary")\nasync def summary(')
    assert """plugsock watch chat.summary '{"name": "Ada"}'""" in capsys.readouterr().out


@pytest.mark.parametrize(("what", "verb"), [("plug", "call"), ("view", "view")])
def test_the_test_that_is_written_passes(home, what, verb):
    main(["add", what, "chat.summary"])

    test = home / "tests" / "test_chat_summary.py"
    assert f"await c.{verb}(" in test.read_text()
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    assert subprocess.run(run, cwd=home, capture_output=True, check=False).returncode == 0


def test_a_view_finds_its_decorator_beside_a_plug(home):
    add("chat.send")
    main(["add", "view", "chat.summary"])

    names = {}
    exec((home / "plugs" / "chat.py").read_text(), names)
    assert names["summary"].__plugsock__.view.on == ("chat.summary",)


@pytest.mark.parametrize("before", ["", "LIMIT = 3\n", "from plugsock import plug\n", "\n\nX = 1\n\n\n\n"])
def test_what_is_written_is_formatted_as_ruff_does(home, before):
    (home / "plugs").mkdir()
    (home / "plugs" / "chat.py").write_text(before.lstrip())

    add("chat.send")
    add("chat.leave")
    main(["add", "view", "chat.summary"])

    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "plugs", "tests"]
    assert subprocess.run(ruff, capture_output=True, text=True, check=False).stdout == ""


def test_a_name_that_differs_only_in_capitals_is_refused(home, capsys):
    add("greet")
    capsys.readouterr()

    assert add("Greet.Hello") == 1
    assert "greet.py is there already, and differs only in capitals" in capsys.readouterr().err
    assert [file.name for file in (home / "plugs").iterdir()] == ["greet.py"]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_to_is_one_line(home, capsys):
    home.chmod(0o500)

    status = add("greet")

    home.chmod(0o700)
    assert status == 1
    assert capsys.readouterr().err == f"plugsock: {home / 'plugs'}: Permission denied\n"


def test_a_file_where_the_folder_should_be_is_one_line(home, capsys):
    (home / "plugs").write_text("")

    assert add("greet") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_no_text_is_left_alone(home, capsys):
    file = home / "plugs" / "chat.py"
    file.parent.mkdir()
    file.write_bytes(b"\xff")

    assert add("chat.send") == 1
    assert "chat.py: this file is not UTF-8 text" in capsys.readouterr().err


def test_a_file_that_is_there_is_added_to(home, capsys):
    file = home / "plugs" / "chat.py"
    file.parent.mkdir()
    file.write_text('"""Chat."""\n\nLIMIT = 3\n')

    assert add("chat.send") == 0
    assert add("chat.leave") == 0

    code = file.read_text()
    assert code.startswith('"""Chat."""\n\nLIMIT = 3\n')
    assert code.count("from plugsock import plug\n") == 1
    assert code.index("def send") < code.index("def leave")
    compile(code, str(file), "exec")


@pytest.mark.parametrize("imported", ["from plugsock import Error, plug\n", "from plugsock import Error\n"])
def test_what_is_added_finds_the_decorator(home, imported):
    file = home / "plugs" / "chat.py"
    file.parent.mkdir()
    file.write_text(imported)

    add("chat.send")

    names = {}
    exec(file.read_text(), names)
    assert callable(names["send"])


def test_a_function_that_is_there_is_left_alone(home, capsys):
    add("chat.send")
    before = (home / "plugs" / "chat.py").read_text()

    assert add("chat.send") == 1

    assert "has a send already" in capsys.readouterr().err
    assert (home / "plugs" / "chat.py").read_text() == before


def test_a_test_that_is_there_is_left_alone(home, capsys):
    test = home / "tests" / "test_chat_send.py"
    test.parent.mkdir()
    test.write_text("# mine\n")

    assert add("chat.send") == 0

    assert test.read_text() == "# mine\n"
    assert "kept" in capsys.readouterr().out


def test_a_file_with_an_error_is_left_alone(home, capsys):
    file = home / "plugs" / "chat.py"
    file.parent.mkdir()
    file.write_text("def broken(:\n")

    assert add("chat.send") == 1

    assert "chat.py:1: this file has an error" in capsys.readouterr().err
    assert file.read_text() == "def broken(:\n"


def test_a_file_in_the_way_of_a_folder_is_said(home, capsys):
    add("chat.send")

    assert add("chat.rooms.send") == 1
    assert "chat.py is a file, and chat.rooms.send needs a folder of that name" in capsys.readouterr().err


@pytest.mark.parametrize(
    "event",
    [
        "",
        ".",
        "chat.",
        "1st",
        "class",
        "_private",
        "a._b",
        "test_x.y",
        "y_test",
        "conftest",
        "venv.x",
        "a b",
        "../x",
        "ä",
    ],
)
def test_what_can_be_no_event_is_wrong_usage(home, event, capsys):
    assert add(event) == 2

    assert "can't be the name of an event" in capsys.readouterr().err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("test_a", "files and folders called test_a are never loaded as plugs"),
        ("venv.x", "files and folders called venv are never loaded as plugs"),
        ("class", "Python has class for a word of its own"),
        ("a b", "only letters, digits and _ make a name in Python, and no digit begins it"),
    ],
)
def test_why_it_can_be_no_event_is_said_once(event, why, capsys):
    add(event)

    assert capsys.readouterr().err == f"plugsock: {event!r} can't be the name of an event: {why}\n"
