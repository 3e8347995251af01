"""Views that are open while what they are of is swapped."""

import pytest

from plugsock.model import Kind
from plugsock.rpc.frames import Group, Staged
from support.identified import enter, guarded, known
from support.scripted import Stage, announce
from support.viewed import Runs, asked_of, is_empty, item, told, view

READ = (("p",),)


def values(client):
    """As `told`, without what everybody hears of a swap."""
    client.wire.frames = [frame for frame in client.wire.frames if not frame[1].startswith(b"notice ")]
    return told(client)


def watching(event, say="watch 1 v", count=1):
    stage = Stage(event)
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


@pytest.mark.fault("S28")
async def test_after_a_swap_an_open_view_shows_what_the_new_code_says():
    stage, runs, first, second = watching(view(), count=2)
    runs.value("old")
    stage.swap(view(revision="r2"))
    call = runs.one()
    assert call.revision == "r2"
    runs.value("new", call)
    assert values(first) == values(second) == item("old") + item("new")
    assert runs.names == [b"", b""], "the new code may read them otherwise"


@pytest.mark.fault("S28")
async def test_a_value_that_the_new_code_leaves_as_it_was_is_not_sent_again():
    stage, runs, client = watching(view(on=("a",)), "watch 1 v?patch")
    runs.value({"n": 1})
    stage.swap(view(revision="r2", on=("a",)))
    runs.value({"n": 1})
    assert values(client) == item({"n": 1})
    runs.touch("a")
    call = runs.value({"n": 2}, patch=b"2")
    assert asked_of(call).base == b'{"n":1}'
    assert values(client) == [("patch", "1", 2)], "it has what the difference is for"


@pytest.mark.fault("S28")
async def test_a_run_that_is_under_way_at_the_swap_is_ended_and_what_comes_of_it_shown_to_nobody():
    stage, runs, client = watching(view())
    old = runs.one()
    number = stage.swap(view(revision="r2"))
    assert ("cancel", old.sequence) in stage.link.said
    assert ("retire", number) in stage.link.said, "nothing keeps what was replaced"
    runs.value("old", old)
    assert values(client) == []
    runs.value("new")
    assert values(client) == item("new")


async def test_a_change_during_the_first_run_after_a_swap_is_not_lost():
    stage, runs, client = watching(view())
    runs.value("old", reads=("a",))
    stage.swap(view(revision="r2"))
    call = runs.one()
    runs.touch("b")
    runs.value("new", call, reads=("b",))
    runs.value("newer", reads=("b",))
    assert values(client) == item("old") + item("new") + item("newer")
    runs.touch("a")
    assert runs.take() == []


async def test_new_code_of_the_same_revision_runs_too():
    stage, runs, client = watching(view())
    runs.value("old")
    stage.swap(view())
    runs.value("new")
    assert values(client) == item("old") + item("new")


@pytest.mark.fault("S28")
async def test_a_save_that_is_broken_changes_nothing():
    stage, runs, client = watching(view())
    runs.value("old")
    stage.gateway.staged(Staged(2, [], []))
    assert runs.take() == []
    assert values(client) == item("old")


@pytest.mark.fault("S28")
@pytest.mark.parametrize("now", ["gone", "call", "stream"])
async def test_a_view_that_is_none_any_more_ends(now):
    stage, runs, client = watching(view())
    runs.value("old")
    if now == "gone":
        stage.swap(gone=["v"])
    else:
        stage.swap(announce("v", "r2", Kind(now)))
    assert values(client) == [*item("old"), ("error", "1", "gone")]
    assert is_empty(stage)


@pytest.mark.fault("S28")
async def test_arguments_that_do_not_fit_any_more_end_it():
    stage, runs, client = watching(view(), 'watch 1 v {"a":1}')
    runs.value("old")
    stage.swap(view(revision="r2"))
    [naming] = stage.link.calls
    assert asked_of(naming).only_named
    stage.link.calls.clear()
    runs.refuse("bad_payload", naming)
    assert values(client) == [*item("old"), ("error", "1", "bad_payload")]
    assert is_empty(stage)


async def test_names_that_were_asked_of_what_was_replaced_are_asked_of_what_replaces_it():
    stage, runs, client = watching(view())
    [naming] = stage.link.calls
    stage.swap(view(revision="r2"))
    assert ("cancel", naming.sequence) in stage.link.said
    stage.link.calls.remove(naming)
    stage.gateway.again(naming.sequence)
    runs.value("new")
    assert values(client) == item("new")


async def test_who_left_while_names_were_asked_for_does_not_keep_others_from_asking():
    stage, runs, client = watching(view())
    [naming] = stage.link.calls
    client.say("cancel 1")
    stage.swap(view(revision="r2", requires=()))
    stage.gateway.again(naming.sequence)
    stage.swap(view())
    stage.link.calls.clear()
    client.say("watch 2 v")
    runs.value("back")
    assert values(client)[-1:] == item("back", 2)


async def test_a_run_that_has_not_begun_at_the_swap_is_not_begun_by_its_new_rules():
    stage, runs, client = watching(view())
    old = runs.one()
    stage.swap(view(revision="r2"))
    stage.gateway.again(old.sequence)
    runs.value("new")
    assert values(client) == item("new")
    client.leave()
    assert is_empty(stage)


async def test_a_run_that_comes_to_nothing_because_of_a_swap_is_run_again_by_that():
    stage, runs, client = watching(view())
    runs.refuse("gone")
    assert values(client) == []
    stage.swap(view(revision="r2"))
    runs.value("new")
    assert values(client) == item("new")


@pytest.mark.fault("S23")
async def test_who_may_not_see_it_by_the_new_rules_sees_nothing_of_the_new_code():
    stage = guarded(view())
    runs, ada, bob = Runs(stage), stage.client(), stage.client()
    enter(stage, ada, known("ada", ["p"]))
    enter(stage, bob, known("bob"))
    ada.say("watch 2 v")
    bob.say("watch 2 v")
    runs.value("old")
    stage.swap(view(revision="r2", requires=READ))
    runs.value("new")
    assert values(ada) == item("old", 2) + item("new", 2)
    assert values(bob) == [*item("old", 2), ("error", "2", "revoked")]


@pytest.mark.fault("S23")
async def test_what_new_rules_can_not_be_read_from_ends_it():
    stage = guarded(view())
    runs, ada = Runs(stage), stage.client()
    enter(stage, ada, known("ada", ["p:*"]))
    ada.say('watch 2 v {"a":1}')
    runs.value("old")
    stage.swap(view(revision="r2", requires=(("p:{shop}",),)))
    assert values(ada) == [*item("old", 2), ("error", "2", "bad_payload")]
    assert runs.take() == []


async def test_what_was_everybodys_may_become_each_users_own():
    stage = guarded(view())
    runs, ada, bob = Runs(stage), stage.client(), stage.client()
    enter(stage, ada, known("ada"))
    enter(stage, bob, known("bob"))
    ada.say("watch 2 v")
    bob.say("watch 2 v")
    runs.value("old")
    stage.swap(view(revision="r2", audience="user"))
    first, second = runs.take()
    assert {first.socket, second.socket} == {ada.peer.id, bob.peer.id}
    runs.value("ada's" if first.socket == ada.peer.id else "bob's", first)
    runs.value("ada's" if second.socket == ada.peer.id else "bob's", second)
    assert values(ada) == item("old", 2) + item("ada's", 2)
    assert values(bob) == item("old", 2) + item("bob's", 2)


async def test_several_events_of_one_save_are_run_anew_together():
    stage = Stage(view(), view("w"))
    runs, client = Runs(stage), stage.client()
    client.say("watch 1 v")
    client.say("watch 2 w")
    for call in runs.take():
        runs.value(call.event, call)
    group = Group("g", [view(revision="r2"), view("w", "r2")], [], [])
    stage.gateway.staged(Staged(9, [group], []))
    assert [(call.event, call.revision) for call in runs.take()] == [("v", "r2"), ("w", "r2")]
