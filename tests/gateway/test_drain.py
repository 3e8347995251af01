"""The graceful end: every accepted call is answered, every client is told when to come back."""

import asyncio
import json

import pytest

from plugsock.gateway.drain import Drain
from plugsock.model import Kind
from support.scripted import Stage, announce


@pytest.mark.fault("D1")
async def test_idle_sockets_are_told_and_closed_at_once():
    stage = Stage(announce("a"))
    clients = [stage.client() for _ in range(10)]
    await Drain(stage.gateway).run(10.0)
    slots = [json.loads(client.heard()[0].removeprefix("notice goodbye "))["retry_ms"] for client in clients]
    assert slots == sorted(slots)
    assert len(set(slots[::2])) == 5
    assert [client.wire.closed[0] for client in clients] == [4000] * 10


@pytest.mark.fault("D2")
async def test_open_calls_are_answered_before_their_socket_closes():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.say("call 2 a")
    async with asyncio.TaskGroup() as group:
        group.create_task(Drain(stage.gateway).run(10.0))
        await asyncio.sleep(0)
        client.say("call 3 a")
        stage.answer(stage.link.calls[0], 1)
        await asyncio.sleep(0)
        assert client.wire.closed is None
        stage.answer(stage.link.calls[1], 2)
    await asyncio.sleep(0)
    goodbye, refused, *answers = client.heard()
    assert goodbye.startswith("notice goodbye")
    assert '"overloaded"' in refused
    assert answers == ["ok 1 1", "ok 2 2"]
    assert client.wire.closed is not None


@pytest.mark.fault("D3")
async def test_a_call_longer_than_the_limit_is_told_that_the_server_ends():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    await Drain(stage.gateway).run(0.01)
    assert client.faults() == [("1", "cancelled")]


async def test_a_stream_is_not_waited_for():
    stage = Stage(announce("ticks", kind=Kind.STREAM))
    client = stage.client()
    client.say("call 1 ticks")
    await Drain(stage.gateway).run(60.0)
    assert client.faults() == [("1", "cancelled")]


@pytest.mark.fault("D4")
async def test_hurrying_ends_the_wait():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    drain = Drain(stage.gateway)
    async with asyncio.TaskGroup() as group:
        group.create_task(drain.run(60.0))
        await asyncio.sleep(0)
        drain.hurry()
    assert client.faults() == [("1", "cancelled")]


async def test_nobody_waits_for_a_caller_that_has_left():
    stage = Stage(announce("a"))
    client = stage.client()
    client.hello()
    client.say("call 2 a")
    async with asyncio.TaskGroup() as group:
        group.create_task(Drain(stage.gateway).run(60.0))
        await asyncio.sleep(0)
        client.leave()


async def test_a_swap_while_draining_puts_nothing_in_force():
    stage = Stage(announce("a", "r1"))
    client = stage.client()
    client.say("call 1 a")
    async with asyncio.TaskGroup() as group:
        group.create_task(Drain(stage.gateway).run(60.0))
        await asyncio.sleep(0)
        number = stage.swap(announce("a", "r2"))
        assert ("commit", number, []) in stage.link.said
        assert not stage.gateway.routes.by_name
        stage.gateway.changed(["a.py"])
        assert ("look", "a.py") not in stage.link.said
        stage.answer(stage.link.calls[0], 1)
