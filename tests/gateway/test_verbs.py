"""Everything a client may say besides a plain call."""

import json

import pytest

from plugsock.model import Kind
from support.identified import guarded
from support.scripted import Stage, announce


async def test_ping_is_answered_with_pong():
    client = Stage().client()
    client.say("ping")
    assert client.heard() == ["pong"]


@pytest.mark.fault("W22")
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "__class__", "__proto__", "os.system", "a.b", "CHAT.send", "a..b"]
)
async def test_only_a_name_in_the_table_is_an_event(name):
    stage = Stage(announce("chat.send"))
    client = stage.client()
    client.say(f"call 1 {name} {{}}")
    assert client.faults() == [("1", "not_found")]
    assert not stage.link.calls


@pytest.mark.fault("W23", "W24")
@pytest.mark.parametrize(
    "frame", ["ok 1 {}", "welcome 1 {}", "push - a {}", "item 4 1", "call x a {}", "nonsense", "", "{}"]
)
async def test_what_is_no_client_frame_is_one_error_and_the_socket_stays(frame):
    stage = Stage(announce("a"))
    client = stage.client()
    client.say(frame)
    assert client.faults() == [("0", "bad_frame")]
    assert client.wire.closed is None
    client.say("call 1 a")
    assert len(stage.link.calls) == 1


async def test_an_event_that_a_swap_removed_is_gone_until_it_is_back():
    stage = Stage(announce("a"))
    client = stage.client()
    stage.swap(gone=["a"])
    client.heard()
    client.say("call 1 a")
    assert client.faults() == [("1", "gone")]
    stage.swap(announce("a", "r2"))
    client.say("call 2 a")
    assert [call.revision for call in stage.link.calls] == ["r2"]


@pytest.mark.parametrize("frame", ["watch 1 orders {}", "join 1 room", "leave 1 room"])
async def test_what_nobody_offers_is_not_found(frame):
    client = Stage().client()
    client.say(frame)
    assert client.faults() == [("1", "not_found")]


async def test_a_token_is_refused_where_nobody_reads_tokens():
    client = Stage().client()
    client.hello()
    client.say('token 9 plugsock {"token":"t"}')
    assert client.faults() == [("9", "unauthorized")]


async def test_hello_is_refused_behind_another_frame():
    client = Stage().client()
    client.say("ping")
    client.say("hello 1 plugsock {}")
    assert client.heard()[0] == "pong"
    client.say("token 2 plugsock {}")
    assert client.faults() == [("0", "bad_frame")]


async def test_hello_is_said_to_plugsock():
    client = Stage().client()
    client.say("hello 1 somebody {}")
    assert client.faults() == [("0", "bad_frame")]
    assert client.hello()["session"]


@pytest.mark.parametrize("count", ["0", "1000001", "x", "-1"])
async def test_more_takes_a_number_of_items(count):
    stage = Stage(announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    client.say("call 1 ticks")
    client.say(f"more 1 {count}")
    assert client.faults() == [("0", "bad_frame")]


async def test_more_for_a_call_or_for_nothing_is_a_race_and_no_error():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.say("more 1 5")
    client.say("more 2 5")
    assert client.heard() == []


async def test_a_stream_can_t_be_called_without_an_answer():
    stage = Stage(announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    client.say("call 0 ticks")
    assert not stage.link.calls
    assert client.heard() == []


async def test_a_draining_server_takes_no_calls():
    stage = Stage(announce("a"))
    client = stage.client()
    stage.gateway.verbs.closing = True
    stage.gateway.routes.close()
    client.say("call 1 a")
    [frame] = client.heard()
    fault = json.loads(frame.split(" ", 2)[2])
    assert (fault["code"], fault["retry"], fault["after_ms"]) == ("overloaded", True, 1000)


@pytest.mark.parametrize("say", ["call 7 nothing", "watch 7 nothing", "join 7 nothing", "leave 7 nothing"])
async def test_who_has_not_said_hello_does_not_find_out_what_there_is(say):
    client = guarded(announce("a")).client()
    client.say(say)
    assert client.faults() == [("7", "unauthorized")]
