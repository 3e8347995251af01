"""Which arguments are the same, as the worker says."""

import msgspec

from support.identified import guarded, reader
from support.scripted import Stage
from support.viewed import Clock, Runs, is_empty, item, told, view


def watching(*events, count=1, say="watch 1 v"):
    stage = Stage(*(events or (view(on=("a",)),)))
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


async def test_arguments_that_do_not_fit_are_refused_and_asked_about_each_time():
    stage = Stage(view())
    client = stage.client()
    runs = Runs(stage)
    for id in ("1", "2"):
        client.say(f"watch {id} v []")
        runs.refuse("bad_payload", stage.link.calls.pop())
        assert told(client) == [("error", id, "bad_payload")]
    assert is_empty(stage)


async def test_names_that_can_not_be_told_now_are_asked_for_again(monkeypatch):
    clock = Clock(monkeypatch)
    stage, runs, client = watching()
    for wait_s, more in ((1.0, {}), (0.2, {"after_ms": 200})):
        runs.refuse("overloaded", stage.link.calls.pop(), retry=True, **more)
        assert stage.link.calls == []
        await clock.wait(wait_s)
    runs.value(1)
    assert told(client) == [("fault", "1", "overloaded"), *item(1)]


async def test_who_is_not_there_any_more_when_names_are_asked_for_again_is_left_alone(monkeypatch):
    clock = Clock(monkeypatch)
    stage, runs, client = watching()
    runs.refuse("overloaded", stage.link.calls.pop(), retry=True)
    client.say("cancel 1")
    await clock.wait(5)
    assert stage.link.calls == []
    assert is_empty(stage)


async def test_a_new_view_whose_arguments_can_not_be_named_at_all_ends():
    stage, runs, client = watching()
    runs.refuse("plug_error", stage.link.calls.pop())
    assert told(client) == [("error", "1", "plug_error")]
    assert is_empty(stage)


async def test_long_arguments_are_not_remembered_and_many_are_forgotten(monkeypatch):
    monkeypatch.setattr("plugsock.gateway.naming.MOST", 2)
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    client.say(f'watch 1 v {{"a":"{"x" * 5000}"}}')
    runs.take()
    known = stage.gateway.views._naming._known
    assert not known
    for id in (2, 3, 4):
        client.say(f'watch {id} v {{"a":{id}}}')
        runs.take()
    assert [spelling[-1] for spelling in known] == [b'{"a":4}']


async def test_json_and_messagepack_are_asked_about_each_for_itself():
    stage = Stage(view())
    runs, client = Runs(stage), stage.client()
    client.say('watch 1 v {"a":1}')
    client.say(b"watch 2 v " + msgspec.msgpack.encode({"a": 1}), binary=True)
    runs.value(1)
    assert len(runs.names) == 2
    assert [frame for _, frame in client.wire.frames] == [b"item 1 1", b"item 2 1"], "both in the socket's format"
    client.wire.frames.clear()
    client.say("cancel 2")
    assert client.wire.frames[0][0], "the end in that of its question"


async def test_who_is_jammed_while_names_can_not_be_told_gets_the_value_in_the_end(monkeypatch):
    clock = Clock(monkeypatch)
    stage, runs, client = watching()
    client.wire.is_jammed = True
    runs.refuse("overloaded", stage.link.calls.pop(), retry=True)
    client.wire.is_jammed = False
    client.peer.cleared()
    assert client.heard() == []
    await clock.wait(1.0)
    runs.value(1)
    assert told(client) == item(1)


async def test_a_change_of_rights_asks_anew_instead_of_once_more(tmp_path, monkeypatch):
    clock = Clock(monkeypatch)
    stage = guarded(view(audience="user"), data=tmp_path)
    runs, client = Runs(stage), reader(stage)
    client.say("watch 2 v")
    for change in (stage.gateway.identities.revoke, stage.gateway.identities.grant):
        runs.refuse("overloaded", stage.link.calls.pop(), retry=True)
        await change("ada", "other")
    runs.refuse("overloaded", stage.link.calls.pop(), retry=True)
    await clock.wait(1.0)
    [(_, waiting)] = stage.gateway.views._naming._asked.values()
    assert len(waiting) == 1
