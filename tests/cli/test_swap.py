import json

CHANGED = """from plugsock import plug


@plug
async def greet(name: str) -> str:
    return f"Hi, {name}!"
"""


def test_it_waits_until_what_was_written_is_served(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text(CHANGED)

    status, out, err = plugsock("swap")

    assert (status, err) == (0, "")
    assert set(out.splitlines()) == {"swapped  greet", "removed  greet.count"}
    assert plugsock("call", "greet", '{"name": "Ada"}')[1] == '"Hi, Ada!"\n'


def test_problems_are_shown_and_the_status_is_1(home, server, plugsock):
    (home / "plugs" / "greet.py").write_text("1 +\n")

    status, out, _ = plugsock("swap")

    assert status == 1
    assert "greet.py:1: " in out


def test_for_machines_it_is_one_json_document(home, server, plugsock):
    assert json.loads(plugsock("swap", "--format", "json")[1]) == {"changed": [], "gone": [], "problems": []}


def test_nothing_new_is_said_too(home, server, plugsock):
    assert plugsock("swap") == (0, "nothing has changed\n", "")
