"""The beginning of a session, and its taking up by a client that lost the socket."""

import json

import pytest

from plugsock.hub.sessions import KEEP_S
from plugsock.model import Kind
from support.scripted import Stage, announce


async def test_welcome_says_what_a_client_should_know():
    stage = Stage(announce("a"))
    welcome = stage.client().hello(v=1, something="new")
    assert welcome["resumed"] is False
    assert welcome["limits"] == {"message": 1 << 20, "answer": 16 << 20, "calls": 128, "watches": 128, "timeout": 30.0}
    assert welcome["shapes"] == stage.gateway.routes.shapes
    assert welcome["session"]
    assert welcome["resume"]


@pytest.mark.parametrize(
    "payload", ['{"v":2}', '{"format":"xml"}', "[", "1", '{"open":[1]}', f'{{"shapes":"{"x" * 65}"}}']
)
async def test_a_hello_that_does_not_fit_is_refused_and_may_be_said_again(payload):
    client = Stage().client()
    client.say(f"hello 1 plugsock {payload}")
    assert client.faults() == [("1", "bad_payload")]
    assert client.hello()["session"]


async def test_ids_only_grow_within_a_session():
    stage = Stage(announce("a"))
    client = stage.client()
    client.hello()
    client.say("call 5 a")
    stage.answer(stage.link.calls[0])
    client.heard()
    client.say("call 5 a")
    client.say("call 4 a")
    assert client.faults() == [("0", "bad_frame"), ("0", "bad_frame")]


async def test_what_a_client_was_built_for_is_kept_and_said_anew_when_it_comes_back():
    stage = Stage()
    client = stage.client()
    welcome = client.hello(shapes="5d41402abc4b")
    assert client.peer.shapes == "5d41402abc4b"
    client.leave()

    stage.client().hello(resume=welcome["resume"], shapes="9e107d9d372b")
    assert client.peer.shapes == "9e107d9d372b"


async def test_the_wish_for_messagepack_reaches_the_worker_once():
    stage = Stage()
    first, second = stage.client(), stage.client()
    first.hello(format="msgpack")
    second.hello(format="msgpack")
    first.leave()
    second.leave()
    assert [said for said in stage.link.said if said[0] == "formats"] == [("formats", True), ("formats", False)]


async def test_a_client_that_comes_back_learns_what_became_of_each_id():
    stage = Stage(announce("a"), announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    welcome = client.hello()
    client.say("call 2 a")
    client.say("call 3 a")
    client.say("call 4 ticks")
    answered, running, _stream = stage.link.calls
    client.leave()
    stage.answer(answered, "two")

    back = stage.client()
    again = back.hello(resume=welcome["resume"], open={"2": 0, "3": 0, "4": 7, "5": 0, "x": 0})
    assert (again["resumed"], again["session"]) == (True, welcome["session"])
    assert again["resume"] != welcome["resume"]
    first, *rest = back.heard()
    assert first == 'ok 2 "two"'
    assert [(frame.split(" ")[1], json.loads(frame.split(" ", 2)[2])["code"]) for frame in rest] == [
        ("4", "unknown_outcome"),
        ("5", "not_received"),
    ]
    stage.answer(running, "three")
    assert back.heard() == ['ok 3 "three"']
    back.say("call 6 a")
    assert len(stage.link.calls) == 4


async def test_what_was_not_received_is_told_again_to_who_did_not_hear_of_it():
    stage = Stage(announce("a"))
    client = stage.client()
    key = client.hello()["resume"]
    client.leave()
    back = stage.client()
    key = back.hello(resume=key, open={"7": 0})["resume"]
    back.say("call 8 a")
    back.leave()  # before it has read any of that

    again = stage.client()
    again.hello(resume=key, open={"7": 0, "8": 0})

    assert again.faults() == [("7", "not_received")]


async def test_an_id_that_was_not_received_is_not_used_again():
    stage = Stage(announce("a"))
    client = stage.client()
    key = client.hello()["resume"]
    client.leave()
    back = stage.client()
    back.hello(resume=key, open={"7": 0})
    back.heard()
    back.say("call 7 a")
    assert back.faults() == [("0", "bad_frame")]


async def test_a_resume_key_is_good_for_one_use():
    stage = Stage()
    client = stage.client()
    key = client.hello()["resume"]
    client.leave()
    assert stage.client().hello(resume=key)["resumed"] is True
    assert stage.client().hello(resume=key)["resumed"] is False


async def test_a_session_is_taken_over_from_a_socket_that_is_still_open():
    stage = Stage(announce("a"))
    old = stage.client()
    welcome = old.hello()
    old.say("call 2 a")
    new = stage.client()
    assert new.hello(resume=welcome["resume"], open={"2": 0})["resumed"] is True
    assert old.wire.closed is not None
    old.leave()
    stage.answer(stage.link.calls[0], 1)
    assert new.heard() == ["ok 2 1"]
    assert len(stage.gateway.peers) == 1


async def test_a_session_that_nobody_takes_up_is_forgotten(monkeypatch):
    monkeypatch.setattr("plugsock.hub.sessions.KEEP_S", 0.0)
    monkeypatch.setattr("plugsock.gateway.gateway._SWEEP_S", 0.0)
    stage = Stage(announce("a"))
    client = stage.client()
    key = client.hello()["resume"]
    client.say("call 2 a")
    client.leave()
    await stage.link.hears("forget", client.peer.id)
    assert stage.link.said[-2][0] == "cancel"
    assert stage.client().hello(resume=key)["resumed"] is False


def test_a_session_is_kept_for_as_long_as_the_protocol_says():
    assert KEEP_S == 60.0


async def test_a_session_that_is_gone_knows_nothing_of_any_id():
    client = Stage().client()
    assert client.hello(resume="expired", open={"7": 0})["resumed"] is False
    assert client.faults() == [("7", "unknown_outcome")]


async def test_a_session_that_was_congested_is_not_held_when_it_comes_back():
    stage = Stage(announce("a"), announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    key = client.hello()["resume"]
    client.say("call 2 a")
    client.peer.congested(congested=True)
    client.leave()
    stage.client().hello(resume=key)
    assert [said[2] for said in stage.link.said if said[0] == "hold"] == [True, False]


async def test_a_stream_ends_when_another_socket_takes_its_session_over():
    stage = Stage(announce("ticks", kind=Kind.STREAM))
    old = stage.client()
    key = old.hello()["resume"]
    old.say("call 2 ticks")
    old.peer.congested(congested=True)
    new = stage.client()
    new.hello(resume=key, open={"2": 1})
    assert new.faults() == [("2", "unknown_outcome")]
    assert not new.peer.held
    assert stage.link.said[-1][0] == "cancel"


async def test_the_end_of_a_stream_does_not_say_that_all_its_items_have_arrived():
    stage = Stage(announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    key = client.hello()["resume"]
    client.say("call 2 ticks")
    [stream] = stage.link.calls
    stage.gateway.item(stream.sequence, b"1")
    stage.answer(stream, None)
    client.leave()  # before it has read any of that
    back = stage.client()
    back.hello(resume=key, open={"2": 0})
    assert back.faults() == [("2", "unknown_outcome")]


async def test_ids_count_on_in_a_session_that_takes_the_place_of_one_that_is_gone():
    stage = Stage(announce("a"))
    client = stage.client()
    key = client.hello(resume="expired", open={"7": 0})["resume"]
    client.leave()  # before it has read what became of the call
    back = stage.client()
    back.hello(resume=key, open={"7": 0, "8": 0})
    assert back.faults() == [("7", "unknown_outcome"), ("8", "not_received")]


async def test_taking_over_counts_nobody_twice():
    stage = Stage()
    old = stage.client()
    key = old.hello(format="msgpack")["resume"]
    new = stage.client()
    new.hello(format="msgpack", resume=key)
    old.leave()
    new.leave()
    assert not stage.gateway.peers.want_binary


@pytest.mark.parametrize("payload", ['{"x":' + "[" * 100_000, json.dumps({"open": dict.fromkeys(range(1, 300), 0)})])
async def test_a_hello_that_costs_too_much_is_refused(payload):
    client = Stage().client()
    client.say(f"hello 1 plugsock {payload}")
    assert client.faults() == [("1", "bad_payload")]
