"""What those who watch a view are sent, who shares it, and how it ends."""

import asyncio
import json

import pytest

from plugsock.gateway.drain import Drain
from plugsock.model import Kind
from support.scripted import Stage, announce
from support.viewed import Runs, asked_of, is_empty, item, told, view


def watching(*events, count=1, say="watch 1 v", **settings):
    """A gateway with views, and clients that watch one."""
    stage = Stage(*(events or (view(),)), **settings)
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


# Values.


async def test_who_watches_is_sent_the_value_and_each_other_one():
    _stage, runs, client = watching(view(on=("orders",)))
    runs.value({"n": 1})
    assert told(client) == item({"n": 1})
    runs.touch("orders/42")
    runs.value({"n": 2})
    assert told(client) == item({"n": 2})


async def test_a_value_that_is_the_same_is_not_sent_again():
    _stage, runs, client = watching()
    runs.value(1, reads=("a",))
    runs.touch("a")
    runs.value(1, reads=("a",))
    assert told(client) == item(1)
    runs.touch("a")
    runs.value(2)
    assert told(client) == item(2)


async def test_what_was_read_in_the_latest_run_wakes_it_and_nothing_else():
    _stage, runs, _client = watching()
    runs.value(1, reads=("a",))
    runs.touch("b")
    assert runs.take() == []
    runs.touch("a")
    runs.value(1, reads=("b",))
    runs.touch("a")
    assert runs.take() == []
    runs.touch("b")
    assert len(runs.take()) == 1


async def test_a_call_of_a_view_is_a_plain_call():
    stage = Stage(view())
    client = stage.client()
    client.say('call 7 v {"a":1}')
    [call] = stage.link.calls
    assert (call.flags, call.payload) == (0, b'{"a":1}')
    stage.answer(call, 5)
    assert client.heard() == ["ok 7 5"]
    assert is_empty(stage)


# Who shares a run.


async def test_those_who_watch_the_same_share_one_run_and_its_value():
    _stage, runs, first, second = watching(count=2)
    call = runs.one()
    runs.value(1, call)
    assert told(first) == told(second) == item(1)


async def test_who_comes_later_is_sent_what_is_known_without_a_run():
    stage, runs, first = watching()
    runs.value(1)
    second = stage.client()
    second.say("watch 9 v")
    assert told(second) == item(1, 9)
    assert told(first) == item(1)
    assert stage.link.calls == []


async def test_who_comes_while_it_runs_is_sent_what_comes_of_it():
    stage, runs, first = watching()
    call = runs.one()
    second = stage.client()
    second.say("watch 1 v")
    assert stage.link.calls == []
    runs.value(1, call)
    assert told(first) == told(second) == item(1)


async def test_arguments_that_are_spelt_otherwise_are_the_same_and_each_spelling_is_asked_about_once():
    stage, runs, *clients = watching(count=4, say='watch 1 v {"a":1}')
    for client in clients[2:]:
        client.say('watch 2 v { "a" : 1 }')
    assert len(stage.link.calls) == 2
    runs.value(1)
    assert runs.names == [b'{"a":1}', b'{ "a" : 1 }']
    assert [told(client) for client in clients] == [item(1), item(1), item(1) + item(1, 2), item(1) + item(1, 2)]
    late = stage.client()
    late.say('watch 1 v { "a" : 1 }')
    assert told(late) == item(1)
    assert runs.take() == []
    assert len(runs.names) == 2


async def test_other_arguments_are_another_run():
    _stage, runs, client = watching(say='watch 1 v {"a":1}')
    client.say('watch 2 v {"a":2}')
    one, two = runs.take()
    assert (asked_of(one).arguments, asked_of(two).arguments) == (b'{"a":1}', b'{"a":2}')
    runs.value(2, two)
    runs.value(1, one)
    assert told(client) == item(2, 2) + item(1, 1)


async def test_one_socket_may_watch_the_same_twice():
    _stage, runs, client = watching()
    client.say("watch 2 v")
    runs.value(1)
    assert told(client) == item(1) + item(1, 2)


# Ends.


async def test_a_view_is_closed_by_who_watches_it_and_the_last_one_ends_it():
    stage, runs, first, second = watching(view(on=("a",)), count=2)
    runs.value(1)
    first.say("cancel 1")
    assert told(first) == [*item(1), ("error", "1", "cancelled")]
    runs.touch("a")
    call = runs.one()
    second.say("cancel 1")
    assert told(second) == [*item(1), ("error", "1", "cancelled")]
    assert ("cancel", call.sequence) in stage.link.said
    runs.value(2, call)
    assert first.heard() == second.heard() == []
    assert is_empty(stage)
    second.say("cancel 1")
    assert second.heard() == []


async def test_a_view_that_is_closed_before_its_arguments_have_a_name_never_runs():
    stage, runs, client = watching()
    client.say("cancel 1")
    assert runs.take() == []
    assert told(client) == [("error", "1", "cancelled")]
    assert is_empty(stage)


async def test_what_has_ended_does_not_end_again_whatever_has_its_id_now():
    _stage, runs, client = watching()
    watch = client.peer.session.watches[b"1"]
    client.say("cancel 1")
    client.say("watch 1 v")
    client.heard()
    watch.end(None)
    runs.value(1)
    assert told(client) == item(1)


async def test_a_socket_that_goes_while_it_is_told_keeps_nobody_from_being_told():
    stage, runs, first, second = watching(view(on=("a",)), count=2)
    first.peer.send = lambda _binary, _frame: first.leave()
    runs.value(1)
    assert told(second) == item(1)
    second.peer.send = lambda _binary, _frame: second.leave()
    runs.touch("a")
    runs.value(2)
    assert is_empty(stage)


@pytest.mark.fault("R4")
async def test_nothing_is_left_of_the_views_of_a_socket_that_goes():
    stage, runs, client, other = watching(view(on=("a",)), view("w", audience="socket"), count=2)
    client.say("watch 2 w")
    client.say('watch 3 v {"a":1}')
    runs.take()
    client.leave()
    other.leave()
    assert is_empty(stage)
    runs.touch("a")
    assert runs.take() == []


@pytest.mark.fault("R4")
async def test_a_socket_may_watch_only_so_many():
    _stage, runs, client = watching(max_watches=2)
    client.say("watch 2 v")
    client.say("watch 3 v")
    assert told(client) == [("error", "3", "limit")]
    runs.value(1)
    client.say("cancel 2")
    client.say("watch 4 v")
    assert told(client) == [*item(1), *item(1, 2), ("error", "2", "cancelled"), *item(1, 4)]


async def test_what_is_no_view_can_not_be_watched():
    stage = Stage(announce("a"), announce("s", kind=Kind.STREAM), view("old"))
    stage.swap(gone=["old"])
    client = stage.client()
    for number, name in enumerate(["a", "s", "other", "old"], 1):
        client.say(f"watch {number} {name}")
    assert told(client) == [
        ("error", "1", "not_found"),
        ("error", "2", "not_found"),
        ("error", "3", "not_found"),
        ("error", "4", "gone"),
    ]
    assert stage.link.calls == []


@pytest.mark.parametrize("verb", ["watch 1 v", "call 1 v", "call 1 v?timeout=1"])
async def test_the_id_of_an_open_view_can_not_be_used_again(verb):
    stage, runs, client = watching()
    runs.value(1)
    client.heard()
    client.say(verb)
    [frame] = client.heard()
    assert json.loads(frame.removeprefix("error 0 "))["id"] == "1"
    assert stage.link.calls == []


async def test_the_id_of_an_open_call_can_not_be_used_for_a_view():
    stage = Stage(view(), announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.say("watch 1 v")
    assert told(client) == [("error", "0", "bad_frame")]
    assert len(stage.link.calls) == 1


async def test_a_drain_ends_views_and_closes_sockets_that_had_nothing_else_open():
    stage, runs, client, unanswered = watching(view(audience="socket"), count=2)
    [one, _two] = runs.take()
    runs.value(1, one)
    async with asyncio.timeout(5):
        await Drain(stage.gateway).run(60.0)
    for each, before in ((client, ["item"]), (unanswered, [])):
        verbs = [frame.split()[0] for frame in each.heard()]
        assert verbs == [*before, "notice", "error"]
        assert each.wire.closed[0] == 4000
        each.leave()
    assert is_empty(stage)
