"""What it takes to be in a topic and to get what is pushed there, and how it ends when that is taken away."""

import asyncio
import json

import pytest

from plugsock.gateway.protected import Protected
from plugsock.model import Reach
from plugsock.rpc.frames import SocketState
from support.client_frames import text
from support.identified import enter, guarded, known
from support.scripted import Stage, announce
from support.topics import at, join, notices, publish, put, rule
from support.wires import connected, serving

ROOM = (("room.read:{*}",),)
ROOMS = rule("room.*", requires=ROOM)
KEPT = rule("room.*", requires=ROOM, history=10)
OPEN = rule("open.*")


@pytest.fixture
def data(tmp_path):
    return tmp_path


def user(stage, *permissions, id="ada", **hello):
    client = stage.client()
    enter(stage, client, known(id, permissions), **hello)
    return client


def frames(client):
    return [(frame.decode(), getattr(frame, "needs", ())) for _, frame in client.wire.frames]


# Who may join.


async def test_what_the_star_stands_for_decides():
    stage = guarded(ROOMS)
    client = user(stage, "room.read:a")
    client.say("join 2 room.a")
    client.say("join 3 room.b")
    [(_, needs), (refused, _)] = frames(client)
    assert needs == (("room.read:a",),)
    assert json.loads(refused.removeprefix("error 3 "))["message"] == "You are not allowed to room.read:b."


async def test_who_is_nobody_is_asked_who_they_are():
    client = Stage(ROOMS, auth="none").client()
    client.say("join 2 room.a")
    assert client.faults() == [("2", "unauthorized")]


@pytest.mark.parametrize("topic", ["room.a.b", "room.a:b", "room." + "x" * 65])
async def test_nobody_may_be_where_no_permission_can_be_about_it(topic, capsys):
    stage = guarded(KEPT)
    client = user(stage, "*")
    client.say(f"join 2 {topic}")
    put(stage, client, topic)
    publish(stage, topic)
    assert client.faults() == [("2", "forbidden")]
    assert "code=forbidden" in capsys.readouterr().err
    assert len(stage.gateway.topics._hub) == 0


async def test_who_has_not_said_hello_does_not_find_out_which_topics_there_are(capsys):
    stage = guarded(OPEN)
    client = stage.client()
    client.say("join 2 open.a")
    client.say("leave 3 open.a")
    put(stage, client, "open.a")
    assert client.faults() == [("2", "unauthorized"), ("3", "unauthorized")]
    assert client.peer.topics == set()
    assert "code=unauthorized" in capsys.readouterr().err


async def test_a_plug_puts_nobody_where_they_may_not_be(capsys):
    stage = guarded(ROOMS)
    client = user(stage)
    put(stage, client, "room.a")
    assert client.peer.topics == set()
    assert "code=forbidden" in capsys.readouterr().err


# Who gets what.


@pytest.mark.fault("A11")
async def test_every_push_knows_what_it_takes_and_is_checked_for_every_receiver():
    stage = guarded(ROOMS)
    plain, staff = user(stage, "room.read:a"), user(stage, "room.read:a", "staff", id="bob")
    binary = user(stage, "room.*", "staff", id="eve", format="msgpack")
    for client in (plain, staff, binary):
        join(client, "room.a")
    publish(stage, "room.a", needs=(("staff",),))
    assert frames(plain) == []
    assert frames(binary) == [("push room.a news \x01", (("room.read:a",), ("staff",)))]
    assert frames(staff) == [("push room.a news 1", (("room.read:a",), ("staff",)))]
    publish(stage, "room.a")
    assert frames(plain) == [("push room.a news 1", (("room.read:a",),))]


@pytest.mark.fault("A11")
async def test_and_so_is_what_was_missed():
    stage = guarded(KEPT)
    client = user(stage, "room.read:a")
    position = join(client, "room.a")
    publish(stage, "room.a", b"1", needs=(("staff",),))
    publish(stage, "room.a", b"2")
    client.wire.frames.clear()
    client.say(f"join 3 room.a?at={at(position)}")
    [(answer, _), (missed, needs)] = frames(client)
    assert '"offset":2,"recovered":true' in answer
    assert missed == f"push room.a news?at={position['epoch']}.2 2"
    assert needs == (("room.read:a",),)


# What ends it.


@pytest.mark.fault("A6")
async def test_after_a_revoke_somebody_is_not_in_the_topic_any_more_and_after_a_grant_may_join_again(data):
    stage = guarded(ROOMS, OPEN, data=data)
    client, other = user(stage, "room.*", "room.read:a"), user(stage, "room.read:a", id="bob")
    join(client, "room.a")
    join(client, "open.a", 3)
    join(other, "room.a")
    assert await stage.gateway.identities.revoke("ada", "room.read:a") == Reach(sockets=1, topics=1)
    left, permissions = client.heard()
    assert json.loads(left.removeprefix("notice left ")) == {
        "topic": "room.a",
        "reason": {"code": "revoked", "message": "You are no longer allowed to room.read:a.", "retry": False},
    }
    assert permissions.startswith("notice permissions")
    publish(stage, "room.a")
    publish(stage, "open.a")
    assert client.heard() == ["push open.a news 1"]
    assert other.heard() == ["push room.a news 1"]
    client.say("join 4 room.a")
    assert client.faults() == [("4", "forbidden")]
    await stage.gateway.identities.grant("ada", "room.read:a")
    client.heard()
    join(client, "room.a", 5)
    publish(stage, "room.a")
    assert len(client.heard()) == 1


async def test_whom_a_plug_has_put_in_leaves_too(data):
    stage = guarded(ROOMS, data=data)
    client = user(stage, "room.read:a")
    put(stage, client, "room.a")
    assert (await stage.gateway.identities.revoke("ada", "room.write:*")).topics == 0
    assert (await stage.gateway.identities.revoke("ada", "room.read:*")).topics == 1
    assert len(notices(client, "left")) == 1


@pytest.mark.fault("A6")
async def test_pushes_that_wait_for_a_slow_reader_are_taken_back(data):
    stage = guarded(ROOMS, OPEN, data=data)
    client = user(stage, "room.read:a")
    join(client, "room.a")
    join(client, "open.a", 3)

    def withhold(may_see, _instead):
        client.wire.frames = [each for each in client.wire.frames if may_see(each[1])]

    client.wire.withhold = withhold
    for topic in ("room.a", "open.a", "room.a"):
        publish(stage, topic)
    await stage.gateway.identities.revoke("ada", "room.read:a")
    assert [frame.split(" ")[:2] for frame in client.heard()] == [
        *(["push", "open.a"], ["notice", "left"], ["notice", "permissions"])
    ]


@pytest.mark.fault("A6")
async def test_over_a_real_socket_that_is_not_read_what_waits_is_taken_back(data):
    stage = guarded(ROOMS, OPEN, data=data)
    peers = []

    def say(wire, binary, message):
        if not peers:
            peers.append(stage.gateway.converse(wire))
            peers[0].opened()
        peers[0].received(binary, message)

    async with serving(say) as server, connected(server) as client:
        client.send(text("hello 1 plugsock {}"))
        await until(lambda: stage.link.calls)
        stage.answer(stage.link.calls.pop(), known("ada", ["room.read:a"]))
        client.send(text("join 2 room.a") + text("join 3 open.a"))
        await client.frames(3)
        client.writer.transport.pause_reading()
        while not peers[0].wire.is_jammed:
            publish(stage, "open.a", b'"%b"' % (b"x" * 60_000))
            await asyncio.sleep(0)
        publish(stage, "room.a", b'"secret"')
        publish(stage, "open.a", b'"last"')
        await stage.gateway.identities.revoke("ada", "room.read:a")
        publish(stage, "room.a", b'"secret"')
        client.writer.transport.resume_reading()
        heard = []
        while not heard or not heard[-1].startswith(b"notice permissions"):
            heard += [payload for _, payload in await client.frames(1)]
        assert heard[-3] == b'push open.a news "last"'
        assert heard[-2].startswith(b"notice left")
        assert not any(b"secret" in payload for payload in heard)


async def until(is_true):
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 - it may be anything
            await asyncio.sleep(0)


@pytest.mark.fault("A15")
async def test_the_answer_to_a_join_is_kept_only_for_who_may_be_there(data):
    stage = guarded(rule("hall", presence=True, requires=(("hall",),)), data=data)
    client = stage.client()
    key = enter(stage, client, known("ada", ["hall"]))["resume"]
    client.say("join 2 hall")
    client.leave()
    await stage.gateway.identities.revoke("ada", "hall")
    back = stage.client()
    welcome = enter(stage, back, known("ada", ["hall"]), resume=key, open={"2": 0})
    assert welcome["topics"]["hall"]["error"]["code"] == "forbidden"
    assert back.faults() == [("2", "revoked")]


async def test_another_token_changes_where_somebody_is(data):
    stage = guarded(ROOMS)
    client = user(stage, "room.read:a", "room.read:b")
    join(client, "room.a")
    join(client, "room.b", 3)
    client.say('token 4 plugsock {"token":"new"}')
    stage.answer(stage.link.calls.pop(), known("ada", ["room.read:b"]))
    assert [notice["topic"] for notice in notices(client, "left")] == ["room.a"]
    assert client.peer.topics == {"room.b"}


@pytest.mark.fault("A13")
async def test_a_rule_that_requires_more_puts_out_who_lacks_it():
    stage = guarded(OPEN)
    client, staff = user(stage), user(stage, "staff", id="bob")
    join(client, "open.a")
    put(stage, client, "open.b")
    join(staff, "open.a")
    stage.swap(rule("open.*", requires=(("staff",),)))
    assert [(notice["topic"], notice["reason"]["code"]) for notice in notices(client, "left")] == [
        *(("open.a", "revoked"), ("open.b", "revoked"))
    ]
    publish(stage, "open.a")
    assert client.heard() == []
    [(_, needs)] = [frame for frame in frames(staff) if frame[0].startswith("push")]
    assert needs == (("staff",),)


async def test_a_rule_about_which_no_permission_can_be_puts_everybody_out():
    stage = guarded(rule("room.*"))
    client = user(stage, "*")
    join(client, "room.a.b")
    stage.swap(ROOMS)
    [notice] = notices(client, "left")
    assert notice["reason"]["code"] == "revoked"


async def test_a_rule_that_requires_something_makes_people_say_who_they_are():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("ping")
    stage.swap(ROOMS)
    assert client.wire.closed[0] == 4005


async def test_workers_hear_of_a_revoke_and_of_the_topics_it_has_ended(data):
    stage = guarded(ROOMS, announce("a"), data=data)
    client = user(stage, "room.read:a")
    client.say("call 2 a")
    join(client, "room.a", 3)
    await stage.gateway.identities.revoke("ada", "room.read:a")
    last = stage.link.states[-1]
    assert last == SocketState(client.peer.id, "ada", ["room.read:a"][:0], None, last.rights, [])


async def test_what_is_pushed_to_a_topic_that_needs_nothing_is_no_protected_frame():
    stage = Stage(OPEN)
    client = stage.client()
    join(client, "open.a")
    publish(stage, "open.a")
    assert not isinstance(client.wire.frames[0][1], Protected)


async def test_a_socket_that_goes_while_it_is_told_of_one_topic_costs_nothing(data):
    stage = guarded(rule("room.*", requires=(("room.read:{*}",),)), data=data)
    client = user(stage, "room.read:*")
    for id, topic in enumerate(("room.a", "room.b"), 2):
        join(client, topic, id)
    client.peer.send = lambda _binary, frame: client.leave() if b"notice left" in frame else None
    assert (await stage.gateway.identities.revoke("ada", "room.read:*")).topics == 1
    assert client.peer.topics == set()
