"""What changes at once for those who are here when rights are granted and revoked."""

import asyncio
import json

import pytest

from plugsock.errors import PlugsockError
from plugsock.model import Reach
from plugsock.ops.tasks import Tasks
from plugsock.rpc.frames import Grant, Reply, Revoke, Send
from support.identified import FEED, OPEN, ORDERS, READ, enter, guarded, known, reader, refresh
from support.scripted import announce


@pytest.fixture
def data(tmp_path):
    return tmp_path


async def revoke(stage, permission="orders.read", user="ada", **more):
    return await stage.gateway.identities.revoke(user, permission, **more)


# Rights.


async def test_the_worker_knows_who_calls_and_hears_when_their_rights_change(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    client.say("call 2 orders")
    [before] = stage.link.states
    assert (before.user, before.permissions) == ("ada", ["orders.*"])
    await revoke(stage)
    [_, after] = stage.link.states
    assert after.permissions == ["orders.*", "!orders.read"]
    assert after.rights > before.rights


@pytest.mark.fault("A6")
async def test_after_a_revoke_nothing_is_called_any_more_and_after_a_grant_it_is(data):
    stage = guarded(ORDERS, OPEN, data=data)
    client = reader(stage)
    assert await revoke(stage) == Reach(sockets=1)
    [notice] = client.heard()
    assert json.loads(notice.removeprefix("notice permissions ")) == {
        "user": "ada",
        "permissions": ["orders.*", "!orders.read"],
    }
    client.say("call 2 orders")
    client.say("call 3 open")
    assert client.faults() == [("2", "forbidden")]
    assert [call.event for call in stage.link.calls] == ["open"]
    await stage.gateway.identities.grant("ada", "orders.read")
    client.say("call 4 orders")
    assert stage.link.calls[-1].event == "orders"


async def test_a_revoke_reaches_all_sockets_of_one_user_and_nobody_else(data):
    stage = guarded(ORDERS, data=data)
    first, second, other = reader(stage), reader(stage), reader(stage, "bob")
    assert (await revoke(stage)).sockets == 2
    assert len(first.heard()) == len(second.heard()) == 1
    assert other.heard() == []
    other.say("call 2 orders")
    assert len(stage.link.calls) == 1


async def test_what_changes_nothing_is_not_told(data):
    stage = guarded(data=data)
    client = reader(stage)
    await revoke(stage, "something.else")
    assert client.heard() == []


async def test_a_new_token_does_not_bring_back_what_was_revoked(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    await revoke(stage)
    refresh(stage, client, known("ada", ["orders.read"]))
    client.heard()
    client.say("call 1001 orders")
    assert client.faults() == [("1001", "forbidden")]
    again = stage.client()
    assert enter(stage, again, known("ada", ["orders.read"]))["permissions"] == []


@pytest.mark.fault("A7")
async def test_a_call_that_runs_is_left_to_finish_and_nothing_of_it_arrives(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    client.say("call 2 orders")
    [call] = stage.link.calls
    assert await revoke(stage) == Reach(sockets=1, calls=1)
    assert client.faults() == [("2", "revoked")]
    assert ("cancel", call.sequence) not in stage.link.said
    stage.gateway.emit(Send(client.peer.id, "news", b"1", None, call.sequence))
    stage.answer(call, "secret")
    stage.gateway.emit(Send(client.peer.id, "news", b"1", None, call.sequence))
    assert client.heard() == []
    assert not stage.gateway.calls._left


@pytest.mark.fault("A7")
async def test_a_call_that_is_left_still_has_its_deadline(data):
    stage = guarded(announce("orders", requires=READ, timeout=0.02), data=data)
    client = reader(stage)
    client.say("call 2 orders")
    [call] = stage.link.calls
    await revoke(stage)
    await asyncio.wait_for(stage.link.hears("cancel", call.sequence), 10)
    assert client.faults() == [("2", "revoked")]
    assert not stage.gateway.calls._left
    assert not call.lane.open


async def test_what_a_call_that_is_left_says_to_others_arrives(data):
    stage = guarded(ORDERS, data=data)
    client, other = reader(stage), reader(stage, "bob")
    client.say("call 2 orders")
    [call] = stage.link.calls
    await revoke(stage)
    stage.gateway.emit(Send(other.peer.id, "news", b"1", None, call.sequence))
    assert other.heard() == ["push - news 1"]


async def test_a_stream_ends_and_nothing_of_it_arrives(data):
    stage = guarded(FEED, data=data)
    client = reader(stage)
    client.say("call 2 feed")
    [call] = stage.link.calls
    assert await revoke(stage) == Reach(sockets=1, streams=1)
    assert ("cancel", call.sequence) in stage.link.said
    stage.gateway.item(call.sequence, b"1")
    stage.gateway.emit(Send(client.peer.id, "news", b"1", None, call.sequence))
    [error, notice] = client.heard()
    assert error.startswith('error 2 {"code":"revoked"')
    assert notice.startswith("notice permissions ")


async def test_calls_that_wait_for_their_key_never_begin(data):
    stage = guarded(announce("orders", requires=READ, order="socket"), data=data)
    client = reader(stage)
    client.say("call 2 orders")
    client.say("call 3 orders")
    [running] = stage.link.calls
    assert (await revoke(stage)).calls == 2
    assert client.faults() == [("2", "revoked"), ("3", "revoked")]
    stage.answer(running)
    await asyncio.sleep(0)
    assert len(stage.link.calls) == 1
    await stage.gateway.identities.grant("ada", "orders.read")
    client.say("call 4 orders")
    assert len(stage.link.calls) == 2


async def test_a_call_nobody_waits_for_ends_without_a_word(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    client.say("call 0 orders")
    assert (await revoke(stage)).calls == 1
    [notice] = client.heard()
    assert notice.startswith("notice permissions")
    client.say("call 0 orders")
    assert len(stage.link.calls) == 1
    assert client.heard() == []


async def test_what_one_value_of_a_field_allows_ends_with_that_value(data):
    stage = guarded(announce("shop", requires=(("orders.read:{shop}",),)), data=data)
    client = stage.client()
    enter(stage, client, known("ada", ["orders.read:*"]))
    client.say('call 2 shop {"shop":"berlin"}')
    client.say('call 3 shop {"shop":"paris"}')
    await revoke(stage, "orders.read:berlin")
    assert client.faults() == [("2", "revoked")]
    stage.answer(stage.link.calls[1], 3)
    client.say('call 4 shop {"shop":"berlin"}')
    assert client.heard()[0] == "ok 3 3"


@pytest.mark.fault("A15")
async def test_an_answer_that_is_kept_is_not_given_after_a_revoke(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    key = client.peer.key
    client.say("call 2 orders")
    client.say("call 3 orders")
    stage.answer(stage.link.calls[0], "secret")
    client.leave()
    assert (await revoke(stage)) == Reach(sockets=0, calls=1)
    stage.answer(stage.link.calls[1], "secret")
    stage.link.calls.clear()
    back = stage.client()
    welcome = enter(stage, back, known("ada", ["orders.*"]), resume=key, open={"2": 0, "3": 0})
    assert welcome["resumed"]
    assert back.faults() == [("2", "revoked"), ("3", "revoked")]


async def test_a_grant_or_revoke_that_is_none_changes_nothing(data):
    stage = guarded(data=data)
    with pytest.raises(PlugsockError):
        await revoke(stage, "not a permission")
    assert not (data / "grants.json").exists()


# What plugs ask for.


async def test_a_plug_hears_what_its_revoke_has_reached_after_it_is_done(data):
    stage = guarded(ORDERS, data=data)
    client = reader(stage)
    stage.gateway.ask(1, 0, Revoke("ada", "orders.read"))
    await asyncio.wait_for(stage.link.hears("told", 1, Reply(Reach(sockets=1))), 10)
    assert len(client.heard()) == 1
    stage.gateway.ask(2, 0, Grant("ada", "not a permission"))
    async with asyncio.timeout(10):
        while (said := stage.link.said[-1])[1] != 2:  # noqa: ASYNC110 - what it says is not known
            await asyncio.sleep(0)
    assert said[2].error


async def test_a_fence_is_waited_for_and_who_does_not_answer_is_cut_off(data):
    stage = guarded(data=data)
    quick, slow, other = reader(stage), reader(stage), reader(stage, "bob")
    asked = Tasks("test").spawn("revoke", revoke(stage, fence_s=0.05))
    async with asyncio.timeout(10):
        while not quick.wire.fences:  # noqa: ASYNC110 - the revoke is written down in a thread
            await asyncio.sleep(0)
    assert not asked.done()
    quick.wire.fences[0]()
    assert (await asked).sockets == 2
    assert quick.wire.closed is None
    assert slow.wire.closed == (1006, "")
    assert other.wire.fences == []
