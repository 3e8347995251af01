"""Who else is there: the list for who joins, and news for everybody."""

import asyncio
import json

import pytest

from plugsock.gateway import attendance
from support.identified import enter, guarded, known
from support.scripted import Stage
from support.topics import join, notices, publish, put, rule

HALL = rule("hall", presence=True)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(attendance, "BATCH_S", 0.0)


async def news(stage):
    """Wait until what there is to tell is told."""
    async with asyncio.timeout(10):
        while stage.gateway.topics._attendance._due:  # noqa: ASYNC110 - nobody may be told
            await asyncio.sleep(0)


def user(stage, id="ada", permissions=(), **hello):
    client = stage.client()
    enter(stage, client, known(id, permissions), **hello)
    return client


def ids(members):
    return [member["id"] for member in members]


async def test_who_joins_gets_the_list_and_the_others_hear_of_it_at_once():
    stage = guarded(HALL)
    ada, bob, eve = (user(stage, id) for id in ("ada", "bob", "eve"))
    assert join(ada, "hall")["members"] == [{"id": "ada", "user": "ada", "sockets": 1, "data": None}]
    await news(stage)
    assert ids(join(ada, "hall", 3)["members"]) == ["ada"]
    await news(stage)
    assert ada.heard() == [], "about themselves they know"
    assert ids(join(bob, "hall")["members"]) == ["ada", "bob"]
    assert ids(join(eve, "hall")["members"]) == ["ada", "bob", "eve"]
    await news(stage)
    [told] = notices(ada, "presence")
    assert (told["topic"], ids(told["joined"]), told["left"]) == ("hall", ["bob", "eve"], [])
    assert ids(notices(bob, "presence")[0]["joined"]) == ["eve"]
    assert notices(eve, "presence") == []
    bob.leave()
    ada.say("leave 4 hall")
    await news(stage)
    assert notices(eve, "presence") == [{"topic": "hall", "joined": [], "left": ["bob", "ada"]}]
    assert ada.heard() == ["ok 4"]


async def test_two_tabs_of_one_user_are_one_entry():
    stage = guarded(HALL)
    watcher, first, second = user(stage, "eve"), user(stage), user(stage)
    join(watcher, "hall")
    join(first, "hall")
    assert join(second, "hall")["members"][0] == {"id": "ada", "user": "ada", "sockets": 2, "data": None}
    await news(stage)
    assert len(notices(watcher, "presence")) == 1
    first.leave()
    await news(stage)
    assert watcher.heard() == []
    second.leave()
    await news(stage)
    assert notices(watcher, "presence")[0]["left"] == ["ada"]


async def test_who_is_nobody_has_a_name_to_which_nothing_can_be_sent():
    stage = Stage(HALL)
    client, other = stage.client(), stage.client()
    [member] = join(client, "hall")["members"]
    assert (member["id"][0], member["user"]) == ("~", None)
    assert member["id"][1:] != client.peer.id
    assert stage.gateway.peers.get(member["id"]) is None
    assert ids(join(other, "hall")["members"]).count(member["id"]) == 1


async def test_what_a_plug_says_of_somebody_is_told_when_it_changes():
    stage = guarded(HALL)
    watcher, ada = user(stage, "eve"), user(stage)
    join(watcher, "hall")
    join(ada, "hall")
    await news(stage)
    watcher.heard()
    put(stage, ada, "hall", b'{"mood":"good"}')
    await news(stage)
    [told] = notices(watcher, "presence")
    assert told["joined"] == [{"id": "ada", "user": "ada", "sockets": 1, "data": {"mood": "good"}}]
    put(stage, ada, "hall", b'{"mood":"good"}')
    put(stage, ada, "hall")
    await news(stage)
    assert watcher.heard() == []


async def test_whom_a_plug_has_put_in_is_told_of_everybody():
    stage = guarded(HALL)
    ada, bob = user(stage), user(stage, "bob")
    join(ada, "hall")
    await news(stage)
    put(stage, bob, "hall")
    await news(stage)
    assert ids(notices(bob, "presence")[0]["joined"]) == ["ada", "bob"]
    assert ids(notices(ada, "presence")[0]["joined"]) == ["bob"]


async def test_where_it_is_not_told_nothing_is():
    stage = Stage(rule("room.*"))
    first, second = stage.client(), stage.client()
    assert join(first, "room.a")["members"] is None
    join(second, "room.a")
    await news(stage)
    assert first.heard() == []


async def test_a_rule_can_begin_to_tell_and_stop_it():
    stage = Stage(rule("hall"))
    first, second = stage.client(), stage.client()
    join(first, "hall")
    join(second, "hall")
    stage.swap(HALL)
    await news(stage)
    [told] = notices(first, "presence")
    assert len(told["joined"]) == 2
    second.say("leave 3 hall")
    stage.swap(rule("hall"))
    await news(stage)
    assert notices(first, "presence") == []


async def test_who_becomes_known_takes_another_name():
    stage = guarded(HALL, auth="optional")
    watcher, client = user(stage, "eve"), stage.client()
    join(watcher, "hall")
    put(stage, client, "hall")
    await news(stage)
    [told] = notices(watcher, "presence")
    client.heard()
    enter(stage, client, known("ada"))
    await news(stage)
    [changed] = notices(watcher, "presence")
    assert (ids(changed["joined"]), changed["left"]) == (["ada"], ids(told["joined"]))


async def test_a_session_that_goes_on_is_told_who_is_there_and_others_that_it_is_back():
    stage = guarded(HALL)
    watcher, ada = user(stage, "eve"), stage.client()
    join(watcher, "hall")
    key = enter(stage, ada, known("ada"))["resume"]
    put(stage, ada, "hall", b"1")
    await news(stage)
    watcher.heard()
    ada.leave()
    back = stage.client()
    welcome = enter(stage, back, known("ada"), resume=key)
    assert [(member["id"], member["data"]) for member in welcome["topics"]["hall"]["members"]] == [
        *(("ada", 1), ("eve", None))
    ]
    await news(stage)
    [told] = notices(watcher, "presence")
    assert (ids(told["joined"]), told["left"]) == (["ada"], [])
    assert back.heard() == []


async def test_a_topic_that_everybody_has_left_tells_nobody():
    stage = Stage(HALL)
    client = stage.client()
    join(client, "hall")
    client.leave()
    await news(stage)
    assert client.heard() == []
    assert len(stage.gateway.topics._hub) == 0


# What it takes to see it.

GUARDED = rule("hall", presence=True, requires=(("hall",),))


async def test_the_list_and_the_news_know_what_it_takes_to_see_them():
    stage = guarded(GUARDED)
    ada, bob = user(stage, permissions=["hall"]), user(stage, "bob", ["hall"])
    ada.say("join 2 hall")
    bob.say("join 2 hall")
    await news(stage)
    assert [frame.needs for _, frame in ada.wire.frames] == [(("hall",),)] * 2
    assert [frame.needs for _, frame in bob.wire.frames] == [(("hall",),)]


async def test_a_welcome_is_never_taken_back_so_the_list_follows_by_itself():
    stage = guarded(GUARDED)
    ada = user(stage, permissions=["hall"])
    join(ada, "hall")
    bob = stage.client()
    welcome = enter(stage, bob, known("bob", ["hall"]), topics={"hall": None})
    assert welcome["topics"]["hall"]["members"] == []
    [(_, frame)] = bob.wire.frames
    assert frame.needs == (("hall",),)
    assert ids(json.loads(frame.removeprefix(b"notice presence "))["joined"]) == ["ada", "bob"]
    bob.heard()
    await news(stage)
    assert bob.heard() == []


async def test_who_lost_the_right_is_not_told_any_more(tmp_path):
    stage = guarded(GUARDED, data=tmp_path)
    ada, bob = user(stage, permissions=["hall"]), user(stage, "bob", ["hall"])
    join(ada, "hall")
    join(bob, "hall")
    await news(stage)
    ada.heard()
    await stage.gateway.identities.revoke("ada", "hall")
    await news(stage)
    assert notices(bob, "presence")[-1]["left"] == ["ada"]
    assert notices(ada, "presence") == []
    publish(stage, "hall")
    assert bob.heard() == ["push hall news 1"]
