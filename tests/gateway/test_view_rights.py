"""Who may watch what, for whom a view runs, and what a change of rights does to what is open."""

import pytest

from plugsock.gateway.protected import Protected
from plugsock.model import Reach
from plugsock.rpc.frames import Send
from support.identified import enter, guarded, known, reader, refresh
from support.scripted import Stage
from support.viewed import Runs, is_empty, item, told, view

READ = (("orders.read",),)


@pytest.fixture
def stage(tmp_path):
    return lambda *events: guarded(*events, data=tmp_path)


async def revoke(stage, permission="orders.read", user="ada"):
    return await stage.gateway.identities.revoke(user, permission)


def verbs(client):
    frames, client.wire.frames = client.wire.frames, []
    return [frame.split(b" ")[0].decode() for _, frame in frames]


async def test_who_may_not_see_it_is_refused(stage):
    stage = stage(view(requires=READ))
    bob, stranger = stage.client(), stage.client()
    enter(stage, bob, known("bob"))
    bob.say("watch 2 v")
    assert told(bob) == [("error", "2", "forbidden")]
    stranger.say("watch 2 v")
    stranger.say("watch 3 no.such")
    assert told(stranger) == [("error", "2", "unauthorized"), ("error", "3", "unauthorized")]
    assert stage.link.calls == []
    assert is_empty(stage)


async def test_a_stranger_is_refused_what_is_not_for_everybody(tmp_path):
    stage = guarded(view(requires=READ), data=tmp_path, auth="optional")
    client = stage.client()
    client.say("watch 2 v")
    assert told(client) == [("error", "2", "unauthorized")]


async def test_arguments_that_do_not_say_what_is_needed_are_refused(stage):
    stage = stage(view(requires=(("orders.read:{shop}",),)))
    client = reader(stage)
    client.say("watch 2 v {}")
    client.say('watch 3 v {"shop":"berlin"}')
    assert told(client)[0] == ("error", "2", "bad_payload")
    assert len(stage.link.calls) == 1


@pytest.mark.fault("A7")
async def test_a_revoke_ends_what_is_watched_before_it_is_answered_and_nothing_follows(stage):
    stage = stage(view(requires=READ, on=("a",)))
    runs, client, other = Runs(stage), reader(stage), reader(stage, "bob")
    client.say("watch 2 v")
    other.say("watch 2 v")
    runs.value(1)
    runs.touch("a")
    call = runs.one()
    assert told(client) == item(1, 2)
    assert await revoke(stage) == Reach(sockets=1, views=1)
    assert verbs(client) == ["error", "notice"]
    runs.value(2, call)
    assert client.heard() == []
    assert told(other) == item(1, 2) + item(2, 2)


@pytest.mark.fault("A7")
async def test_the_last_one_who_may_not_see_it_any_more_ends_the_run(stage):
    stage = stage(view(requires=READ))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    call = runs.one()
    await revoke(stage)
    assert told(client)[0] == ("error", "2", "revoked")
    assert ("cancel", call.sequence) in stage.link.said
    assert is_empty(stage)


@pytest.mark.fault("A6", "A11")
async def test_values_and_faults_know_what_it_takes_to_see_them(stage):
    stage = stage(view(requires=READ, on=("a",)), view("w"))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v?patch")
    client.say("watch 3 w")
    mine, public = runs.take()
    runs.value(1, mine)
    runs.value(1, public)
    runs.touch("a")
    runs.value(2, patch=b"2")
    runs.touch("a")
    runs.fault()
    assert [(type(frame), frame.split(b" ")[0]) for _, frame in client.wire.frames] == [
        (Protected, b"item"),
        (bytes, b"item"),
        (Protected, b"patch"),
        (Protected, b"fault"),
    ]
    assert client.wire.frames[0][1].needs == READ


async def test_what_is_allowed_for_one_value_of_an_argument_ends_with_that(stage):
    stage = stage(view(requires=(("orders.read:{shop}",),), on=("a",)))
    runs, client = Runs(stage), stage.client()
    enter(stage, client, known("ada", ["orders.read:*"]))
    client.say('watch 2 v {"shop":"berlin"}')
    client.say('watch 3 v {"shop":"paris"}')
    for call in runs.take():
        runs.value(0, call)
    client.wire.frames.clear()
    assert (await revoke(stage, "orders.read:berlin")).views == 1
    assert told(client)[0] == ("error", "2", "revoked")
    runs.touch("a")
    runs.value(1)
    assert told(client) == item(1, 3)


async def test_a_revoke_of_something_else_leaves_it_open(stage):
    stage = stage(view(requires=READ))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    runs.value(1)
    assert (await revoke(stage, "orders.write")).views == 0
    assert runs.take() == []
    assert verbs(client) == ["item", "notice"]


# For whom it runs.


async def test_what_is_each_users_own_is_shared_by_their_sockets_and_nobody_else(stage):
    stage = stage(view(audience="user"))
    runs, first, second, other = Runs(stage), reader(stage), reader(stage), reader(stage, "bob")
    for client in (first, second, other):
        client.say("watch 2 v")
    mine, theirs = runs.take()
    assert mine.socket == first.peer.id
    assert theirs.socket == other.peer.id
    runs.value("ada", mine)
    runs.value("bob", theirs)
    assert told(first) == told(second) == item("ada", 2)
    assert told(other) == item("bob", 2)
    assert [state.id for state in stage.link.states] == [first.peer.id, second.peer.id, other.peer.id]


async def test_the_worker_hears_once_who_watches(stage):
    stage = stage(view(audience="user"))
    client = reader(stage)
    for id in (2, 3):
        client.say(f"watch {id} v")
    assert len(stage.link.states) == 1


async def test_what_is_each_sockets_own_is_shared_by_nobody(stage):
    stage = stage(view(audience="socket"))
    runs, first, second = Runs(stage), reader(stage), reader(stage)
    first.say("watch 2 v")
    first.say("watch 3 v")
    second.say("watch 2 v")
    one, two = runs.take()
    assert (one.socket, two.socket) == (first.peer.id, second.peer.id)
    runs.value(1, one)
    runs.value(2, two)
    assert told(first) == item(1, 2) + item(1, 3)
    assert told(second) == item(2, 2)


async def test_strangers_are_one_nobody():
    stage = Stage(view(audience="user"))
    runs, first, second = Runs(stage), stage.client(), stage.client()
    first.say("watch 1 v")
    second.say("watch 1 v")
    runs.value(1)
    assert told(first) == told(second) == item(1)


async def test_when_the_socket_goes_in_whose_name_it_runs_another_one_takes_its_place(stage):
    stage = stage(view(audience="user", on=("a",)))
    runs, first, second = Runs(stage), reader(stage), reader(stage)
    first.say("watch 2 v")
    second.say("watch 2 v")
    call = runs.one()
    first.leave()
    runs.value(1, call)
    runs.touch("a")
    call = runs.one()
    assert call.socket == second.peer.id
    runs.value(2, call)
    assert told(second) == item(1, 2) + item(2, 2)


async def test_a_run_that_fails_because_its_socket_has_gone_is_told_to_nobody(stage, monkeypatch):
    monkeypatch.setattr("plugsock.gateway.live.FIRST_RETRY_S", 0.0)
    stage = stage(view(audience="user"))
    runs, first, second = Runs(stage), reader(stage), reader(stage)
    first.say("watch 2 v")
    second.say("watch 2 v")
    call = runs.one()
    first.leave()
    runs.refuse("unauthorized", call)
    assert second.heard() == []
    second.say("watch 3 v")  # which has it run again at once
    runs.value(1)
    assert told(second) == item(1, 2) + item(1, 3)


async def test_a_view_that_needs_a_user_is_refused_to_nobody():
    stage = Stage(view(audience="user"))
    runs, client = Runs(stage), stage.client()
    client.say("watch 1 v")
    runs.refuse("unauthorized")
    assert told(client) == [("error", "1", "unauthorized")]
    assert is_empty(stage)


# Other rights.


@pytest.mark.parametrize("audience", ["user", "socket"])
@pytest.mark.parametrize("ids", [(2,), (2, 3)])
async def test_what_depends_on_who_watches_runs_again_when_their_rights_change(stage, audience, ids):
    stage = stage(view(audience=audience))
    runs, client = Runs(stage), reader(stage)
    for id in ids:
        client.say(f"watch {id} v")
    runs.value("before")
    client.wire.frames.clear()
    await revoke(stage, "orders.write")
    said = stage.link.said
    assert said.index(("socket", client.peer.id), 1)
    call = runs.one()
    assert stage.link.states[-1].permissions == ["orders.*", "!orders.write"]
    runs.value("after", call)
    client.wire.frames.pop(0)
    assert told(client) == [found for id in ids for found in item("after", id)]
    await stage.gateway.identities.grant("ada", "orders.write")
    runs.value("after")
    client.wire.frames.pop(0)
    assert client.heard() == []


async def test_sockets_of_one_user_share_a_run_again_after_their_rights_have_changed(stage):
    stage = stage(view(audience="user"))
    runs, first, second = Runs(stage), reader(stage), reader(stage)
    first.say("watch 2 v")
    second.say("watch 2 v")
    runs.value("before")
    await revoke(stage, "orders.write")
    runs.value("after")
    for client in (first, second):
        client.wire.frames = [frame for frame in client.wire.frames if not frame[1].startswith(b"notice")]
        assert told(client) == item("before", 2) + item("after", 2)


async def test_a_new_token_with_other_permissions_runs_what_depends_on_it(stage):
    stage = stage(view(audience="user"), view("w"))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    client.say("watch 3 w")
    for call in runs.take():
        runs.value(1, call)
    client.say('token 9 plugsock {"token":"new"}')
    stage.answer(stage.link.calls.pop(), known("ada", ["other"]))
    assert runs.value(1).event == "v"
    assert verbs(client) == ["item", "item", "ok"]


@pytest.mark.fault("A7")
async def test_a_new_token_without_the_permission_ends_it(stage):
    stage = stage(view(requires=READ))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    runs.value(1)
    refresh(stage, client, known("ada", ["other"]))
    assert verbs(client) == ["item", "error", "ok"]
    assert is_empty(stage)


@pytest.mark.fault("A7")
async def test_a_view_that_was_revoked_while_its_client_was_away_is_said_to_be(stage):
    stage = stage(view(requires=READ))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    runs.value("secret")
    key = client.peer.key
    client.leave()
    assert (await revoke(stage)).views == 1
    back = stage.client()
    enter(stage, back, known("ada", ["orders.*"]), resume=key, open={"2": 0})
    assert told(back) == [("error", "2", "revoked")]


@pytest.mark.fault("A6")
async def test_what_a_run_sends_to_its_socket_needs_what_the_view_needs(stage):
    stage = stage(view(requires=READ, audience="socket"))
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    call = runs.one()
    push = Send(client.peer.id, "news", b"1", None, call.sequence)
    stage.gateway.emit(push)
    [(_, frame)] = client.wire.frames
    assert frame == b"push - news 1"
    assert frame.needs == READ
    client.wire.frames.clear()
    await revoke(stage)
    stage.gateway.emit(push)
    assert verbs(client) == ["error", "notice"]
