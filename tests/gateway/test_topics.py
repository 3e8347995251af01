"""Joining, leaving and publishing, what was missed, and coming back."""

import asyncio
import json

import msgspec
import pytest

from plugsock.gateway import publishing
from plugsock.gateway import topics as module
from plugsock.model import Kind, Member, Reach
from plugsock.rpc.frames import Members, Reply
from support.scripted import Stage, announce
from support.topics import at, join, publish, put, rule, take_out

ROOMS = rule("room.*")
KEPT = rule("room.*", history=5)
NO_HISTORY = {"epoch": "", "offset": 0, "recovered": False, "members": None}


def welcomed(stage, **hello):
    client = stage.client()
    welcome = client.hello(**hello)
    return client, welcome


# Joining and leaving.


@pytest.mark.parametrize("says_hello", [True, False])
async def test_whoever_joins_gets_what_is_published_and_nobody_else_does(says_hello):
    stage = Stage(ROOMS)
    client, other = stage.client(), stage.client()
    if says_hello:
        client.hello()
    assert join(client, "room.a") == NO_HISTORY
    join(other, "room.b")
    publish(stage, "room.a", b'{"text":"hi"}')
    assert client.heard() == ['push room.a news {"text":"hi"}']
    client.say("leave 3 room.a")
    publish(stage, "room.a")
    assert client.heard() == ["ok 3"]
    assert other.heard() == []
    assert len(stage.gateway.topics._hub) == 1


async def test_joining_twice_is_answered_anew_and_moves_nothing():
    stage = Stage(ROOMS)
    client = stage.client()
    join(client, "room.a")
    join(client, "room.a", 3)
    publish(stage, "room.a")
    assert len(client.heard()) == 1
    client.say("leave 4 room.a")
    client.say("leave 5 room.a")
    assert [frame[:7] for frame in client.heard()] == ["ok 4", "error 5"]


@pytest.mark.parametrize("topic", ["lobby", "room.", "-"])
async def test_a_topic_that_no_rule_opens_is_not_found(topic):
    client = Stage(ROOMS).client()
    client.say(f"join 2 {topic}")
    client.say(f"leave 3 {topic}")
    assert client.faults() == [("2", "not_found"), ("3", "not_found")]


async def test_a_rule_for_everything_opens_nothing_that_can_be_no_topic():
    client, welcome = welcomed(Stage(rule("*")), topics={"-": None, "a b": None, "": None, "x" * 129: None, "a": None})
    assert [told.get("error", {}).get("code") for told in welcome["topics"].values()] == ["not_found"] * 4 + [None]
    client.say("join 2 -")
    assert client.faults() == [("2", "not_found")]


async def test_the_answer_has_the_format_of_its_frame_and_the_pushes_that_of_the_socket():
    stage = Stage(rule("room.*", presence=True))
    client, _ = welcomed(stage, format="msgpack")
    put(stage, client, "room.a", b'{"at":1}')
    client.heard()
    client.say(b"join 2 room.a", binary=True)
    [(binary, frame)] = client.wire.frames
    assert binary
    answer = msgspec.msgpack.decode(frame.removeprefix(b"ok 2 "))
    assert answer["members"][0]["data"] == {"at": 1}
    client.wire.frames.clear()
    client.say(b"leave 3 room.a", binary=True)
    assert client.wire.frames == [(True, b"ok 3")]


@pytest.mark.parametrize("packed", [None, msgspec.msgpack.encode([1])])
async def test_a_push_is_encoded_once_for_each_format(packed):
    stage = Stage(ROOMS)
    text, other = stage.client(), stage.client()
    binaries = [welcomed(stage, format="msgpack")[0] for _ in range(2)]
    for client in (text, other, *binaries):
        join(client, "room.a")
    publish(stage, "room.a", b"[1]", packed)
    [first], [second] = (client.wire.frames for client in binaries)
    assert first == (True, b"push room.a news " + msgspec.msgpack.encode([1]))
    assert first[1] is second[1]
    assert text.wire.frames == [(False, b"push room.a news [1]")]
    assert text.wire.frames[0][1] is other.wire.frames[0][1]


async def test_an_id_is_used_once():
    stage = Stage(ROOMS)
    client, _ = welcomed(stage)
    client.say("join 2 room.a")
    client.say("join 2 room.b")
    client.say("leave 2 room.a")
    assert client.faults() == [("0", "bad_frame"), ("0", "bad_frame")]


async def test_a_server_that_shuts_down_lets_nobody_in_any_more():
    stage = Stage(ROOMS)
    client = stage.client()
    stage.gateway.verbs.closing = True
    client.say("join 2 room.a")
    assert client.faults() == [("2", "overloaded")]


@pytest.mark.fault("R4")
async def test_a_socket_is_in_so_many_topics_at_most_whoever_puts_it_there(capsys):
    stage = Stage(ROOMS, max_watches=2)
    client = stage.client()
    join(client, "room.a")
    put(stage, client, "room.b")
    client.say("join 3 room.c")
    put(stage, client, "room.d")
    assert "topic=room.d" in capsys.readouterr().err
    join(client, "room.a", 4)
    assert client.faults() == [("3", "limit")]
    client.say("leave 5 room.b")
    join(client, "room.c", 6)
    other = stage.client()
    other.say('hello 1 plugsock {"topics":{"a":"","b":null,"c":""}}')
    assert other.faults() == [("1", "bad_payload")]


@pytest.mark.fault("R4")
async def test_when_a_socket_goes_its_peer_is_in_nothing_any_more():
    stage = Stage(ROOMS)
    client, (kept, _) = stage.client(), welcomed(stage)
    for each in (client, kept):
        join(each, "room.a")
        each.leave()
        assert each.peer.topics == set()
    assert len(stage.gateway.topics._hub) == 0


async def test_a_socket_that_goes_while_something_is_published_costs_the_others_nothing():
    stage = Stage(ROOMS)
    first, second = stage.client(), stage.client()
    join(first, "room.a")
    join(second, "room.a")
    first.peer.send = lambda _binary, _frame: (first.leave(), second.heard())
    publish(stage, "room.a")
    assert second.heard() == ["push room.a news 1"]


# Plugs.


async def test_a_plug_can_put_a_socket_where_no_rule_lets_it_in_and_take_it_out():
    stage = Stage(announce("a"))
    client = stage.client()
    put(stage, client, "secret")
    publish(stage, "secret")
    take_out(stage, client, "secret")
    take_out(stage, client, "secret")
    publish(stage, "secret")
    push, left = client.heard()
    assert push == "push secret news 1"
    assert json.loads(left.removeprefix("notice left ")) == {
        "topic": "secret",
        "reason": {"code": "cancelled", "message": "A plug has taken you out of secret.", "retry": False},
    }


async def test_who_was_put_in_can_leave():
    stage = Stage()
    client = stage.client()
    put(stage, client, "secret")
    client.say("leave 2 secret")
    assert client.heard() == ["ok 2"]
    assert client.peer.topics == set()


async def test_a_call_that_was_ended_puts_its_caller_nowhere():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 2 a")
    client.say("call 3 a")
    ended, running = stage.link.calls
    client.say("cancel 2")
    put(stage, client, "one", sequence=ended.sequence)
    put(stage, client, "two", sequence=running.sequence)
    assert client.peer.topics == {"two"}


async def test_workers_hear_once_a_turn_which_topics_somebody_is_in_whom_they_know():
    stage = Stage(ROOMS, announce("a"))
    client, unknown = stage.client(), stage.client()
    join(client, "room.x")
    join(unknown, "room.x")
    client.say("call 3 a")
    put(stage, client, "b")
    put(stage, client, "a")
    await asyncio.sleep(0)
    assert [state.topics for state in stage.link.states] == [["room.x"], ["a", "b", "room.x"]]
    client.leave()
    await asyncio.sleep(0)
    assert len(stage.link.states) == 2, "it is forgotten"


async def test_who_is_in_a_topic_is_told_to_a_plug_that_asks():
    stage = Stage()
    client = stage.client()
    put(stage, client, "room", b'{"at":1}')
    stage.gateway.ask(1, 0, Members("room"))
    stage.gateway.ask(2, 0, Members("other"))
    await stage.link.hears("told", 2, Reply(Reach()))
    [(_, _, reply)] = [said for said in stage.link.said if said[:2] == ("told", 1)]
    [member] = reply.members
    assert member == Member(member.id, None, 1, {"at": 1})
    assert member.id.startswith("~")
    assert client.peer.id not in member.id


async def test_what_happens_is_said_once_and_in_order():
    stage = Stage(ROOMS)
    said = []
    topics = stage.gateway.topics
    topics.on_joined = lambda peer, topic: said.append(("joined", peer, topic))
    topics.on_left = lambda peer, topic: said.append(("left", peer, topic))
    topics.on_change = said.append
    client = stage.client()
    peer = client.peer
    join(client, "room.a")
    join(client, "room.a", 3)
    put(stage, client, "room.a")
    put(stage, client, "room.a", b"1")
    client.leave()
    assert said == [
        *(("joined", peer, "room.a"), "room.a"),
        "room.a",
        *(("left", peer, "room.a"), "room.a"),
    ]


# What was missed.


async def test_pushes_say_where_they_are_and_who_comes_back_gets_what_was_missed():
    stage = Stage(KEPT)
    client, other = stage.client(), stage.client()
    start = join(client, "room.a")
    assert (len(start["epoch"]), start["offset"]) == (8, 0)
    join(other, "room.a")
    publish(stage, "room.a", b"1")
    client.say("leave 3 room.a")
    publish(stage, "room.a", b"2")
    epoch = start["epoch"]
    assert client.heard() == [f"push room.a news?at={epoch}.1 1", "ok 3"]
    client.say(f"join 4 room.a?at={epoch}.1")
    answer, missed = client.heard()
    assert json.loads(answer.removeprefix("ok 4 ")) == {**start, "offset": 2, "recovered": True}
    assert missed == f"push room.a news?at={epoch}.2 2"
    publish(stage, "room.a", b"3")
    assert client.heard() == [f"push room.a news?at={epoch}.3 3"]


async def test_who_has_missed_nothing_hears_that():
    stage = Stage(KEPT)
    position = join(stage.client(), "room.a")
    other = stage.client()
    other.say(f"join 2 room.a?at={at(position)}")
    [answer] = other.heard()
    assert '"recovered":true' in answer


@pytest.mark.fault("R11")
async def test_a_hole_is_told_plainly():
    stage = Stage(KEPT)
    client = stage.client()
    position = join(client, "room.a")
    for _ in range(6):
        publish(stage, "room.a")
    client.heard()
    client.say(f"join 3 room.a?at={at(position)}")
    [answer] = client.heard()
    assert json.loads(answer.removeprefix("ok 3 ")) == {**position, "offset": 6}


@pytest.mark.parametrize("position", ["", "x", "1", ".", "12345678.0", "a.b.c", "~", "{}.1", "{}.x", "{}"])
async def test_what_is_no_position_is_no_error_and_nothing_is_recovered(position):
    stage = Stage(KEPT)
    client = stage.client()
    epoch = join(client, "room.a")["epoch"]
    client.say(f"join 3 room.a?at={position.format(epoch)}")
    [answer] = client.heard()
    assert '"recovered":false' in answer


async def test_without_history_there_are_no_positions():
    stage = Stage(ROOMS)
    client = stage.client()
    client.say("join 2 room.a?at=abcdefgh.0")
    publish(stage, "room.a")
    assert client.heard()[1:] == ["push room.a news 1"]


async def test_what_is_published_while_nobody_is_there_is_kept_and_comes_in_the_format_of_the_socket():
    stage = Stage(KEPT)
    publish(stage, "room.a", b"[1]")
    publish(stage, "room.a", b"[2]")
    epoch = stage.gateway.topics._hub.get("room.a").history.epoch
    client, _ = welcomed(stage, format="msgpack")
    client.say(f"join 2 room.a?at={epoch}.1")
    [_, (binary, frame)] = client.wire.frames
    assert (binary, frame) == (True, f"push room.a news?at={epoch}.2 ".encode() + msgspec.msgpack.encode([2]))


@pytest.mark.fault("R11")
async def test_what_is_over_is_forgotten_by_itself(monkeypatch):
    monkeypatch.setattr(publishing, "_SWEEP_S", 0.01)
    stage = Stage(rule("room.*", history=5, ttl_s=0.05))
    publish(stage, "room.a")
    hub = stage.gateway.topics._hub
    assert len(hub) == 1
    async with asyncio.timeout(10):
        while len(hub):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0)
    assert hub.histories.bytes == 0


# Coming back.


async def test_hello_joins_topics_and_brings_what_was_missed_after_the_welcome():
    stage = Stage(KEPT)
    client = stage.client()
    position = join(client, "room.a")
    publish(stage, "room.a", b"1")
    newcomer = stage.client()
    hello = {"topics": {"room.a": at(position), "room.b": None, "room.c": "garbage", "lobby": ""}}
    newcomer.say(b"hello 1 plugsock " + msgspec.json.encode(hello))
    welcome, missed = newcomer.heard()
    told = json.loads(welcome.removeprefix("welcome 1 "))["topics"]
    assert told["room.a"] == {**position, "offset": 1, "recovered": True}
    assert told["room.b"]["recovered"] is told["room.c"]["recovered"] is False
    assert told["lobby"]["error"]["code"] == "not_found"
    assert missed == f"push room.a news?at={position['epoch']}.1 1"
    publish(stage, "room.b")
    assert len(newcomer.heard()) == 1


async def test_a_session_that_goes_on_is_in_its_topics_again_those_that_a_plug_put_it_in_too():
    stage = Stage(KEPT)
    keeper = stage.client()
    join(keeper, "room.a")
    client, welcome = welcomed(stage)
    position = join(client, "room.a")
    put(stage, client, "secret", b"1")
    client.leave()
    publish(stage, "room.a", b"1")
    back, welcome = welcomed(stage, resume=welcome["resume"], topics={"room.a": at(position), "room.b": ""})
    assert welcome["resumed"]
    told = welcome["topics"]
    assert list(told) == ["room.a", "secret", "room.b"]
    assert [each["recovered"] for each in told.values()] == [True, False, False]
    assert len(back.heard()) == 1
    publish(stage, "secret", b"2")
    assert back.heard() == ["push secret news 2"]
    assert [member.data for member in stage.gateway.topics.members("secret")] == [1]


async def test_a_session_that_goes_on_over_another_connection_is_in_its_topics_again():
    stage = Stage(KEPT)
    client, welcome = welcomed(stage)
    position = join(client, "room.a")
    put(stage, client, "secret")
    publish(stage, "room.a", b"1")
    back, welcome = welcomed(stage, resume=welcome["resume"], topics={"room.a": at(position)})
    assert set(welcome["topics"]) == {"room.a", "secret"}
    assert back.heard() == [f"push room.a news?at={position['epoch']}.1 1"]
    client.leave()
    publish(stage, "secret", b"2")
    assert back.heard() == ["push secret news 2"]


@pytest.mark.fault("R11")
async def test_a_hole_while_a_session_was_away_is_told_plainly():
    stage = Stage(KEPT)
    client, welcome = welcomed(stage)
    position = join(client, "room.a")
    publish(stage, "room.a")
    client.leave()
    for _ in range(6):
        publish(stage, "room.a")
    back, welcome = welcomed(stage, resume=welcome["resume"], topics={"room.a": at(position)})
    assert welcome["topics"]["room.a"] == {**position, "offset": 7}
    assert back.heard() == []


async def test_a_session_that_is_lost_is_in_nothing_but_what_it_names():
    stage = Stage(ROOMS)
    client, welcome = welcomed(stage)
    join(client, "room.a")
    put(stage, client, "secret")
    client.leave()
    back, welcome = welcomed(stage, resume="no such key", topics={"room.a": None})
    assert not welcome["resumed"]
    assert welcome["topics"] == {"room.a": NO_HISTORY}
    assert back.peer.topics == {"room.a"}


async def test_what_plugs_say_of_a_socket_that_is_away_holds_when_it_is_back():
    stage = Stage(announce("a"), max_watches=3)
    client, welcome = welcomed(stage)
    put(stage, client, "one", b"1")
    put(stage, client, "two")
    client.say("call 2 a")
    client.leave()
    put(stage, client, "one")
    put(stage, client, "three")
    take_out(stage, client, "two")
    put(stage, client, "four", b"4")
    put(stage, client, "five")
    _, welcome = welcomed(stage, resume=welcome["resume"])
    assert list(welcome["topics"]) == ["one", "three", "four"]
    [member], [four] = stage.gateway.topics.members("one"), stage.gateway.topics.members("four")
    assert (member.data, four.data) == (1, 4)
    put(stage, client, "of nobody that is known")


@pytest.mark.fault("R4")
async def test_a_session_that_is_over_leaves_nothing_behind(monkeypatch):
    stage = Stage(ROOMS)
    client, _ = welcomed(stage)
    join(client, "room.a")
    client.leave()
    topics = stage.gateway.topics
    assert len(topics._away) == 1
    stage.gateway._forget(client.peer)
    assert (len(topics._away), topics._untold) == (0, set())


@pytest.mark.fault("R11")
async def test_one_hello_brings_so_much_and_of_the_rest_it_is_said_that_it_is_gone(monkeypatch):
    stage = Stage(KEPT)
    client = stage.client()
    positions = {topic: at(join(client, topic, id)) for id, topic in enumerate(["room.a", "room.b"], 2)}
    for topic in positions:
        publish(stage, topic, b"%d" % 10**600)
    monkeypatch.setattr(module, "MOST_MISSED", 1000)
    back, welcome = welcomed(stage, topics=positions)
    assert [told["recovered"] for told in welcome["topics"].values()] == [True, False]
    assert len(back.heard()) == 1


# Rules that change.


@pytest.mark.fault("A13")
async def test_who_has_joined_leaves_with_the_rule_and_whom_a_plug_has_put_in_stays():
    stage = Stage(ROOMS)
    client, guest = stage.client(), stage.client()
    join(client, "room.a")
    put(stage, guest, "room.a")
    stage.swap(announce("other"), gone=["@topic:room.*"])
    [left] = [frame for frame in client.heard() if frame.startswith("notice left")]
    assert json.loads(left.removeprefix("notice left "))["topic"] == "room.a"
    assert json.loads(left.removeprefix("notice left "))["reason"]["code"] == "gone"
    guest.heard()
    publish(stage, "room.a")
    client.say("join 3 room.a")
    assert client.faults() == [("3", "not_found")]
    assert guest.heard() == ["push room.a news 1"]


@pytest.mark.fault("A13")
async def test_a_rule_that_takes_the_place_of_another_keeps_members_and_what_was_pushed():
    stage = Stage(KEPT)
    client = stage.client()
    position = join(client, "room.a")
    publish(stage, "room.a")
    stage.swap(rule("room.*", history=10))
    assert at(join(client, "room.a", 3)) == f"{position['epoch']}.1"
    stage.swap(ROOMS)
    assert join(client, "room.a", 4) == NO_HISTORY
    stage.swap(KEPT)
    assert join(client, "room.a", 5)["epoch"] not in {"", position["epoch"]}


async def test_rules_are_none_of_a_clients_business():
    stage = Stage()
    client, _ = welcomed(stage)
    shapes = stage.gateway.routes.shapes
    stage.swap(ROOMS)
    client.say("call 2 @topic:room.*")
    assert client.faults() == [("0", "bad_frame")]
    assert stage.gateway.routes.shapes == shapes
    assert stage.gateway.routes.of_kind(Kind.TOPIC)


async def test_rules_hold_while_the_server_drains():
    stage = Stage(ROOMS)
    client = stage.client()
    join(client, "room.a")
    stage.gateway.routes.close()
    stage.gateway.swaps.closing = True
    stage.swap(announce("other"), gone=["@topic:room.*"])
    publish(stage, "room.a")
    assert client.heard() == ["push room.a news 1"]


async def test_a_socket_that_goes_while_it_is_told_has_joined_before_it_has_left():
    stage = Stage(KEPT)
    other, client = stage.client(), stage.client()
    start = at(join(other, "room.a"))
    publish(stage, "room.a")
    said = []
    stage.gateway.topics.on_joined = lambda _peer, topic: said.append(("joined", topic))
    stage.gateway.topics.on_left = lambda _peer, topic: said.append(("left", topic))
    client.peer.send = lambda _binary, frame: client.leave() if frame.startswith(b"push") else None
    client.say(f"join 2 room.a?at={start}")
    assert said == [("joined", "room.a"), ("left", "room.a")]
    assert client.peer.topics == set()
