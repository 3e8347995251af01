"""In what form the values of views are sent: each client's format, and differences."""

import msgspec

from support.scripted import Stage
from support.viewed import Runs, asked_of, item, told, view


def watching(*events, count=1, say="watch 1 v"):
    stage = Stage(*(events or (view(),)))
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


# Formats.


async def test_each_is_sent_the_value_in_the_format_of_its_hello():
    stage, runs, text = watching()
    binary = stage.client()
    binary.hello(format="msgpack")
    binary.say("watch 2 v")
    call = runs.one()
    runs.value({"n": 1}, call)
    [(is_binary, frame)] = text.wire.frames
    assert (is_binary, frame) == (False, b'item 1 {"n":1}')
    assert not asked_of(call).msgpack, "it began before"
    call = runs.one()
    assert asked_of(call).msgpack
    runs.value({"n": 1}, call)
    assert binary.wire.frames == [(True, b"item 2 " + msgspec.msgpack.encode({"n": 1}))]
    assert len(text.wire.frames) == 1
    assert runs.take() == []


async def test_one_run_is_for_both_formats():
    stage = Stage(view())
    runs, text, binary = Runs(stage), stage.client(), stage.client()
    binary.hello(format="msgpack")
    binary.say("watch 2 v")
    text.say("watch 1 v")
    call = runs.value(1)
    assert asked_of(call).msgpack
    assert told(binary) == item(1, 2)
    assert told(text) == item(1)


async def test_who_wants_messagepack_later_gets_it_from_a_run_of_their_own():
    stage, runs, text = watching()
    runs.value(1)
    binary = stage.client()
    binary.hello(format="msgpack")
    binary.say("watch 2 v")
    call = runs.value(1)
    assert asked_of(call).msgpack
    assert told(binary) == item(1, 2)
    assert told(text) == item(1)


async def test_who_wants_messagepack_while_a_run_fails_gets_the_fault():
    stage, runs, _text = watching()
    call = runs.one()
    binary = stage.client()
    binary.hello(format="msgpack")
    binary.say("watch 2 v")
    runs.fault("own", call)
    runs.value(1)
    assert told(binary) == [("fault", "2", "own"), *item(1, 2)]


async def test_what_the_last_messagepack_value_was_does_not_hide_that_the_run_under_way_has_none():
    stage = Stage(view(on=("a",)))
    runs, text, binary, late = Runs(stage), stage.client(), stage.client(), stage.client()
    binary.hello(format="msgpack")
    late.hello(format="msgpack")
    binary.say("watch 2 v")
    text.say("watch 1 v")
    runs.value(1)
    binary.say("cancel 2")
    runs.touch("a")
    call = runs.one()
    assert not asked_of(call).msgpack
    late.say("watch 2 v")
    runs.value(2, call)
    runs.value(2)
    assert told(late)[-1:] == item(2, 2)


async def test_a_refusal_is_in_the_format_of_its_question():
    _stage, _runs, client = watching()
    client.say(b"watch 2 w", binary=True)
    [(is_binary, frame)] = client.wire.frames
    assert is_binary
    assert msgspec.msgpack.decode(frame.removeprefix(b"error 2 "))["code"] == "not_found"


# Patches.


async def test_who_asked_for_it_is_told_the_difference_where_there_is_one():
    _stage, runs, client, other = watching(view(on=("a",)), count=2, say="watch 1 v?patch")
    other.say("watch 2 v")
    call = runs.value({"n": 1})
    assert asked_of(call).base == b""
    assert told(client) == item({"n": 1})
    runs.touch("a")
    call = runs.value({"n": 2}, patch=b'{"p":2}')
    assert asked_of(call).base == b'{"n":1}'
    assert told(client) == [("patch", "1", {"p": 2})]
    assert told(other)[-2:] == [("patch", "1", {"p": 2}), *item({"n": 2}, 2)]
    runs.touch("a")
    runs.value({"n": 3})
    assert told(client) == item({"n": 3})
    assert other.peer.session.watches[b"1"].sent == 3


async def test_who_has_another_value_is_sent_the_whole_one():
    stage, runs, client = watching(view(on=("a",)), say="watch 1 v?patch")
    runs.value(1)
    runs.touch("a")
    call = runs.one()
    late = stage.client()
    late.say("watch 1 v?patch")
    assert told(late) == item(1)
    newest = stage.client()
    runs.value(2, call, patch=b"22")
    newest.say("watch 1 v?patch")
    assert told(newest) == item(2)
    assert told(late) == [("patch", "1", 22)]
    assert told(client) == [*item(1), ("patch", "1", 22)]


async def test_differences_come_in_both_formats():
    stage = Stage(view(on=("a",)))
    runs, client = Runs(stage), stage.client()
    client.hello(format="msgpack")
    client.say("watch 2 v?patch")
    runs.value(1)
    runs.touch("a")
    runs.value(2, patch=b"22", msgpack_patch=msgspec.msgpack.encode(22))
    runs.touch("a")
    runs.value(3, patch=b"33")
    assert told(client) == [*item(1, 2), ("patch", "2", 22), *item(3, 2)]


async def test_after_a_fault_the_whole_value_is_sent():
    _stage, runs, client = watching(view(on=("a",)), say="watch 1 v?patch")
    runs.value(1)
    runs.touch("a")
    runs.fault()
    runs.touch("a")
    call = runs.value(2)
    assert asked_of(call).base == b""
    assert told(client) == [*item(1), ("fault", "1", "own"), *item(2)]


async def test_only_the_newest_value_keeps_the_difference_to_the_one_before():
    stage, runs, client = watching(view(on=("a",)), say="watch 1 v?patch")
    runs.value(0)
    for number in range(1, 4):
        runs.touch("a")
        runs.value(number, patch=b"1")
    newest = client.peer.session.watches[b"1"].live.news
    assert newest.base.base is None
    assert stage.link.calls == []
