"""What the gateway holds back, because nothing would keep strangers out any more."""

import asyncio

import pytest

from plugsock.gateway.exposure import NO_AUTHENTICATOR, NO_REQUIREMENT
from plugsock.model import AUTHENTICATE, Kind, Problem
from plugsock.rpc.frames import Group, Staged
from support.scripted import Stage, announce

WHO = announce(AUTHENTICATE)
ORDERS = announce("orders", requires=(("orders.read",),))
OPEN = announce("orders", "r2")


def served(stage):
    return {event.decode(): route.revision for event, route in stage.gateway.routes.by_name.items()}


def problems(stage):
    return [problem.message for problem in stage.gateway.routes.problems]


async def looked(stage, *, allow_open):
    """Somebody has asked for a look, which finds that nobody authenticates any more."""
    async with asyncio.TaskGroup() as group:
        group.create_task(stage.gateway.swaps.look(allow_open=allow_open))
        await stage.link.hears("look", "force")
        stage.gateway.staged(Staged(9, [Group("g", [], [AUTHENTICATE], [])], [], asked=True))


async def test_the_last_authenticator_stays_and_the_problem_names_the_command():
    stage = Stage(WHO, announce("a"))
    number = stage.swap(announce("a", "r2"), gone=[AUTHENTICATE])
    assert served(stage) == {AUTHENTICATE: "r1", "a": "r1"}
    assert stage.link.said[-2:] == [("commit", number, []), ("retire", number)]
    assert stage.gateway.routes.problems == [Problem("a.py", 1, NO_AUTHENTICATOR, (AUTHENTICATE, "a"))]
    assert "`plugsock swap --allow-open`" in NO_AUTHENTICATOR


async def test_other_groups_of_the_same_look_come_into_force():
    stage = Stage(WHO, announce("b"))
    groups = [Group("bad", [], [AUTHENTICATE], []), Group("good", [announce("b", "r2")], [], [])]
    stage.gateway.staged(Staged(2, groups, []))
    assert served(stage) == {AUTHENTICATE: "r1", "b": "r2"}
    assert ("commit", 2, ["good"]) in stage.link.said


async def test_what_takes_over_is_no_loss():
    stage = Stage(WHO)
    stage.swap(announce(AUTHENTICATE, "r2", origin="embedded"))
    assert served(stage) == {AUTHENTICATE: "r2"}
    assert problems(stage) == []


async def test_an_authenticator_that_moves_to_another_file_is_no_loss():
    stage = Stage(WHO)
    stage.swap(announce(AUTHENTICATE, "r2"), gone=[AUTHENTICATE])
    assert served(stage) == {AUTHENTICATE: "r2"}


async def test_the_last_that_requires_something_stays():
    stage = Stage(ORDERS, announce("a"))
    stage.swap(OPEN)
    assert served(stage) == {"orders": "r1", "a": "r1"}
    assert problems(stage) == [NO_REQUIREMENT]


async def test_a_rule_for_topics_that_requires_something_is_such():
    stage = Stage(announce("@topic:room.*", kind=Kind.TOPIC, requires=(("room:{*}",),)))
    stage.swap(gone=["@topic:room.*"])
    assert served(stage) == {"@topic:room.*": "r1"}
    assert problems(stage) == [NO_REQUIREMENT]


async def test_one_of_several_that_require_something_may_go():
    stage = Stage(ORDERS, announce("staff", requires=(("staff",),)))
    stage.swap(OPEN)
    assert served(stage) == {"orders": "r2", "staff": "r1"}


async def test_while_somebody_authenticates_nothing_has_to_require_anything():
    stage = Stage(WHO, ORDERS)
    stage.swap(gone=["orders"])
    assert served(stage) == {AUTHENTICATE: "r1"}


@pytest.mark.parametrize("auth", ["required", "none"])
async def test_where_the_setting_says_it_all_nothing_is_held_back(auth):
    stage = Stage(WHO, ORDERS, auth=auth)
    stage.swap(OPEN, gone=[AUTHENTICATE])
    assert served(stage) == {"orders": "r2"}


async def test_where_saying_who_one_is_is_optional_only_the_authenticator_is_kept():
    stage = Stage(WHO, ORDERS, auth="optional")
    stage.swap(gone=[AUTHENTICATE])
    assert problems(stage) == [NO_AUTHENTICATOR]
    stage = Stage(ORDERS, auth="optional")
    stage.swap(OPEN)
    assert served(stage) == {"orders": "r2"}


async def test_a_default_plug_that_is_held_is_asked_all_the_same():
    stage = Stage(announce(AUTHENTICATE, origin="embedded"))
    stage.swap(gone=[AUTHENTICATE])
    assert [problem.events for problem in stage.gateway.routes.problems] == [()]
    client = stage.client()
    client.say("hello 1 plugsock {}")
    assert [call.event for call in stage.link.calls] == [AUTHENTICATE]


async def test_it_is_done_when_somebody_says_that_it_is_meant():
    stage = Stage(WHO)
    stage.swap(gone=[AUTHENTICATE])
    await looked(stage, allow_open=True)
    assert served(stage) == {}
    assert problems(stage) == []


async def test_who_only_asks_for_a_look_has_not_said_so():
    stage = Stage(WHO)
    await looked(stage, allow_open=False)
    assert served(stage) == {AUTHENTICATE: "r1"}
    assert problems(stage) == [NO_AUTHENTICATOR]


async def test_a_forced_look_finds_out_whether_it_was_undone():
    stage = Stage(WHO)
    stage.swap(gone=[AUTHENTICATE])
    stage.gateway.staged(Staged(8, [], []))
    assert problems(stage) == [NO_AUTHENTICATOR]
    await stage.link.hears("look", "force")
    stage.gateway.staged(Staged(9, [], [], asked=True))
    assert problems(stage) == []
    assert served(stage) == {AUTHENTICATE: "r1"}


async def test_a_server_that_starts_without_has_lost_nothing():
    stage = Stage(announce("a"))
    assert problems(stage) == []
