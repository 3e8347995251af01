import json
import os

import pytest

from plugsock.cli import saving
from plugsock.cli.defaults import defaults
from plugsock.cli.folder import look_at
from plugsock.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source(name):
    return next(each.file for each in defaults() if each.name == name).read_bytes()


@pytest.mark.parametrize("name", ["chat", "chat.send"])
def test_a_file_or_an_event_names_the_default_plug_that_is_copied(home, name):
    assert main(["eject", name]) == 0

    assert (home / "plugs" / "chat.py").read_bytes() == source("chat")
    assert [file.name for file in (home / "plugs").iterdir()] == ["chat.py"]


def test_it_says_what_it_wrote_and_what_to_do_next(home, capsys):
    (home / "my plugs").mkdir()

    main(["eject", "chat", "--plugs", "my plugs"])

    wrote, following = capsys.readouterr().out.splitlines()
    assert wrote == f"wrote  {home / 'my plugs' / 'chat.py'}"
    assert following.startswith("next:   plugsock --plugs 'my plugs' ")
    assert "chat.send" in following


def test_a_file_that_is_there_is_never_overwritten(home, capsys):
    (home / "plugs").mkdir()
    (home / "plugs" / "chat.py").write_text("# mine\n")

    assert main(["eject", "chat"]) == 1

    assert f"{home / 'plugs' / 'chat.py'} is there already" in capsys.readouterr().err
    assert (home / "plugs" / "chat.py").read_text() == "# mine\n"
    assert len(list((home / "plugs").iterdir())) == 1


def test_a_file_that_is_made_at_the_last_moment_is_not_overwritten_either(home, monkeypatch):
    there = home / "chat.py"
    beside = saving._beside

    def and_somebody_else(file, data):
        there.write_text("# mine\n")
        return beside(file, data)

    monkeypatch.setattr(saving, "_beside", and_somebody_else)
    with pytest.raises(FileExistsError):
        saving.create(there, b"# new\n")

    assert there.read_text() == "# mine\n"
    assert list(home.iterdir()) == [there]


def test_where_the_file_system_has_no_links_it_is_written_all_the_same(home, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    saving.create(home / "a.py", b"# new\n")
    with pytest.raises(FileExistsError):
        saving.create(home / "a.py", b"# newer\n")

    assert (home / "a.py").read_bytes() == b"# new\n"
    assert list(home.iterdir()) == [home / "a.py"]


def test_a_folder_of_that_name_is_in_the_way(home, capsys):
    (home / "plugs" / "chat").mkdir(parents=True)

    assert main(["eject", "chat"]) == 1

    assert "chat is a folder of plugs, and chat.py can't stand beside it" in capsys.readouterr().err


def test_a_name_that_differs_only_in_capitals_is_in_the_way(home, capsys):
    (home / "plugs").mkdir()
    (home / "plugs" / "Chat.py").write_text("")

    assert main(["eject", "chat"]) == 1

    assert "Chat.py is there already, and differs only in capitals" in capsys.readouterr().err


def test_a_folder_that_was_named_has_to_be_there(home, capsys):
    assert main(["eject", "chat", "--plugs", "nosuch"]) == 2

    assert "nosuch: there is no such folder of plugs" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_the_default_plugs_themselves_are_not_copied_onto_themselves(capsys):
    folder = defaults()[0].file.parent

    assert main(["eject", "chat", "--plugs", str(folder)]) == 1

    assert "chat.py is the default plug itself; change it there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "hint"), [("chta", "; did you mean chat?"), ("chat.sned", "; did you mean chat.send?"), ("weather", "")]
)
def test_an_unknown_name_is_wrong_usage_and_says_which_is_near(home, name, hint, capsys):
    assert main(["eject", name]) == 2

    assert capsys.readouterr().err == f"plugsock: there is no default plug {name!r}{hint}\n"
    assert list(home.iterdir()) == []


def test_without_a_name_it_lists_what_there_is(home, capsys):
    assert main(["eject"]) == 0

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert {row[0]: row[1] for row in rows} == {
        "chat": "chat.send",
        "clock": "clock.ticks",
        "echo": "echo",
        "math": "math.add",
        "tokens": "@authenticate",
    }
    assert all(row[2] for row in rows)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", [each.name for each in defaults()])
def test_each_default_plug_works_on_its_own(home, name, monkeypatch):
    monkeypatch.setenv("PLUGSOCK_JWT_SECRET", "0" * 32)
    main(["eject", name])

    events, problems = look_at(home / "plugs", trust=False)

    default = next(each for each in defaults() if each.name == name)
    assert problems == []
    assert tuple(each.event for each in events if each.origin == "folder") == default.events


def test_list_says_what_the_folder_overrides(capsys):
    main(["eject", "chat"])
    capsys.readouterr()

    main(["list"])
    origins = {line.split("\t")[0]: line.split("\t")[4] for line in capsys.readouterr().out.splitlines()}
    main(["list", "--format", "json"])
    listed = json.loads(capsys.readouterr().out)

    assert origins["chat.send"] == "folder over embedded"
    assert origins["echo"] == "embedded"
    assert listed["overridden"] == ["chat.send"]
    assert {each["event"]: each["origin"] for each in listed["events"]}["chat.send"] == "folder"


def test_the_folder_of_the_default_plugs_overrides_nothing(capsys):
    main(["list", str(defaults()[0].file.parent)])

    assert {line.split("\t")[4] for line in capsys.readouterr().out.splitlines()} == {"folder"}


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_to_is_one_line(home, capsys):
    home.chmod(0o500)

    status = main(["eject", "chat"])

    home.chmod(0o700)
    assert status == 1
    assert capsys.readouterr().err == f"plugsock: {home / 'plugs'}: Permission denied\n"
