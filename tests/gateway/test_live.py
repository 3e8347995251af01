"""Views that fail, and clients that read slowly."""

import asyncio

import pytest

from support.scripted import Stage
from support.viewed import Clock, Runs, is_empty, item, told, view


def watching(*events, count=1, say="watch 1 v"):
    stage = Stage(*(events or (view(on=("a",)),)))
    clients = [stage.client() for _ in range(count)]
    for client in clients:
        client.say(say)
    return stage, Runs(stage), *clients


FAULT = [("fault", "1", "own")]


# Faults.


async def test_a_run_that_fails_is_told_once_and_the_next_good_one_mends_it():
    _stage, runs, client = watching()
    runs.value(1)
    for _ in range(3):
        runs.touch("a")
        runs.fault()
    assert told(client) == item(1) + FAULT
    runs.touch("a")
    runs.value(1)
    assert told(client) == item(1)


async def test_another_fault_is_told():
    _stage, runs, client = watching()
    runs.fault()
    runs.touch("a")
    runs.fault(message="No, really.")
    assert told(client) == FAULT * 2


async def test_a_fault_is_told_in_both_formats_and_to_who_comes_later():
    stage, runs, text = watching()
    binary, late = stage.client(), stage.client()
    binary.hello(format="msgpack")
    runs.fault()
    binary.say("watch 2 v")
    runs.fault()
    late.say("watch 1 v")
    assert told(text) == told(late) == FAULT
    assert told(binary) == [("fault", "2", "own")]


async def test_after_a_swap_the_same_fault_is_not_told_again():
    stage, runs, client = watching()
    runs.fault()
    stage.swap(view(revision="r2", on=("a",)))
    runs.fault()
    client.wire.frames = [frame for frame in client.wire.frames if not frame[1].startswith(b"notice")]
    assert told(client) == FAULT


async def test_what_a_run_that_failed_had_read_wakes_it():
    _stage, runs, client = watching(view())
    runs.fault(reads=("b",))
    runs.touch("b")
    runs.value(1)
    assert told(client) == FAULT + item(1)


@pytest.mark.parametrize("code", ["overloaded", "worker_lost", "timeout"])
async def test_a_run_that_could_not_be_done_is_done_later(monkeypatch, code):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching()
    for wait_s in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        runs.refuse(code, retry=True)
        await clock.wait(wait_s - 0.1)
        assert runs.take() == []
        await clock.wait(0.1)
    runs.value(1)
    assert told(client) == [("fault", "1", code), *item(1)]
    runs.touch("a")
    runs.refuse(code, retry=True)
    await clock.wait(1.0)
    runs.value(1)
    assert told(client) == [("fault", "1", code), *item(1)]


async def test_it_is_tried_again_when_the_worker_says(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching()
    runs.refuse("overloaded", retry=True, after_ms=100)
    await clock.wait(0.1)
    runs.value(1)
    assert told(client) == [("fault", "1", "overloaded"), *item(1)]


async def test_what_would_not_get_better_is_not_tried_again(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching()
    runs.refuse("plug_error")
    await clock.wait(100)
    assert runs.take() == []
    runs.touch("a")
    runs.value(1)
    assert told(client) == [("fault", "1", "plug_error"), *item(1)]


async def test_a_change_that_came_before_it_failed_has_it_run_at_once(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching()
    call = runs.one()
    runs.touch("a")
    runs.refuse("overloaded", call, retry=True)
    runs.value(1)
    for call in runs.take():
        runs.value(1, call)
    await clock.wait(100)
    assert runs.take() == []
    assert told(client) == [("fault", "1", "overloaded"), *item(1)]


async def test_a_run_without_an_answer_is_ended_in_time_and_done_again(monkeypatch):
    monkeypatch.setattr("plugsock.gateway.live.FIRST_RETRY_S", 0.0)
    stage, runs, client = watching(view(timeout=0.02))
    slow = runs.one()
    await asyncio.wait_for(stage.link.hears("cancel", slow.sequence), 10)
    assert told(client) == [("fault", "1", "timeout")]
    runs.value("late", slow)
    assert told(client) == []


async def test_a_run_that_a_swap_ended_is_done_again_even_if_nobody_hears_of_the_swap(monkeypatch):
    clock = Clock(monkeypatch)
    _stage, runs, client = watching()
    runs.refuse("gone")
    await clock.wait(1.0)
    runs.value(1)
    assert told(client) == item(1)


async def test_arguments_that_do_not_fit_end_it():
    stage, runs, client = watching(count=1)
    runs.refuse("bad_payload", path="$.a")
    assert told(client) == [("error", "1", "bad_payload")]
    assert is_empty(stage)


async def test_a_fault_that_can_not_be_read_is_one_all_the_same():
    stage, runs, client = watching()
    stage.gateway.answer(runs.one().sequence, 1, b"\xff", 0.001, None)
    assert told(client) == [("fault", "1", "plug_error")]


# Who reads slowly.


@pytest.mark.fault("R2")
async def test_who_takes_no_more_is_sent_only_the_newest_value_once_they_do():
    _stage, runs, slow, quick = watching(count=2)
    runs.value(0)
    slow.wire.is_jammed = True
    for number in range(1, 100):
        runs.touch("a")
        runs.value(number)
    assert told(slow) == item(0)
    assert len(told(quick)) == 100
    assert len(slow.peer.late) == 1
    slow.wire.is_jammed = False
    slow.peer.cleared()
    assert told(slow) == item(99)
    assert slow.peer.session.watches[b"1"].sent == 2
    slow.peer.cleared()
    assert told(slow) == []


@pytest.mark.fault("R2")
async def test_who_takes_more_when_the_value_is_again_what_it_was_is_sent_nothing():
    _stage, runs, slow = watching()
    runs.value(0)
    slow.wire.is_jammed = True
    for value in (1, 0):
        runs.touch("a")
        runs.value(value)
    slow.wire.is_jammed = False
    slow.peer.cleared()
    assert told(slow) == item(0)


@pytest.mark.fault("R2")
async def test_who_is_jammed_again_while_it_is_told_waits_again():
    _stage, runs, slow = watching()
    slow.say("watch 2 v")
    slow.wire.is_jammed = True
    runs.value(0)
    slow.peer.cleared()
    assert len(slow.peer.late) == 2
    slow.wire.is_jammed = False
    slow.peer.cleared()
    assert sorted(told(slow)) == item(0) + item(0, 2)
    assert not slow.peer.late


@pytest.mark.fault("R2")
async def test_who_is_jammed_gets_no_difference_to_what_it_has_not_got():
    _stage, runs, slow, _quick = watching(count=2, say="watch 1 v?patch")
    runs.value(0)
    slow.wire.is_jammed = True
    for value in (1, 2):
        runs.touch("a")
        runs.value(value, patch=b"9")
    slow.wire.is_jammed = False
    slow.peer.cleared()
    assert told(slow) == item(0) + item(2)
    runs.touch("a")
    runs.value(3, patch=b"9")
    assert told(slow) == [("patch", "1", 9)]


async def test_a_view_that_is_closed_while_its_client_is_jammed_is_not_told_later():
    stage, runs, slow = watching()
    slow.wire.is_jammed = True
    runs.value(0)
    slow.say("cancel 1")
    assert not slow.peer.late
    slow.peer.cleared()
    assert told(slow) == [("error", "1", "cancelled")]
    assert is_empty(stage)


async def test_a_view_that_wakes_itself_and_is_answered_at_once_is_no_recursion():
    stage, runs, client = watching()
    runs.value(0)
    said, again = [], asyncio.Event()

    def answer(call):
        said.append(call)
        if len(said) == 1:
            runs.touch("a")
        else:
            again.set()
        runs.value(len(said), call)

    stage.link.call = answer
    runs.touch("a")
    assert len(said) == 1
    await again.wait()
    client.say("cancel 1")
    assert told(client) == [*item(0), *item(1), *item(2), ("error", "1", "cancelled")]
    assert is_empty(stage)
