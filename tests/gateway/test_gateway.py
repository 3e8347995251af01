"""What plugs say on their own, and what everybody hears of it."""

import json

import msgspec
import pytest

from plugsock.gateway.protected import Protected
from plugsock.model import Kind
from plugsock.rpc.frames import Broadcast, Kick, Send
from support.identified import enter, guarded, known
from support.scripted import Stage, announce


async def test_a_push_goes_to_one_socket():
    stage = Stage()
    one, other = stage.client(), stage.client()
    stage.gateway.emit(Send(one.peer.id, "chat.message", b'{"a":1}', None, 0))
    stage.gateway.emit(Send("nobody", "chat.message", b"{}", None, 0))
    assert one.heard() == ['push - chat.message {"a":1}']
    assert other.heard() == []


async def test_a_broadcast_reaches_each_socket_in_its_format():
    stage = Stage()
    text, binary = stage.client(), stage.client()
    binary.hello(format="msgpack")
    stage.gateway.emit(Broadcast("news", b"[1]", b"\x91\x01", 0))
    assert text.heard() == ["push - news [1]"]
    assert binary.wire.frames == [(True, b"push - news \x91\x01")]


async def test_a_push_encoded_before_anybody_wanted_messagepack_is_encoded_again():
    stage = Stage()
    client = stage.client()
    client.hello(format="msgpack")
    stage.gateway.emit(Send(client.peer.id, "news", b'{"a":[1]}', None, 0))
    [(_, frame)] = client.wire.frames
    assert msgspec.msgpack.decode(frame.removeprefix(b"push - news ")) == {"a": [1]}


async def test_a_kick_closes_the_socket():
    stage = Stage()
    client = stage.client()
    stage.gateway.emit(Kick(client.peer.id, 4502, "Bye.", 0))
    stage.gateway.emit(Kick("nobody", 4502, "Bye.", 0))
    assert client.wire.closed == (4502, "Bye.")


async def test_the_gateway_is_ready_once_the_plugs_are_loaded():
    stage = Stage()
    assert stage.gateway.ready.is_set()


# What somebody must be allowed to, to see it.

READ = (("p",),)


async def test_what_a_call_sends_to_its_caller_is_seen_by_whoever_may_see_its_answer():
    stage = guarded(announce("a", requires=READ), announce("b"))
    ada, bob = stage.client(), stage.client()
    enter(stage, ada, known("ada", ["p"]))
    enter(stage, bob, known("bob"))
    ada.say("call 2 a")
    ada.say("call 3 b")
    guarded_call, open_call = stage.link.calls
    for client, call in ((ada, guarded_call), (ada, open_call), (bob, guarded_call)):
        stage.gateway.emit(Send(client.peer.id, "news", b"1", None, call.sequence))
    assert [getattr(frame, "needs", ()) for _, frame in ada.wire.frames] == [READ, ()]
    assert [getattr(frame, "needs", ()) for _, frame in bob.wire.frames] == [()]


async def test_answers_and_items_know_what_it_takes_to_see_them():
    stage = guarded(announce("a", requires=READ), announce("s", kind=Kind.STREAM, requires=READ), announce("b"))
    ada = stage.client()
    enter(stage, ada, known("ada", ["p"]))
    for number, name in enumerate(["a", "a", "s", "b"], 2):
        ada.say(f"call {number} {name}")
    answered, failed, stream, public = stage.link.calls
    stage.answer(answered, 1)
    stage.answer(failed, error="own")
    stage.gateway.item(stream.sequence, b"1")
    stage.answer(public, 1)
    assert [type(frame) for _, frame in ada.wire.frames] == [Protected, Protected, Protected, bytes]


@pytest.mark.parametrize("end", ["cancel 2", "leave"])
async def test_what_is_on_its_way_from_a_call_that_was_ended_is_not_delivered(end):
    stage = Stage(announce("a"))
    client, other = stage.client(), stage.client()
    client.say("call 2 a")
    [call] = stage.link.calls
    if end == "leave":
        client.leave()
    else:
        client.say(end)
        client.heard()
    for to in (client, other):
        stage.gateway.emit(Send(to.peer.id, "news", b"1", None, call.sequence))
    assert client.heard() == other.heard() == []


async def test_of_what_a_swap_has_changed_everybody_hears_what_they_may_call():
    stage = guarded(announce("a", requires=READ), announce("b"), announce("f", requires=(("f:{x}",),)))
    ada, bob, stranger = stage.client(), stage.client(), stage.client()
    enter(stage, ada, known("ada", ["p"]))
    enter(stage, bob, known("bob"))
    stage.swap(announce("b", "r2"), announce("f", "r2", requires=(("f:{x}",),)), gone=["a"])
    changed = [[json.loads(frame.split(" ", 2)[2])["changed"] for frame in who.heard()] for who in (ada, bob, stranger)]
    assert changed == [[["a", "b", "f"]], [["b", "f"]], []]
    stage.swap(announce("a", requires=READ))
    assert (len(ada.heard()), len(bob.heard())) == (1, 0)
