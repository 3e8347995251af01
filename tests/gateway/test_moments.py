"""What plugs are told when something happens to a socket: when, in what order, and how often."""

import asyncio
import json
import re

import pytest

from plugsock.gateway import moments
from plugsock.gateway.drain import Drain
from plugsock.model import Kind, Problem
from plugsock.rpc.frames import Call, Send
from support.identified import enter, known, question
from support.scripted import Client, Stage, announce

CONNECT, DISCONNECT = "@on_connect:chat.hello", "@on_disconnect:chat.bye"
JOIN, LEAVE = "@on_join:chat.joined", "@on_leave:chat.left"


def hook(event, revision="r1", **more):
    return announce(event, revision, kind=Kind.MOMENT, **more)


ALL = [hook(event) for event in (CONNECT, DISCONNECT, JOIN, LEAVE)]


class Hooked(Stage):
    """A gateway with hooks, whose worker is asked to run them."""

    def __init__(self, *events, **settings) -> None:
        super().__init__(*(events or ALL), announce("a"), **settings)

    async def begun(self) -> list[Call]:
        """The hooks that the worker has been given and has not answered."""
        await asyncio.sleep(0)
        return [call for call in self.link.calls if call.event.startswith("@on_")]

    async def end(self, **answer) -> Call:
        """Let the worker answer the one hook that runs."""
        [call] = await self.begun()
        self.link.calls.remove(call)
        self.answer(call, **answer)
        return call

    async def told(self) -> list[str]:
        """Let the worker run whatever there is; which hooks those were."""
        events = []
        while await self.begun():
            events.append((await self.end()).event)
        return events


@pytest.fixture(autouse=True)
def nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# The first word and the last.


@pytest.mark.parametrize("word", ["call 1 a", "call 1 nothing", "ping", "join 1 room", "call 1 a?explain"])
async def test_who_says_no_hello_is_connected_by_the_first_frame(word):
    stage = Hooked()
    client = stage.client()
    assert await stage.begun() == []
    client.say(word)
    assert await stage.told() == [CONNECT]
    client.say("call 2 a")
    client.say("ping")
    assert await stage.begun() == []


@pytest.mark.parametrize("noise", ["what?", "token 1 plugsock {}", "hello 1 plugsock 7", "hello 1 nobody {}"])
async def test_what_is_no_first_word_connects_nobody(noise):
    stage = Hooked()
    client = stage.client()
    client.say(noise)
    assert await stage.begun() == []
    client.heard()
    client.hello()
    assert await stage.told() == [CONNECT]


async def test_who_only_listens_is_never_connected():
    stage = Hooked()
    client = stage.client()
    client.leave()
    assert await stage.begun() == []


async def test_hello_connects_once_and_after_the_welcome():
    stage = Hooked()
    client = stage.client()
    client.hello()
    assert not stage.link.calls
    client.say("call 2 a")
    client.say("ping")
    assert await stage.told() == [CONNECT]


async def test_a_hook_runs_in_the_name_of_its_socket_and_what_it_says_arrives():
    stage = Hooked()
    client = stage.client()
    client.hello()
    [call] = await stage.begun()
    assert (call.socket, json.loads(call.payload), call.revision) == (client.peer.id, {}, "r1")
    assert [state.id for state in stage.link.states] == [client.peer.id]
    stage.gateway.emit(Send(call.socket, "news", b"1", None, call.sequence))
    stage.answer(call, 7)
    assert client.heard() == ["push - news 1"]


async def test_an_id_of_a_client_may_be_that_of_a_hook():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.begun()
    client.say("call 1 a")
    call = stage.link.calls[-1]
    assert await stage.told() == [CONNECT]
    stage.answer(call, 7)
    assert client.heard() == ["pong", "ok 1 7"]


async def test_who_has_gone_is_disconnected_once_and_then_forgotten():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.told()
    client.leave()
    [call] = await stage.begun()
    assert call.event == DISCONNECT
    assert ("forget", client.peer.id) not in stage.link.said
    stage.answer(call)
    await asyncio.sleep(0)
    assert ("forget", client.peer.id) in stage.link.said
    assert not stage.gateway.moments


async def test_who_was_never_introduced_is_introduced_to_be_disconnected_and_forgotten_then():
    stage = Hooked(hook(DISCONNECT))
    client = stage.client()
    client.say("ping")
    client.leave()
    await stage.end()
    await asyncio.sleep(0)
    assert [said for said in stage.link.said if said[0] in {"socket", "forget"}] == [
        ("socket", client.peer.id),
        ("forget", client.peer.id),
    ]


async def test_without_hooks_who_goes_is_forgotten_at_once():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.leave()
    assert ("forget", client.peer.id) in stage.link.said
    assert not stage.gateway.moments


async def test_no_client_can_call_a_hook():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.told()
    client.say(f"call 1 {CONNECT}")
    assert await stage.begun() == []
    assert client.heard()[-1].startswith("error")


# Sessions that go on.


async def test_a_session_that_goes_on_later_is_connected_anew():
    stage = Hooked()
    first = stage.client()
    key = first.hello()["resume"]
    id = first.peer.id
    first.leave()
    assert await stage.told() == [CONNECT, DISCONNECT]
    second = stage.client()
    assert second.hello(resume=key)["resumed"]
    [call] = await stage.begun()
    assert (call.event, call.socket) == (CONNECT, id)


async def test_a_session_that_is_taken_over_is_disconnected_and_connected_and_its_old_socket_says_no_more():
    stage = Hooked()
    first, second = stage.client(), stage.client()
    key = first.hello()["resume"]
    assert second.hello(resume=key)["resumed"]
    assert await stage.told() == [CONNECT, DISCONNECT, CONNECT]
    first.leave()
    assert await stage.begun() == []
    second.leave()
    assert await stage.told() == [DISCONNECT]


# Who has to say who they are.


async def test_who_says_who_they_are_is_connected_as_that_user():
    stage = Hooked(announce("@authenticate"), *ALL)
    client = stage.client()
    enter(stage, client, known("ada", ["orders.*"]))
    [call] = await stage.begun()
    assert (call.event, call.socket) == (CONNECT, client.peer.id)
    [state] = stage.link.states
    assert (state.user, state.permissions) == ("ada", ["orders.*"])


async def test_who_is_not_let_in_is_never_connected():
    stage = Hooked(announce("@authenticate"), *ALL)
    silent, refused = stage.client(), stage.client()
    silent.say("call 1 a")
    silent.say("ping")
    refused.say("hello 1 plugsock {}")
    stage.answer(question(stage), None)
    silent.leave()
    refused.leave()
    assert await stage.begun() == []


async def test_who_may_speak_after_all_is_connected_if_they_have_spoken():
    broken = Problem("b.py", 1, "it is broken")
    stage = Hooked(auth="auto")
    stage.gateway.identities._unknown = None
    stage.swap(problems=[broken])
    talker, listener = stage.client(), stage.client()
    talker.say("call 1 a")
    assert await stage.begun() == []
    stage.swap()
    [call] = await stage.begun()
    assert (call.event, call.socket) == (CONNECT, talker.peer.id)
    listener.say("ping")
    assert [call.socket for call in await stage.begun()] == [talker.peer.id, listener.peer.id]


async def test_who_has_to_say_who_they_are_from_now_on_is_disconnected():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.told()
    stage.swap(announce("@authenticate"))
    client.leave()
    assert await stage.told() == [DISCONNECT]


# Topics.


async def test_joining_and_leaving_are_told_with_the_topic():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    stage.gateway.moments.joined(client.peer, "room.a")
    stage.gateway.moments.left(client.peer, "room.a")
    said = []
    while await stage.begun():
        call = await stage.end()
        said.append((call.event, json.loads(call.payload)))
    assert said == [(CONNECT, {}), (JOIN, {"topic": "room.a"}), (LEAVE, {"topic": "room.a"})]


async def test_of_too_much_that_waits_neither_joining_nor_leaving_is_told(monkeypatch, capsys):
    monkeypatch.setattr(moments, "MOST", 2)
    stage = Hooked(hook(DISCONNECT), hook(JOIN), hook(LEAVE))
    client = stage.client()
    client.say("ping")
    for topic in "abc":
        stage.gateway.moments.joined(client.peer, topic)
    for topic in "abc":
        stage.gateway.moments.left(client.peer, topic)
    client.leave()
    assert await stage.told() == [JOIN, JOIN, LEAVE, LEAVE, DISCONNECT]
    assert len(re.findall("too much happens to a socket", capsys.readouterr().err)) == 1


async def test_what_was_too_much_is_told_again_later(monkeypatch):
    monkeypatch.setattr(moments, "MOST", 1)
    stage = Hooked(hook(JOIN), hook(LEAVE))
    client = stage.client()
    client.say("ping")
    for topic in "ab":
        stage.gateway.moments.joined(client.peer, topic)
    assert await stage.told() == [JOIN]
    stage.gateway.moments.left(client.peer, "b")
    assert await stage.told() == []
    stage.gateway.moments.joined(client.peer, "b")
    stage.gateway.moments.left(client.peer, "b")
    assert await stage.told() == [JOIN, LEAVE]


# Order, and what goes wrong.


async def test_hooks_of_one_peer_run_one_after_the_other_and_those_of_others_beside_them():
    stage = Hooked()
    one, other = stage.client(), stage.client()
    for client in (one, other):
        client.say("ping")
        client.leave()
    begun = await stage.begun()
    assert [(call.event, call.socket) for call in begun] == [(CONNECT, one.peer.id), (CONNECT, other.peer.id)]
    stage.link.calls.remove(begun[0])
    stage.answer(begun[0])
    begun = await stage.begun()
    assert [(call.event, call.socket) for call in begun] == [(CONNECT, other.peer.id), (DISCONNECT, one.peer.id)]


async def test_functions_for_one_moment_run_in_the_order_of_their_names():
    stage = Hooked(hook("@on_connect:b.hello"), hook("@on_connect:a.hello"), hook("@on_connect:a.before"))
    stage.client().say("ping")
    assert await stage.told() == ["@on_connect:a.before", "@on_connect:a.hello", "@on_connect:b.hello"]


@pytest.mark.parametrize(("code", "lines"), [("plug_error", 0), ("worker_lost", 1), ("unauthorized", 0)])
async def test_a_hook_that_fails_does_not_keep_the_next_from_running(code, lines, capsys):
    stage = Hooked(hook("@on_connect:a.hello"), hook("@on_connect:b.hello"))
    stage.client().say("ping")
    assert (await stage.end(error=code)).event == "@on_connect:a.hello"
    assert (await stage.end()).event == "@on_connect:b.hello"
    err = capsys.readouterr().err
    assert err.count("a hook failed") == lines
    assert err.count(code) == lines


async def test_a_hook_has_a_time_limit_and_the_next_one_runs(capsys):
    stage = Hooked(hook(CONNECT, timeout=0.02), hook(DISCONNECT))
    client = stage.client()
    client.say("ping")
    client.leave()
    [call] = await stage.begun()
    await asyncio.wait_for(stage.link.hears("cancel", call.sequence), 10)
    stage.link.calls.remove(call)
    assert await stage.told() == [DISCONNECT]
    assert f"a call timed out  event={CONNECT}" in capsys.readouterr().err


async def test_a_moment_that_waited_is_for_the_hooks_that_are_in_force_by_then():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.begun()
    client.leave()
    stage.swap(hook("@on_disconnect:new.bye"), gone=[DISCONNECT])
    assert await stage.told() == [CONNECT, "@on_disconnect:new.bye"]


async def test_what_a_swap_removes_is_not_run_any_more():
    stage = Hooked(hook("@on_connect:a.hello"), hook("@on_connect:b.hello"))
    stage.client().say("ping")
    await stage.begun()
    stage.swap(gone=["@on_connect:b.hello"])
    assert await stage.told() == ["@on_connect:a.hello"]
    assert not stage.gateway.moments


async def test_the_revision_that_a_hook_runs_on_is_kept_until_it_has_ended():
    stage = Hooked()
    stage.client().say("ping")
    await stage.begun()
    number = stage.swap(hook(CONNECT, "r2"))
    assert ("retire", number) not in stage.link.said
    await stage.end()
    assert ("retire", number) in stage.link.said


# The end of the server.


async def draining(stage: Stage, limit_s: float, group: asyncio.TaskGroup) -> asyncio.Task:
    task = group.create_task(Drain(stage.gateway).run(limit_s))
    await asyncio.sleep(0)
    return task


def gone(*clients: Client) -> None:
    for client in clients:
        assert client.wire.closed is not None
        client.leave()


async def test_a_drain_waits_for_the_sockets_to_go_and_for_the_hooks_that_hear_of_it():
    stage = Hooked()
    one, other = stage.client(), stage.client()
    one.say("ping")
    other.say("ping")
    await stage.begun()
    async with asyncio.TaskGroup() as group:
        task = await draining(stage, 60.0, group)
        for call in await stage.begun():
            stage.link.calls.remove(call)
            stage.answer(call)
        await stage.begun()
        assert not task.done()
        gone(one, other)
        calls = await stage.begun()
        assert [call.event for call in calls] == [DISCONNECT, DISCONNECT]
        assert not task.done()
        for call in calls:
            stage.answer(call)


async def test_a_drain_does_not_wait_for_sockets_that_no_hook_hears_of():
    stage = Hooked(hook(CONNECT))
    stage.client().say("ping")
    await stage.told()
    await Drain(stage.gateway).run(60.0)


async def test_a_drain_waits_for_hooks_no_longer_than_its_limit():
    stage = Hooked()
    client = stage.client()
    client.say("ping")
    await stage.begun()
    async with asyncio.TaskGroup() as group:
        await draining(stage, 0.01, group)
        gone(client)
