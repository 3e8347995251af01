"""What the gateway does with what a worker staged."""

import asyncio
import json

from plugsock.model import Problem
from plugsock.ops import log
from plugsock.rpc.frames import Group, Staged
from support.scripted import Stage, announce


def notices(client) -> list[dict]:
    return [json.loads(frame.split(" ", 2)[2]) for frame in client.heard() if frame.startswith("notice plugs ")]


async def test_a_call_in_flight_keeps_its_revision_and_the_next_takes_the_new_one():
    stage = Stage(announce("a", "r1"))
    client = stage.client()
    client.say("call 1 a")
    stage.swap(announce("a", "r2"))
    client.say("call 2 a")
    assert [call.revision for call in stage.link.calls] == ["r1", "r2"]


async def test_what_was_replaced_is_retired_after_its_last_call():
    stage = Stage(announce("a", "r1"), announce("b", "r1"))
    client = stage.client()
    client.say("call 1 a")
    client.say("call 2 a")
    client.say("call 3 b")
    number = stage.swap(announce("a", "r2"))
    retired = ("retire", number)
    assert ("commit", number, [f"g{number}"]) in stage.link.said
    stage.answer(stage.link.calls[0])
    assert retired not in stage.link.said
    client.say("cancel 2")
    assert retired in stage.link.said
    assert not stage.gateway.calls.watchers


async def test_what_nobody_runs_is_retired_at_once():
    stage = Stage(announce("a", "r1"))
    number = stage.swap(announce("a", "r2"))
    assert stage.link.said[-1] == ("retire", number)


async def test_clients_are_told_what_changed_and_whether_their_shapes_hold():
    stage = Stage(announce("a", "r1", shape="s1"), announce("b", "r1"))
    client = stage.client()
    stage.swap(announce("a", "r2", shape="s1"))
    [same] = notices(client)
    assert same["changed"] == ["a"]
    assert same["breaking"] is False
    stage.swap(announce("a", "r3", shape="s2"))
    [other] = notices(client)
    assert other["breaking"] is True
    assert other["shapes"] == stage.gateway.routes.shapes != same["shapes"]
    stage.swap(gone=["b"])
    assert notices(client) == [{"changed": ["b"], "shapes": stage.gateway.routes.shapes, "breaking": True}]


async def test_a_look_that_changed_nothing_is_answered_and_tells_nobody(capsys):
    log.configure("text")
    problem = Problem("b.py", 3, "ValueError: no", ("b",))
    stage = Stage(announce("a", "r1"), announce("b", "r1"))
    stage.gateway.staged(Staged(2, [], [problem]))
    client = stage.client()
    client.say("call 1 a")
    capsys.readouterr()
    stage.gateway.staged(Staged(3, [], [problem]))
    assert stage.link.said[-2:] == [("commit", 3, []), ("retire", 3)]
    assert client.heard() == []
    assert capsys.readouterr() == ("", "")


async def test_where_something_may_have_changed_is_looked_at_once():
    stage = Stage(announce("a", "r1"))
    stage.gateway.changed(["plugs/a.py", "plugs/b.py"])
    assert stage.link.said[-1] == ("look", "plugs/a.py", "plugs/b.py")


async def test_the_first_look_is_the_boot_even_if_it_found_nothing(capsys):
    log.configure("text")
    stage = Stage()
    assert stage.gateway.ready.is_set()
    client = stage.client()
    stage.swap(announce("a", "r1"))
    assert [notice["changed"] for notice in notices(client)] == [["a"]]
    assert "swapped  event=a" in capsys.readouterr().err


async def test_new_code_is_told_of_even_where_the_revision_stays():
    stage = Stage(announce("a", "r1"))
    client = stage.client()
    stage.swap(announce("a", "r1"))
    assert [notice["changed"] for notice in notices(client)] == [["a"]]


async def test_a_group_with_problems_changes_nothing():
    stage = Stage(announce("a", "r1"))
    problem = Problem("a.py", 3, "SyntaxError: no", ("a",))
    good = Group("good", [announce("b")], [], [])
    broken = Group("broken", [announce("a", "r2")], [], [problem])
    stage.gateway.staged(Staged(7, [good, broken], [problem]))
    assert ("commit", 7, ["good"]) in stage.link.said
    assert {route.event: route.revision for route in stage.gateway.routes.by_name.values()} == {"a": "r1", "b": "r1"}
    assert stage.gateway.routes.problems == [problem]


async def test_a_problem_is_one_line_in_the_log_with_its_traceback(capsys):
    log.configure("text")
    stage = Stage(announce("a", "r1"))
    problem = Problem("a.py", 3, "ValueError: no", ("a",))
    for number in (7, 8):
        broken = Group("broken", [], [], [problem], ["  File a.py\nValueError: no\n"])
        stage.gateway.staged(Staged(number, [broken], [problem]))
    (line, *trace) = capsys.readouterr().err.splitlines()
    assert line.endswith("ValueError: no  place=a.py:3 stale=a")
    assert trace == ["    |   File a.py", "    | ValueError: no"]


async def test_an_event_that_moves_between_files_is_never_missing():
    stage = Stage(announce("a", "r1"))
    stage.gateway.staged(Staged(2, [Group("g", [announce("a", "r2")], ["a"], [])], []))
    assert stage.gateway.routes.by_name[b"a"].revision == "r2"
    assert not stage.gateway.routes.is_gone("a")


async def test_look_waits_for_the_answer_that_was_asked_for():
    stage = Stage(announce("a", "r1"))
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(stage.gateway.swaps.look())
        await asyncio.sleep(0)
        assert stage.link.said[-1] == ("look", "force")
        stage.swap(announce("b"))
        await asyncio.sleep(0)
        assert not asked.done()
        stage.gateway.staged(Staged(9, [Group("g", [announce("a", "r2")], [], [])], [], asked=True))
    assert asked.result().changed == ["a"]
