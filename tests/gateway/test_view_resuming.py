"""Clients that lose the socket while they watch, and come back."""

import pytest

from plugsock.rpc.views import MEMBERS
from support.scripted import Stage
from support.topics import rule
from support.viewed import Clock, Runs, asked_of, is_empty, item, told, view


def away(*events, say="watch 2 v", **hello):
    """Somebody with a session who has watched and lost the socket; how they come back."""
    stage = Stage(*(events or (view(on=("a",)),)))
    runs, client = Runs(stage), stage.client()
    key = client.hello(**hello)["resume"]
    client.say(say)
    runs.value(0)
    assert told(client) == item(0, 2)
    client.leave()

    def back(open=None, **more):
        again = stage.client()
        hello_back = {**hello, "resume": key, "open": {"2": 1} if open is None else open, **more}
        assert again.hello(**hello_back)["resumed"]
        return again

    return stage, runs, back


async def test_who_comes_back_and_has_what_there_is_is_sent_nothing():
    _stage, runs, back = away()
    client = back()
    assert client.heard() == []
    assert runs.take() == []
    runs.touch("a")
    runs.value(1)
    assert told(client) == item(1, 2)


@pytest.mark.parametrize("got", [0, 7])
async def test_who_has_not_got_all_that_was_sent_is_sent_the_value_again(got):
    _stage, runs, back = away()
    client = back({"2": got})
    assert told(client) == item(0, 2)
    assert runs.take() == []
    assert client.peer.session.watches[b"2"].sent == got + 1


async def test_while_nobody_is_here_nothing_runs_and_who_comes_back_gets_what_has_changed(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, back = away(view(on=("a",), every_s=1.0))
    runs.touch("a")
    await clock.wait(10)
    assert runs.take() == []
    client = back()
    runs.value(1)
    assert told(client) == item(1, 2)


async def test_a_run_that_ends_while_its_client_is_away_is_seen_when_it_comes_back():
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    key = client.hello()["resume"]
    client.say("watch 2 v")
    call = runs.one()
    client.leave()
    runs.value(0, call)
    back = stage.client()
    back.hello(resume=key, open={"2": 0})
    assert told(back) == item(0, 2)
    assert runs.take() == []


async def test_arguments_that_are_named_while_the_client_is_away_run_when_it_comes_back():
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    key = client.hello()["resume"]
    client.say("watch 2 v")
    client.leave()
    assert runs.take() == []
    assert len(runs.names) == 1
    back = stage.client()
    back.hello(resume=key, open={"2": 0})
    runs.value(0)
    assert told(back) == item(0, 2)


async def test_who_comes_back_before_its_arguments_are_named_gets_the_value_when_they_are():
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    key = client.hello()["resume"]
    client.say("watch 2 v")
    client.leave()
    back = stage.client()
    back.hello(resume=key, open={"2": 0})
    runs.value(0)
    assert told(back) == item(0, 2)


async def test_what_a_client_that_comes_back_does_not_name_is_closed():
    stage, runs, back = away()
    client = back({})
    assert client.heard() == []
    runs.touch("a")
    assert runs.take() == []
    assert is_empty(stage)


async def test_who_comes_back_for_messagepack_gets_it():
    _stage, runs, back = away()
    client = back({"2": 0}, format="msgpack")
    call = runs.value(0)
    assert asked_of(call).msgpack
    assert client.wire.frames == [(True, b"item 2 \x00")]


async def test_who_comes_back_gets_no_difference_to_what_was_lost():
    _stage, runs, back = away(say="watch 2 v?patch")
    runs.touch("a")
    client = back({"2": 0})
    call = runs.one()
    assert asked_of(call).base == b""
    runs.value(1, call)
    assert told(client) == item(1, 2)


async def test_a_swap_while_nobody_is_here_is_seen_by_who_comes_back():
    stage, runs, back = away()
    stage.swap(view(revision="r2"))
    assert runs.take() == []
    client = back()
    runs.value("new")
    assert told(client) == item("new", 2)


async def test_many_views_can_be_named():
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    key = client.hello()["resume"]
    for id in range(2, 131):
        client.say(f"watch {id} v")
    runs.value(0)
    client.wire.frames.clear()
    client.say("call 200 v")
    client.leave()
    back = stage.client()
    named = {**{str(id): 1 for id in range(2, 130)}, "200": 0}
    assert back.hello(resume=key, open=named)["resumed"]


async def test_nothing_is_left_of_a_session_that_nobody_took_up(monkeypatch):
    monkeypatch.setattr("plugsock.hub.sessions.KEEP_S", 0.0)
    monkeypatch.setattr("plugsock.gateway.gateway._SWEEP_S", 0.0)
    stage = Stage(view(audience="socket"))
    runs, client = Runs(stage), stage.client()
    client.hello()
    client.say("watch 2 v")
    runs.take()
    client.leave()
    await stage.link.hears("forget", client.peer.id)
    assert is_empty(stage)


async def test_another_session_knows_nothing_of_what_was_watched():
    client = Stage(view()).client()
    assert client.hello(resume="expired", open={"7": 3})["resumed"] is False
    assert client.faults() == [("7", "unknown_outcome")]


async def test_a_value_that_a_topic_brings_while_its_client_comes_back_is_counted_and_sent_once():
    stage = Stage(view(), rule("room"))
    runs, client = Runs(stage), stage.client()
    client.hello(topics={"room": None})
    client.say("watch 2 v")
    runs.value(0, reads=(f"{MEMBERS}room",))
    key = client.peer.key
    client.leave()
    stage.link.call = lambda call: runs.value(1, call, reads=(f"{MEMBERS}room",))  # a link that answers at once
    back = stage.client()
    back.hello(resume=key, open={"2": 1})
    assert told(back) == item(1, 2)
    [watch] = back.peer.session.watches.values()
    assert watch.sent == 2
