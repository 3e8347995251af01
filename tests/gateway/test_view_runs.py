"""When a view runs again."""

from support.scripted import Stage
from support.viewed import Clock, Runs, item, told, view


def watching(*events, count=1, say="watch 1 v"):
    stage = Stage(*(events or (view(),)))
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


async def test_changes_while_it_runs_lead_to_exactly_one_more_run():
    _stage, runs, client = watching(view(on=("a",)))
    call = runs.one()
    for _ in range(5):
        runs.touch("a")
    assert runs.take() == []
    runs.value(1, call)
    runs.value(2)
    assert runs.take() == []
    assert told(client) == item(1) + item(2)


async def test_a_change_of_what_the_first_run_had_read_by_then_is_not_lost():
    _stage, runs, client = watching()
    call = runs.one()
    runs.touch("a")
    runs.value("old", call, reads=("a",))
    runs.value("new", reads=("a",))
    assert runs.take() == []
    assert told(client) == item("old") + item("new")


async def test_a_change_of_something_else_while_it_runs_leads_to_no_run():
    _stage, runs, _client = watching()
    call = runs.one()
    runs.touch("b")
    runs.value(1, call, reads=("a",))
    assert runs.take() == []


async def test_a_change_while_a_run_fails_is_not_lost_either():
    _stage, runs, client = watching()
    call = runs.one()
    runs.touch("a")
    runs.fault("own", call, reads=("a",))
    runs.value(1)
    assert told(client) == [("fault", "1", "own"), *item(1)]


async def test_runs_begin_no_closer_together_than_the_plug_says(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching(view(on=("a",), throttle_s=0.2))
    runs.value(0)
    for number in range(1, 10):
        runs.touch("a")
        runs.touch("a")
        found = runs.take()
        assert len(found) == (number in {3, 5, 7, 9}), number
        for call in found:
            runs.value(number, call)
        await clock.wait(0.1)
    assert told(client) == item(0) + item(3) + item(5) + item(7) + item(9)


async def test_a_change_that_had_to_wait_is_seen_when_its_time_has_come(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching(view(on=("a",), throttle_s=0.2))
    runs.value(0)
    await clock.wait(0.1)
    runs.touch("a")
    assert runs.take() == []
    await clock.wait(0.1)
    runs.value(1)
    await clock.wait(5)
    assert runs.take() == []
    assert told(client) == item(0) + item(1)


async def test_who_comes_while_it_may_not_run_is_sent_what_is_known(monkeypatch):
    clock = Clock(monkeypatch)
    stage, runs, _first = watching(view(on=("a",), throttle_s=60.0))
    runs.value(0)
    runs.touch("a")
    second = stage.client()
    second.say("watch 1 v")
    assert told(second) == item(0)
    assert runs.take() == []
    await clock.wait(60)
    runs.value(1)
    assert told(second) == item(1)


async def test_it_runs_by_the_clock_from_the_start_of_one_run_to_that_of_the_next(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching(view(every_s=1.0))
    call = runs.one()
    await clock.wait(0.4)
    runs.value(0, call)
    await clock.wait(0.5)
    assert runs.take() == []
    await clock.wait(0.1)
    call = runs.one()
    await clock.wait(3)
    assert runs.take() == []
    runs.value(1, call)
    await clock.wait(0)
    runs.value(2)
    assert told(client) == item(0) + item(1) + item(2)
    client.say("cancel 1")
    await clock.wait(10)
    assert runs.take() == []


async def test_a_change_in_between_moves_the_clock(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, _client = watching(view(on=("a",), every_s=1.0))
    runs.value(0)
    await clock.wait(0.6)
    runs.touch("a")
    runs.value(1)
    await clock.wait(0.6)
    assert runs.take() == []
    await clock.wait(0.4)
    assert len(runs.take()) == 1
