"""Who the peers are and what they may do: given, changed while the server runs, and taken away."""

import asyncio

import pytest

from plugsock.gateway.clocks import GRACE_S, HELLO_S
from plugsock.model import AUTHENTICATE, Problem
from plugsock.rpc.frames import Broadcast, KickUser
from support.identified import FEED, OPEN, ORDERS, enter, guarded, known, question, reader, refresh
from support.scripted import Stage, announce


@pytest.fixture
def data(tmp_path):
    return tmp_path


def set_clocks(stage, *, wall=None, now=None):
    """Let the clocks say something else; they are looked at by hand."""
    clocks = stage.gateway.identities.clocks
    if wall is not None:
        clocks._wall = lambda: wall
    if now is not None:
        clocks._now = lambda: now
    return clocks


# Who has to say who they are.


@pytest.mark.parametrize(
    ("auth", "events", "problems", "mode"),
    [
        ("auto", [OPEN], [], "none"),
        ("auto", [ORDERS], [], "required"),
        ("auto", [announce(AUTHENTICATE)], [], "required"),
        ("auto", [OPEN], [Problem("a.py", 1, "Broken.")], "required"),
        ("none", [ORDERS, announce(AUTHENTICATE)], [], "none"),
        ("optional", [OPEN], [], "optional"),
        ("required", [OPEN], [], "required"),
    ],
)
async def test_the_mode_follows_from_the_setting_and_from_what_is_served(auth, events, problems, mode, data):
    stage = Stage(auth=auth, data=data)
    identities = type(stage.gateway.identities)(auth, stage.gateway.routes, stage.gateway.calls, data / "g.json")
    stage.gateway.identities = identities
    stage.swap(*events, problems=problems)
    assert identities.mode == mode
    assert identities.asks() is (mode != "none")


async def test_a_file_that_is_mended_and_protects_nothing_opens_the_server():
    problem = Problem("a.py", 1, "Broken.")
    stage = Stage()
    stage.gateway.identities._unknown = None
    stage.swap(problems=[problem])
    client = stage.client()
    client.say("call 1 open")
    assert client.faults() == [("1", "unauthorized")]
    stage.swap(OPEN)
    assert stage.gateway.identities.mode == "none"
    client.say("call 2 open")
    assert len(stage.link.calls) == 1


async def test_a_file_that_breaks_later_closes_nothing():
    stage = Stage(OPEN)
    stage.swap(problems=[Problem("b.py", 1, "Broken.")])
    assert stage.gateway.identities.mode == "none"


async def test_once_there_is_something_to_protect_who_is_nobody_has_to_come_back_and_say_hello():
    stage = Stage(OPEN)
    silent, greeted = stage.client(), stage.client()
    greeted.hello()
    stage.swap(ORDERS)
    assert [client.wire.closed[0] for client in (silent, greeted)] == [4005, 4005]
    greeted.say("call 7 open")
    assert stage.link.calls == []


async def test_without_anything_to_protect_nobody_is_asked():
    stage = Stage(OPEN)
    client = stage.client()
    assert client.hello()["user"] is None
    client.say("call 2 open")
    assert [call.event for call in stage.link.calls] == ["open"]


@pytest.mark.parametrize("say", ["call 1 open", "call 1 orders", "call 1 open?explain", "call 1 feed", "ping\n"])
async def test_a_stranger_reaches_no_plug(say):
    stage = guarded(OPEN, ORDERS, FEED)
    client = stage.client()
    client.say(say)
    client.say("call 2 open")
    assert stage.link.calls == []
    assert ("2", "unauthorized") in client.faults()


async def test_what_everybody_gets_a_stranger_does_not():
    stage = guarded(OPEN)
    stranger, somebody = stage.client(), reader(stage)
    stage.gateway.emit(Broadcast("news", b"1", None, 0))
    stage.swap(OPEN)
    assert stranger.heard() == []
    assert [frame.split()[0:2] for frame in somebody.heard()] == [["push", "-"], ["notice", "plugs"]]


@pytest.mark.fault("A1")
async def test_who_says_no_hello_in_time_is_closed_and_who_is_being_looked_at_is_not():
    stage = guarded()
    silent, asked = stage.client(), stage.client()
    asked.say("hello 1 plugsock {}")
    now = asyncio.get_running_loop().time()
    set_clocks(stage, now=now + HELLO_S + 1).look()
    assert silent.wire.closed[0] == 4005
    assert asked.wire.closed is None
    stage.answer(question(stage), known())
    assert asked.heard()[0].startswith("welcome 1")


async def test_where_it_is_optional_nobody_may_call_what_requires_nothing():
    stage = guarded(OPEN, ORDERS, auth="optional")
    client = stage.client()
    client.say("call 1 open")
    client.say("call 2 orders")
    assert [call.event for call in stage.link.calls] == ["open"]
    assert client.faults() == [("2", "unauthorized")]


@pytest.mark.fault("A16")
async def test_all_sockets_of_a_user_are_closed_at_once():
    stage = guarded()
    first, second, other = reader(stage), reader(stage), reader(stage, "bob")
    stage.gateway.emit(KickUser("ada", 4502, "Bye.", 0))
    stage.gateway.emit(KickUser("nobody", 4502, "Bye.", 0))
    assert first.wire.closed == second.wire.closed == (4502, "Bye.")
    assert other.wire.closed is None


# Time.


@pytest.mark.fault("A5")
async def test_who_holds_a_token_that_ends_is_told_and_refused_and_closed_after_a_grace():
    stage = guarded(OPEN)
    client = stage.client()
    clocks = set_clocks(stage, wall=1_000.0, now=0.0)
    enter(stage, client, known(expires=2_000.0))
    clocks.look()
    client.say("call 2 open")
    assert len(stage.link.calls) == 1
    set_clocks(stage, wall=2_000.0).look()
    assert client.heard() == ['notice token {"expired":true,"grace_ms":30000}']
    client.say("call 3 open")
    assert client.faults() == [("3", "token_expired")]
    stage.answer(stage.link.calls[0], 1)
    assert client.heard() == ["ok 2 1"]
    set_clocks(stage, now=GRACE_S).look()
    assert client.wire.closed[0] == 4501


@pytest.mark.fault("A5")
async def test_a_new_token_in_the_grace_brings_everything_back():
    stage = guarded(OPEN)
    client = stage.client()
    set_clocks(stage, wall=1_000.0, now=0.0)
    enter(stage, client, known(expires=2_000.0))
    set_clocks(stage, wall=2_000.0).look()
    refresh(stage, client, known(expires=9_000.0))
    assert client.heard()[1] == 'ok 1000 {"user":"ada","permissions":[],"expires":9000.0}'
    client.say("call 1001 open")
    assert [call.event for call in stage.link.calls] == ["open"]
    set_clocks(stage, now=10 * GRACE_S).look()
    assert client.wire.closed is None


async def test_nothing_is_kept_of_who_has_gone(data):
    stage = guarded(data=data)
    for number in range(20):
        client = stage.client()
        if number % 2:
            set_clocks(stage, wall=0.0)
            enter(stage, client, known(f"u{number}", expires=number + 0.5))
            client.peer.key = ""  # as after its session has been forgotten
        client.leave()
    identities = stage.gateway.identities
    assert not identities._users
    assert not identities.clocks
    assert identities.who() == {}
