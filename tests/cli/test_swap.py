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
