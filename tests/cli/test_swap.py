import json

from plugsock.cli.swap import print_reply
from plugsock.rpc.admin import Swapped

CHANGED = """from plugsock import plug


@plug
async def greet(name: str) -> str:
    return f"Hi, {name}!"
"""


def test_it_waits_until_what_was_written_is_served(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text(CHANGED)

    assert plugsock("swap")[0] == 0  # what it says depends on whether the watcher was faster
    assert plugsock("call", "greet", '{"name": "Ada"}')[1] == '"Hi, Ada!"\n'


def test_it_says_what_it_changed(capsys):
    print_reply(Swapped(changed=["greet"], gone=["greet.count"], problems=[]), rich=False)

    assert capsys.readouterr().out == "swapped  greet\nremoved  greet.count\n"


def test_problems_are_shown_and_the_status_is_1(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text("1 +\n")

    status, out, _ = plugsock("swap")

    assert status == 1
    assert "greet.py:1: " in out


def test_for_machines_it_is_one_json_document(home, server, plugsock):
    assert json.loads(plugsock("swap", "--format", "json")[1]) == {"changed": [], "gone": [], "problems": []}


def test_where_nothing_changed_now_it_says_that_all_is_served(home, server, plugsock):
    assert plugsock("swap") == (0, "everything in plugs is served (2 events)\n", "")


def test_it_does_not_swap_the_folder_of_another_server(home, server, plugsock):
    (home / "other").mkdir()

    status, out, err = plugsock("swap", "--plugs", "other")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"serves {home / 'plugs'}, not {home / 'other'}" in err


def held_back(plugsock):
    """What `swap` says of the deletion, which it believes only after a second."""
    status = 0
    while status == 0:
        status, out, _ = plugsock("swap")
    return out


def test_an_authenticator_that_is_deleted_goes_only_when_somebody_says_that_it_is_meant(home, guarded, plugsock):
    (home / "plugs" / "auth.py").unlink()
    out = held_back(plugsock)

    assert "plugs/auth.py:" in out
    assert "`plugsock swap --allow-open`" in out
    assert plugsock("call", "greet", '{"name": "Ada"}')[0] == 1
    assert plugsock("call", "greet", '{"name": "Ada"}', PLUGSOCK_TOKEN="ada")[0] == 0

    assert plugsock("swap", "--allow-open")[0] == 0
    assert plugsock("call", "greet", '{"name": "Ada"}')[0] == 0


def test_an_authenticator_that_comes_back_is_no_problem_any_more(home, guarded, plugsock):
    path = home / "plugs" / "auth.py"
    source = path.read_text()
    path.unlink()
    held_back(plugsock)

    path.write_text(source)

    assert plugsock("swap")[0] == 0
    assert plugsock("list")[2] == ""


def test_it_may_be_said_right_after_the_file_was_deleted(home, guarded, plugsock):
    (home / "plugs" / "auth.py").unlink()
    plugsock("swap", "--allow-open")

    while plugsock("call", "greet", '{"name": "Ada"}')[0]:  # the deletion is believed after a second
        pass
