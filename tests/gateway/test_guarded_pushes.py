"""Pushes that require something: who gets them, and what becomes of those that wait when that is revoked."""

import pytest

from plugsock.gateway.protected import Protected
from plugsock.rpc.frames import Broadcast, Send
from support.identified import ORDERS, READ, enter, guarded, known, reader
from support.scripted import Stage, announce

SALES = (("sales.read", "sales.*"),)


@pytest.fixture
def data(tmp_path):
    return tmp_path


def slow(client):
    """Let what is sent to a client wait, so that it can be taken back."""

    def withhold(may_see, instead):
        kept = ((binary, frame if may_see(frame) else instead(binary, frame)) for binary, frame in client.wire.frames)
        client.wire.frames = [(binary, frame) for binary, frame in kept if frame is not None]

    client.wire.withhold = withhold


def needs(client):
    return [getattr(frame, "needs", ()) for _, frame in client.wire.frames]


# One socket.


@pytest.mark.fault("A11")
async def test_a_push_goes_to_a_socket_only_if_its_user_has_what_it_requires(data):
    stage = guarded(data=data)
    ada, bob = reader(stage), stage.client()
    enter(stage, bob, known("bob"))
    for client in (ada, bob):
        stage.gateway.emit(Send(client.peer.id, "news", b"1", None, 0, READ))
    assert (ada.heard(), bob.heard()) == (["push - news 1"], [])


async def test_who_has_not_said_who_they_are_gets_nothing_that_requires_anything(data):
    stage = Stage(announce("a"), data=data)
    client = stage.client()
    stage.gateway.emit(Send(client.peer.id, "news", b"1", None, 0, READ))
    stage.gateway.emit(Broadcast("news", b"1", None, 0, READ))
    stage.gateway.emit(Broadcast("news", b"2", None, 0))
    assert client.heard() == ["push - news 2"]


async def test_what_a_call_sends_to_its_caller_needs_what_the_call_needs_too(data):
    stage = guarded(ORDERS, data=data)
    ada, bob = stage.client(), stage.client()
    enter(stage, ada, known("ada", ["orders.read", "sales.*"]))
    enter(stage, bob, known("bob", ["sales.read"]))
    ada.say("call 2 orders")
    [call] = stage.link.calls
    for client in (ada, bob):
        stage.gateway.emit(Send(client.peer.id, "news", b"1", None, call.sequence, SALES))
    assert (needs(ada), needs(bob)) == ([(*READ, *SALES)], [SALES])


# Everybody.


@pytest.mark.fault("A11")
async def test_a_broadcast_reaches_those_who_have_what_it_requires_and_is_encoded_once(data):
    stage = guarded(data=data)
    ada, ann = reader(stage), reader(stage, "ann")
    bob, stranger = stage.client(), stage.client()
    enter(stage, bob, known("bob"))
    stage.gateway.emit(Broadcast("news", b"1", None, 0, READ))
    [(_, first)], [(_, second)] = ada.wire.frames, ann.wire.frames
    assert first is second
    assert isinstance(first, Protected)
    assert (first, first.needs) == (b"push - news 1", READ)
    assert bob.heard() == stranger.heard() == []


async def test_a_broadcast_that_requires_something_reaches_each_in_its_format(data):
    stage = guarded(data=data)
    text, binary = reader(stage), reader(stage, "ann", format="msgpack")
    stage.gateway.emit(Broadcast("news", b"1", b"\x01", 0, READ))
    assert text.wire.frames == [(False, b"push - news 1")]
    assert binary.wire.frames == [(True, b"push - news \x01")]
    assert needs(text) == needs(binary) == [READ]


# What is revoked.


@pytest.mark.fault("A6", "A11")
async def test_a_revoke_takes_back_the_pushes_that_wait_and_those_that_come_do_not_arrive(data):
    stage = guarded(data=data)
    ada, ann = reader(stage), reader(stage, "ann")
    slow(ada)
    slow(ann)

    def push(text):
        stage.gateway.emit(Send(ada.peer.id, "news", text, None, 0, READ))
        stage.gateway.emit(Broadcast("news", text, None, 0, READ))
        stage.gateway.emit(Broadcast("weather", text, None, 0))

    push(b"1")
    await stage.gateway.identities.revoke("ada", "orders.read")
    push(b"2")
    weather_1, notice, weather_2 = ada.heard()
    assert (weather_1, weather_2) == ("push - weather 1", "push - weather 2")
    assert notice.startswith("notice permissions ")
    assert ann.heard() == ["push - news 1", "push - weather 1", "push - news 2", "push - weather 2"]
    await stage.gateway.identities.grant("ada", "orders.read")
    ada.heard()
    push(b"3")
    assert ada.heard() == ["push - news 3", "push - news 3", "push - weather 3"]
