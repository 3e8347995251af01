import json
import sys

import pytest
import websockets

from plugsock.cli.check import as_github
from plugsock.model import Problem


def test_a_good_folder_is_one_line_and_status_0(plugsock):
    assert plugsock("check") == (0, "no problems, 2 events\n", "")


def test_a_problem_is_a_line_that_editors_read_and_status_1(home, plugsock):
    (home / "plugs" / "broken.py").write_text("x = 1\ny = (\n")

    status, out, err = plugsock("check")

    assert (status, err, out.count("\n")) == (1, "", 1)
    assert out.startswith("plugs/broken.py:2: ")


def test_for_machines_it_is_one_json_document(home, plugsock):
    (home / "plugs" / "broken.py").write_text("import nothing_of_this_name\n")

    status, out, _ = plugsock("check", "--format", "json")

    [problem] = json.loads(out)
    assert status == 1
    assert problem["file"].endswith("broken.py")
    assert problem["line"] == 1


def test_what_plugs_print_is_nothing_of_the_answer(home, plugsock):
    (home / "plugs" / "loud.py").write_text(
        "from plugsock import view\nprint('importing')\n\n"
        "@view(examples=[{}])\ndef loud() -> int:\n    print('running')\n    return 1\n"
    )

    status, out, err = plugsock("check", "--format", "json")

    assert (status, json.loads(out)) == (0, [])
    assert err.splitlines() == ["importing", "running"]


def test_for_github_it_is_a_workflow_command(home, plugsock):
    (home / "plugs" / "broken.py").write_text("import nothing_of_this_name\n")

    assert plugsock("check", "--format", "github")[1].startswith("::error file=plugs/broken.py,line=1::")


def test_a_folder_can_be_named(home, plugsock):
    (home / "other").mkdir()

    assert plugsock("check", "other") == (0, "no problems, 0 events\n", "")


@pytest.mark.fault("S16")
@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_a_plug_that_others_can_write_to_is_a_problem_unless_it_is_trusted(home, plugsock):
    (home / "plugs" / "greet.py").chmod(0o666)

    status, out, _ = plugsock("check")

    assert status == 1
    assert out.startswith("plugs/greet.py:0: it is skipped: everybody can write to it")
    assert out.endswith("chmod go-w plugs/greet.py\n")
    assert plugsock("check", "--trust") == (0, "no problems, 2 events\n", "")
    assert plugsock("check", PLUGSOCK_TRUST="true") == (0, "no problems, 2 events\n", "")


def test_the_settings_of_a_folder_that_is_named_lie_beside_it(home, plugsock):
    (home / "other" / "plugs").mkdir(parents=True)
    (home / "other" / "plugsock.toml").write_text("nonsense = 1\n")

    status, _, err = plugsock("check", "other/plugs")

    assert (status, "plugsock.toml:1: there is no setting 'nonsense'" in err) == (2, True)


@pytest.mark.fault("P18")
def test_a_message_can_not_make_up_a_command_of_githubs():
    problem = Problem("a,b:c.py", 0, "50 %\n::set-output name=x::y")

    assert as_github(problem) == "::error file=a%2Cb%3Ac.py,line=1::50 %25%0A::set-output name=x::y"


ORDERS = """from typing import Any

from msgspec import Struct

from plugsock import plug


class Order(Struct):
    sku: Any


@plug
def place(order: Order, count: int = 1) -> None: ...
"""


@pytest.fixture
def orders(home):
    (home / "plugs" / "orders.py").write_text(ORDERS)
    return home / "plugs" / "orders.py"


@pytest.fixture
def lock(home, orders, plugsock):
    """What clients were built for, and its hash."""
    written = plugsock("schema")[1]
    (home / "types.lock").write_text(written)
    (home / "plugsock.toml").write_text('[check]\nallow = ["any", "open-struct"]\n')
    return json.loads(written)["x-plugsock"]["shapes"]


def test_what_has_no_one_shape_is_reported_with_its_rule(orders, plugsock):
    status, out, err = plugsock("check")

    assert (status, err) == (1, "")
    assert [line.partition(" ")[0] + line.rpartition(" ")[2] for line in out.splitlines()] == [
        "plugs/orders.py:8:[open-struct]",
        "plugs/orders.py:9:[any]",
    ]


def test_for_machines_a_report_has_its_rule_and_events_as_fields(orders, plugsock):
    found = json.loads(plugsock("check", "--format", "json")[1])

    assert [(each["rule"], each["line"], each["events"]) for each in found] == [
        ("open-struct", 8, ["orders.place"]),
        ("any", 9, ["orders.place"]),
    ]


def test_rules_are_chosen_in_the_file_of_settings(orders, home, plugsock):
    (home / "plugsock.toml").write_text('[check]\nallow = ["any", "open-struct"]\nrequire = ["unbounded-integer"]\n')

    assert [line.rpartition(" ")[2] for line in plugsock("check")[1].splitlines()] == ["[unbounded-integer]"] * 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("check = 3", "plugsock.toml:1: check is a table: write `[check]`"),
        ("[check]\nalow = []", "plugsock.toml:2: [check] has no 'alow', only allow and require; did you mean allow?"),
        ('[check]\nallow = "any"', 'plugsock.toml:2: allow is a list of rules, as allow = ["open-struct"]'),
        ("[chek]", "plugsock.toml:1: there is no setting 'chek'; did you mean check?"),
    ],
)
def test_a_choice_that_is_none_is_one_line_and_status_2(home, plugsock, text, said):
    (home / "plugsock.toml").write_text(text)

    status, out, err = plugsock("check")

    assert (status, out, err.removeprefix("plugsock: ").startswith(said)) == (2, "", True)


def test_a_rule_that_there_is_not_is_a_problem(home, plugsock):
    (home / "plugsock.toml").write_text('[check]\nallow = ["opn-struct"]\n')

    status, out, _ = plugsock("check")

    assert status == 1
    assert out.startswith(
        "plugsock.toml:2: there is no rule 'opn-struct' (did you mean open-struct?): the rules are any,"
    )


def test_a_server_does_not_mind_the_table(home, plugsock):
    (home / "plugsock.toml").write_text('[check]\nallow = ["any"]\n')

    assert plugsock("schema", "greet")[0] == 0


def test_functions_run_on_their_examples_where_that_does_no_harm_or_is_asked_for(home, plugsock):
    text = "from plugsock import plug\n\n\n@plug({}examples=[{{}}])\ndef f() -> int:\n    return 'x'\n"
    (home / "plugs" / "a.py").write_text(text.format(""))
    assert plugsock("check")[0] == 0
    assert plugsock("check", "--run-examples")[1].endswith("[wrong-return]\n")

    (home / "plugs" / "a.py").write_text(text.format("idempotent=True, "))
    assert plugsock("check")[1].startswith("plugs/a.py:5: ")


def test_what_breaks_no_client_is_no_problem(lock, orders, plugsock):
    orders.write_text(ORDERS.replace("count: int = 1", "count: int = 1, more: str = ''"))

    assert plugsock("check", "--against", "types.lock") == (0, "no problems, 3 events\n", "")


def test_what_breaks_clients_is_reported_where_it_stands_now(lock, orders, plugsock):
    orders.write_text(ORDERS.replace("count: int = 1", "count: str = ''"))

    assert plugsock("check", "--against", "types.lock") == (
        1,
        "plugs/orders.py:13: `orders.place` takes less than it did: `count` was `int` and is `str` [breaking-change]\n",
        "",
    )


def test_an_event_that_is_gone_is_reported_at_the_lock_unless_something_does_not_load(lock, orders, plugsock):
    orders.write_text("")
    status, out, _ = plugsock("check", "--against", "types.lock")
    assert (status, out.startswith("types.lock:"), "`orders.place` is gone" in out) == (1, True, True)

    orders.write_text("x = (\n")
    assert "is gone" not in plugsock("check", "--against", "types.lock")[1]


async def test_the_clients_are_counted_that_a_break_concerns(lock, orders, serve, run_beside):
    server = serve()
    async with websockets.connect(server.url) as one, websockets.connect(server.url) as other:
        for socket, shapes in ((one, lock), (other, "another")):
            await socket.send(f'hello 1 plugsock {{"v":1,"shapes":"{shapes}"}}')
            await socket.recv()
        orders.write_text(ORDERS.replace("count: int = 1", "count: str = ''"))
        broken = await run_beside("check", "--against", "types.lock")
        orders.write_text(ORDERS.replace("count: int = 1", "count: int = 1, more: str = ''"))
        fine = await run_beside("check", "--against", "types.lock")

    assert broken[0] == 1
    assert f": 1 connected client was built for this: {lock} [breaking-change]\n" in broken[1]
    assert fine[0] == 0
    assert fine[1].endswith("connected clients that were built for types.lock: 1; nothing of it breaks them\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "types.lock is not there; make it with `plugsock schema > types.lock`"),
        ("{}", "types.lock: it is no JSON Schema that `plugsock schema` has written; make it anew with"),
    ],
)
def test_without_a_lock_it_says_how_to_make_one(home, plugsock, text, said):
    if text is not None:
        (home / "types.lock").write_text(text)

    status, out, err = plugsock("check", "--against", "types.lock")

    assert (status, out, err.removeprefix("plugsock: ").startswith(said)) == (2, "", True)
