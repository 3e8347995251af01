"""Each call gets exactly one terminal answer, whatever happens to it."""

import asyncio
import json

import msgspec
import pytest

from plugsock.gateway.calls import DEFAULT_CREDIT
from plugsock.model import MSGPACK, Fault, Kind
from plugsock.rpc.frames import ERROR, EXPLAIN, MOCK, OK, SILENT
from support.identified import enter, guarded, known, refresh
from support.scripted import Stage, announce


async def test_a_call_reaches_the_worker_as_it_came():
    stage = Stage(announce("chat.send", "abc"))
    client = stage.client()
    client.say('call 7 chat.send {"text": "hi  there"}')
    [call] = stage.link.calls
    assert (call.event, call.revision, call.payload) == ("chat.send", "abc", b'{"text": "hi  there"}')
    assert call.socket == client.peer.id
    stage.answer(call, {"n": 1})
    assert client.heard() == ['ok 7 {"n":1}']
    assert not stage.gateway.calls.by_sequence
    assert not client.peer.session.calls


async def test_the_worker_hears_of_a_socket_before_its_first_call_and_once():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a {}")
    client.say("call 2 a {}")
    assert [said for said in stage.link.said if said[0] == "socket"] == [("socket", client.peer.id)]


async def test_a_binary_call_is_answered_in_its_format():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say(b"call 1 a \x80", binary=True)
    [call] = stage.link.calls
    assert call.format == MSGPACK
    stage.answer(call, [1])
    assert client.wire.frames == [(True, b"ok 1 \x91\x01")]


async def test_an_empty_result_has_no_payload():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    stage.gateway.answer(stage.link.calls[0].sequence, OK, b"", 0.0, None)
    assert client.heard() == ["ok 1"]


async def test_a_second_answer_is_dropped():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    stage.answer(stage.link.calls[0], 1)
    stage.answer(stage.link.calls[0], 2)
    assert client.heard() == ["ok 1 1"]


async def test_an_error_of_the_plug_is_passed_on():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    stage.answer(stage.link.calls[0], error="out_of_stock")
    assert client.faults() == [("1", "out_of_stock")]


@pytest.mark.fault("W23")
async def test_an_id_that_is_open_is_not_opened_again():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 7 a")
    client.say("call 7 a")
    [frame] = client.heard()
    assert frame.startswith("error 0 ")
    assert json.loads(frame.removeprefix("error 0 "))["id"] == "7"
    assert len(stage.link.calls) == 1


async def test_more_calls_than_the_limit_are_refused_and_the_socket_goes_on():
    stage = Stage(announce("a"), max_open=2)
    client = stage.client()
    for id in (1, 2, 3):
        client.say(f"call {id} a")
    assert client.faults() == [("3", "limit")]
    stage.answer(stage.link.calls[0])
    client.say("call 4 a")
    assert len(stage.link.calls) == 3


async def test_options_travel_with_the_call():
    stage = Stage(announce("a"), dev=True)
    client = stage.client()
    client.say("call 1 a?explain&mock&key=k1&trace=00-ab&credit=5 {}")
    [call] = stage.link.calls
    assert (call.flags, call.key, call.trace, call.credit) == (EXPLAIN | MOCK, "k1", "00-ab", 5)


async def test_a_call_nobody_waits_for_gets_no_answer():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 0 a {}")
    client.say("call 0 a {}")
    client.say("call 0 missing {}")
    assert [call.flags for call in stage.link.calls] == [SILENT, SILENT]
    stage.answer(stage.link.calls[0], 1)
    stage.answer(stage.link.calls[1], error="no")
    assert client.heard() == []
    assert stage.gateway.ledger.read()["a"]["failed"] == 1


async def test_a_call_past_its_deadline_is_answered_and_cancelled():
    stage = Stage(announce("slow", timeout=0.05))
    client = stage.client()
    client.say("call 1 slow")
    started = asyncio.get_running_loop().time()
    await client.arrival()
    assert asyncio.get_running_loop().time() - started >= 0.049
    [fault] = [json.loads(frame.split(" ", 2)[2]) for frame in client.heard()]
    assert (fault["code"], fault["retry"]) == ("timeout", False)
    assert ("cancel", stage.link.calls[0].sequence) in stage.link.said
    stage.answer(stage.link.calls[0], "late")
    assert client.heard() == []


async def test_a_timeout_may_be_tried_again_if_the_plug_says_so():
    stage = Stage(announce("slow", timeout=0.01, idempotent=True))
    client = stage.client()
    client.say("call 1 slow")
    await client.arrival()
    assert '"retry":true' in client.heard()[0]


async def test_a_client_shortens_a_deadline_and_never_lengthens_it():
    stage = Stage(announce("slow", timeout=5.0))
    client = stage.client()
    client.say("call 1 slow?timeout=0.12")
    client.say("call 2 slow?timeout=60")
    first, second = stage.gateway.calls.by_sequence.values()
    assert first.lane.timeout_s == pytest.approx(0.15)
    assert second.lane.timeout_s == 5.0


async def test_the_numbers_are_counted():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a 12345")
    stage.answer(stage.link.calls[0], "four")
    row = stage.gateway.ledger.read()["a"]
    assert row == {"answered": 1, "failed": 0, "ran_s": 0.001, "bytes_in": 5, "bytes_out": 6, "items": 0}


def stream_stage(**more: object) -> Stage:
    return Stage(announce("ticks", kind=Kind.STREAM, **more))


async def test_a_stream_sends_items_then_its_end():
    stage = stream_stage()
    client = stage.client()
    client.say("call 1 ticks")
    [call] = stage.link.calls
    assert call.credit == DEFAULT_CREDIT
    stage.gateway.item(call.sequence, b"1")
    stage.gateway.item(call.sequence, b"2")
    stage.gateway.answer(call.sequence, OK, b"", 0.0, None)
    stage.gateway.item(call.sequence, b"3")
    assert client.heard() == ["item 1 1", "item 1 2", "ok 1"]


async def test_credit_is_passed_on():
    stage = stream_stage()
    client = stage.client()
    client.say("call 1 ticks?credit=1")
    client.say("more 1 5")
    client.say("more 9 5")
    assert [said for said in stage.link.said if said[0] == "more"] == [("more", stage.link.calls[0].sequence, 5)]


async def test_a_stream_s_deadline_counts_only_while_an_item_is_asked_for():
    stage = stream_stage(timeout=0.05)
    client = stage.client()
    client.say("call 1 ticks?credit=1")
    [call] = stage.gateway.calls.by_sequence.values()
    stage.gateway.item(call.sequence, b"1")
    assert not call.lane.open
    client.say("more 1 1")
    assert call.lane.open
    client.heard()
    await client.arrival()
    assert client.faults() == [("1", "timeout")]


async def test_a_stream_of_a_congested_socket_is_held_and_its_deadline_with_it():
    stage = stream_stage()
    client = stage.client()
    client.say("call 1 ticks")
    [call] = stage.gateway.calls.by_sequence.values()
    client.peer.congested(congested=True)
    assert not call.lane.open
    stage.gateway.item(call.sequence, b"1")
    assert not call.lane.open
    client.peer.congested(congested=False)
    assert call.lane.open
    held = [said[2] for said in stage.link.said if said[0] == "hold"]
    assert held == [True, False]


async def test_cancel_answers_at_once_and_tells_the_worker():
    stage = stream_stage()
    client = stage.client()
    client.say("call 1 ticks")
    client.say("cancel 1")
    client.say("cancel 1")
    assert client.faults() == [("1", "cancelled")]
    assert stage.link.said[-1] == ("cancel", stage.link.calls[0].sequence)


async def test_a_caller_without_a_session_that_leaves_ends_its_calls():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.leave()
    assert [said[0] for said in stage.link.said if said[0] in {"cancel", "forget"}] == ["cancel", "forget"]
    assert not stage.gateway.calls.by_sequence


async def test_calls_that_nobody_waits_for_count_and_end_with_their_socket():
    stage = Stage(announce("a"), max_open=2)
    client = stage.client()
    for _ in range(5):
        client.say("call 0 a")
    assert len(stage.link.calls) == 2
    stage.answer(stage.link.calls[0])
    client.leave()
    assert not stage.gateway.calls.by_sequence
    assert not client.peer.session.calls


async def test_what_a_pool_answers_in_a_worker_s_place_counts_as_failed():
    stage = Stage(announce("a"))
    client = stage.client()
    lost = Fault("worker_lost", "Gone.", retry=True, started=False)
    stage.link.call = lambda call: stage.gateway.answer(call.sequence, ERROR, msgspec.json.encode(lost), 0.0, None)
    client.say("call 1 a 12345")
    client.say("call 0 a 12345")
    [frame] = client.heard()
    assert json.loads(frame.removeprefix("error 1 ")) == {
        "code": "worker_lost",
        "message": "Gone.",
        "retry": True,
        "started": False,
    }
    row = stage.gateway.ledger.read()["a"]
    assert (row["answered"], row["failed"], row["bytes_in"], row["ran_s"]) == (0, 2, 10, 0.0)
    assert not stage.gateway.calls.by_sequence
    assert not client.peer.session.calls


# Calls that are said anew, because they have not begun.


async def again(before, after, permissions=("p",)):
    """A call of one who has these permissions, of an event that a swap changes before it has begun."""
    stage = guarded(announce("a", **before))
    client = stage.client()
    enter(stage, client, known("ada", permissions))
    client.say("call 2 a {}")
    stage.swap(announce("a", "r2", **after))
    client.heard()
    stage.gateway.again(stage.link.calls.pop().sequence)
    return stage, client


async def test_a_call_that_has_not_begun_needs_what_its_event_requires_by_now():
    stage, client = await again({}, {"requires": (("q",),)})
    assert client.faults() == [("2", "forbidden")]
    assert stage.link.calls == []
    assert not stage.gateway.calls.by_sequence


async def test_a_call_that_has_not_begun_and_is_still_allowed_begins_and_its_answer_is_protected():
    stage, client = await again({}, {"requires": (("p",),)})
    [call] = stage.link.calls
    assert call.revision == "r2"
    stage.answer(call, 1)
    [(_, frame)] = client.wire.frames
    assert frame.needs == (("p",),)


async def test_a_call_that_was_revoked_before_it_began_never_does_and_frees_its_key():
    stage = guarded(announce("a", requires=(("p",),), order="socket"))
    client = stage.client()
    enter(stage, client, known("ada", ["p", "q"]))
    client.say("call 2 a {}")
    [call] = stage.link.calls
    refresh(stage, client, known("ada", ["q"]))
    stage.swap(announce("a", "r2", requires=(("q",),), order="socket"))
    stage.gateway.again(call.sequence)
    client.heard()
    client.say("call 1001 a {}")
    await asyncio.sleep(0)
    assert [begun.id for begun in stage.link.calls] == [b"2", b"1001"]
    assert not stage.gateway.calls._left
