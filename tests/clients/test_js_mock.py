"""Conversations with the mock of the JavaScript client, frame by frame, without a server."""

import json
from itertools import pairwise

import pytest

from support.folder_shapes import schema
from support.js_build import needs_build
from support.js_mock import run

pytestmark = needs_build

SHOP = """
from typing import AsyncIterator

topic("room.*", presence=True)
topic("room.quiet")
topic("news")

class Order(Struct, forbid_unknown_fields=True):
    sku: str
    count: int = 1

class Receipt(Struct):
    number: int
    sku: str

@plug
async def place(order: Order) -> Receipt:
    raise AssertionError

@plug
async def ping(times: int = 1) -> int:
    raise AssertionError

@plug
async def turn(data: Raw) -> Raw:
    raise AssertionError

@plug
async def weigh(data: Raw) -> Receipt:
    raise AssertionError

@plug
async def feed(since: int = 0) -> AsyncIterator[Order]:
    yield Order("")

@view
async def total(day: str) -> int:
    raise AssertionError
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return schema(tmp_path_factory.mktemp("shop"), shop=SHOP)


@pytest.fixture
def talk(mock, shapes):
    """Run a script, and give what it returns; by default what was heard."""
    return lambda script: run(mock, f"{script}; return heard;", shapes=shapes)


def taken(frame, count):
    """A frame whose payload is JSON: the words of its header, and the payload."""
    *words, payload = frame.split(" ", count)
    return [*words, json.loads(payload)]


def code(frame):
    """The verb, the id and the code of an error."""
    verb, id, reason = taken(frame, 2)
    return verb, id, reason["code"]


def test_hello_is_answered_with_a_welcome_for_nobody_who_may_do_everything(talk, shapes):
    (frame,) = talk(
        'await open(); await say(\'hello 1 plugsock {"v":1,"format":"json","topics":{"news":null,"x":null}}\')'
    )

    verb, id, welcome = taken(frame, 2)
    assert (verb, id) == ("welcome", "1")
    assert welcome["user"] is None
    assert welcome["permissions"] == welcome["mock"] == ["*"]
    assert welcome["shapes"] == shapes["x-plugsock"]["shapes"]
    assert welcome["resumed"] is False
    assert welcome["topics"]["news"] == {"epoch": "", "offset": 0, "recovered": False, "members": None}
    assert welcome["topics"]["x"]["error"]["code"] == "not_found"


def test_what_was_open_on_an_earlier_socket_has_an_unknown_outcome(talk):
    frames = talk('await open(); await say(\'hello 1 plugsock {"v":1,"resume":"mock","open":{"7":0,"9":2}}\')')

    assert [code(frame) for frame in frames[1:]] == [
        ("error", "7", "unknown_outcome"),
        ("error", "9", "unknown_outcome"),
    ]


def test_hello_comes_first_or_not_at_all(talk):
    *_, frame = talk('await open(); await say("ping", "hello 1 plugsock {}")')

    assert code(frame) == ("error", "0", "bad_frame")


def test_nothing_happens_before_the_caller_is_done(talk):
    script = """
      socket = mockSocket({ shapes: given.shapes, overrides });
      const states = [socket.readyState];
      await new Promise((opened) => { socket.onopen = opened; });
      states.push(socket.readyState);
      socket.onmessage = ({ data }) => heard.push(data);
      socket.send("ping");
      states.push(heard.length);
      await settled();
      return [states, heard];
    """
    assert talk(script) == [[0, 1, 0], ["pong"]]


def test_a_call_is_answered_with_what_fits_and_the_same_for_the_same_arguments(talk):
    frames = talk("""
      await open();
      await say('call 1 shop.place {"sku":"tea","count":2}', 'call 2 shop.place {"count":2,"sku":"tea"}');
      await say('call 3 shop.place {"sku":"tea","count":3}');
    """)

    answers = [taken(frame, 2) for frame in frames]
    assert [answer[:2] for answer in answers] == [["ok", "1"], ["ok", "2"], ["ok", "3"]]
    assert answers[0][2] == answers[1][2] != answers[2][2]
    assert answers[0][2].keys() == {"number", "sku"}


@pytest.mark.parametrize(
    ("payload", "path", "message"),
    [
        ('{"sku":5}', "$.sku", "Expected `str`, got `int`."),
        ("{}", "$", "Object missing required field `sku`."),
        ('{"sku":"tea","cuont":2}', "$", "Object contains unknown field `cuont`."),
        ('{"sku":"tea","count":1.5}', "$.count", "Expected `int`, got `float`."),
        ("[]", "$", "Expected `object`, got `array`."),
        ("", "$", "Expected `object`, got `null`."),
        ("{", "$", None),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(talk, payload, path, message):
    (frame,) = talk(f"await open(); await say({'call 1 shop.place ' + payload!r})")

    _, _, reason = taken(frame, 2)
    assert (reason["code"], reason["path"]) == ("bad_payload", path)
    assert message in {None, reason["message"]}


def test_what_is_not_there_is_not_found(talk):
    frames = talk(
        'await open(); await say("call 1 shop.plcae {}", "watch 2 shop.place {}", "watch 3 x", "leave 4 news")'
    )

    assert [code(frame) for frame in frames] == [("error", str(id), "not_found") for id in (1, 2, 3, 4)]


@pytest.mark.parametrize("frame", ["shout 1 x", "call x y", "call 0", "join 1", "more 1 no", "cancel 1 x", "call 1 ä"])
def test_what_is_no_frame_is_answered_with_the_id_0(talk, frame):
    (answer,) = talk(f"await open(); await say({frame!r})")

    assert code(answer) == ("error", "0", "bad_frame")


def test_an_id_that_is_open_can_not_be_used_again(talk):
    frames = talk('await open(); await say("call 7 shop.feed", "call 7 shop.ping")')

    (refused,) = [taken(frame, 2) for frame in frames if frame.startswith("error")]
    assert (refused[1], refused[2]["code"], refused[2]["id"]) == ("0", "bad_frame", "7")


def test_a_call_with_the_id_0_has_no_answer(talk):
    assert talk('await open(); await say("call 0 shop.ping", "call 0 shop.nothing", "call 0 shop.ping 5")') == []


def test_a_stream_has_its_items_one_after_the_other(talk):
    counts = talk("""
      await open();
      await say("call 1 shop.feed");
      const counts = [heard.length];
      await pass(0.19); counts.push(heard.length);
      await pass(0.82); counts.push(heard.length);
      await pass(30);
      return [counts, heard.map((frame) => frame.split(" ")[0])];
    """)

    (first, soon, later), verbs = counts
    assert (first, soon) == (1, 1)
    assert 2 <= later <= 6
    assert set(verbs[:-1]) == {"item"}
    assert verbs[-1] == "ok"
    assert 6 <= len(verbs) <= 21


def test_a_stream_sends_no_more_than_there_is_credit_for(talk):
    frames = talk("""
      await open();
      await say("call 1 shop.feed?credit=2");
      await pass(10);
      const before = heard.length;
      await say("more 1 1");
      await pass(10);
      return [before, heard.length];
    """)

    assert frames == [2, 3]


def test_cancelling_ends_a_stream_and_a_view_and_leaves_no_timer(talk):
    verbs, left = talk("""
      await open();
      await say("call 1 shop.feed", 'watch 2 shop.total {"day":"now"}');
      await say("cancel 1", "cancel 2", "cancel 3");
      await pass(60);
      return [heard.map((frame) => frame.slice(0, 28)), timers.size];
    """)

    assert sorted(verb[:7] for verb in verbs) == ["error 1", "error 2", "item 1 ", "item 2 "]
    assert left == 0


def test_a_view_has_another_value_every_2_to_5_seconds(talk):
    frames, again = talk("""
      await open();
      await say('watch 1 shop.total {"day":"now"}');
      await pass(1.9);
      const early = heard.length;
      await pass(58);
      const all = heard.splice(0);
      await say("cancel 1", 'watch 2 shop.total {"day":"now"}');
      await pass(60);
      return [[early, ...all], heard.slice(1)];
    """)

    early, *values = frames
    assert early == 1
    assert 12 <= len(values) <= 30
    assert all(one != other for one, other in pairwise(values))
    assert [frame.split(" ")[2] for frame in again][: len(values)] == [frame.split(" ")[2] for frame in values]


def test_a_view_can_be_called_for_the_value_that_it_has_first(talk):
    called, watched = talk(
        'await open(); await say(\'call 1 shop.total {"day":"x"}\', \'watch 2 shop.total {"day":"x"}\')'
    )

    assert called.removeprefix("ok 1 ") == watched.removeprefix("item 2 ")


def test_topics_are_joined_by_the_rule_with_the_longest_pattern(talk):
    frames = talk("""
      await open();
      await say("join 1 room.kitchen", "join 2 room.quiet", "join 3 hall", "leave 4 room.quiet", "leave 5 room.quiet");
    """)

    joined, quiet, missing, left, again = frames
    assert taken(joined, 2)[2]["members"] == [{"id": "mock", "user": None, "sockets": 1, "data": None}]
    assert taken(quiet, 2)[2] == {"epoch": "", "offset": 0, "recovered": False, "members": None}
    assert code(missing) == ("error", "3", "not_found")
    assert left == "ok 4"
    assert code(again) == ("error", "5", "not_found")


def test_a_new_token_is_taken_whatever_it_is(talk):
    (frame,) = talk('await open(); await say(\'token 9 plugsock {"token":"x"}\')')

    assert taken(frame, 2) == ["ok", "9", {"user": None, "permissions": ["*"], "expires": None}]


def test_bytes_are_answered_with_bytes(talk):
    answers = talk("""
      const bytes = (text) => new TextEncoder().encode(text);
      await open();
      await say(bytes("call 1 shop.turn abc"), bytes("call 2 shop.weigh abc"), bytes("call 3 shop.place abc"));
    """)

    refused, raw, packed = sorted(answers, key=lambda answer: bytes(answer) >= b"ok")
    assert bytes(raw[:5]) == b"ok 1 "
    assert len(raw) == 5 + 64
    assert bytes(packed[:6]) == b"ok 2 \x82"  # MessagePack: an object of two fields
    assert b"bad_payload" in bytes(refused)


def test_closing_is_told_later_and_ends_everything(talk):
    now, later, left = talk("""
      await open();
      await say("call 1 shop.feed");
      socket.close(4000, "enough");
      const now = [...closed];
      await pass(60);
      return [now, closed, [heard.length, timers.size, socket.readyState]];
    """)

    assert (now, later, left) == ([], [4000], [1, 0, 3])


def test_latency_comes_before_each_answer(talk):
    counts = talk("""
      await open({ fault: { latency: 2 } });
      await say("call 1 shop.ping");
      await pass(1.9);
      const before = heard.length;
      await pass(0.2);
      return [before, heard.length];
    """)

    assert counts == [0, 1]


def test_a_share_of_answers_fails_and_a_share_cuts_the_connection(talk):
    heard, closed, state = talk("""
      const chances = [0.5, 0.1, 0.04];
      await open({ fault: { error: 0.1, drop: 0.05 }, chance: () => chances.shift() });
      await say("call 1 shop.ping");
      await say("call 2 shop.ping");
      await say("call 3 shop.ping");
      return [heard, closed, socket.readyState];
    """)

    assert heard[0].startswith("ok 1 ")
    assert code(heard[1]) == ("error", "2", "plug_error")
    assert len(heard) == 2
    assert (closed, state) == ([1006], 3)


def test_a_view_that_fails_on_purpose_stays_open(talk):
    first, second = talk("""
      const chances = [0];
      await open({ fault: { error: 0.1 }, chance: () => chances.shift() ?? 1 });
      await say('watch 1 shop.total {"day":"now"}');
      await pass(5);
      return heard.slice(0, 2);
    """)

    assert code(first) == ("fault", "1", "plug_error")
    assert second.startswith("item 1 ")


def test_a_document_that_is_none_is_said_at_once(talk):
    message = talk("try { mockSocket({ shapes: {}, overrides }); } catch (error) { return String(error); }")

    assert message.startswith("TypeError")
    assert "plugsock schema" in message
