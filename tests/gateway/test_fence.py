"""Fences: has the other side read what was sent to it?"""

import asyncio

import pytest

from plugsock.gateway.fence import Fences, fence
from plugsock.ops.tasks import Tasks
from support.client_frames import PING, PONG, client_frame
from support.wires import connected, serving, silent


def test_a_pong_stands_for_all_pings_before_it():
    heard = []
    fences = Fences()
    payloads = [fences.add(lambda number=number: heard.append(number)) for number in range(3)]
    assert fences.latest == payloads[2]
    fences.answered(b"something else")
    fences.answered(payloads[1])
    assert heard == [0, 1]
    fences.answered(payloads[1])
    fences.end()
    assert heard == [0, 1, 2]
    assert not fences
    assert fences.latest == b""


async def test_a_fence_is_passed_once_the_ping_is_answered():
    async with serving(silent) as server, connected(server) as client:
        wire = (await server.conversation()).wire
        wire.send(False, b"before")
        passed = Tasks("test").spawn("fence", fence([wire], 10))
        [before, (first, payload)] = await client.frames(2)
        assert (before, first) == ((0x81, b"before"), 0x80 | PING)
        assert not passed.done()
        client.send(client_frame(PONG, b"forged"))
        client.send(client_frame(PONG, payload))
        await passed
        assert wire.is_open


async def test_a_ping_for_life_repeats_what_a_fence_waits_for():
    async with serving(silent, ping_s=0.05) as server, connected(server) as client:
        wire = (await server.conversation()).wire
        passed = Tasks("test").spawn("fence", fence([wire], 10))
        [(_, fenced), (_, for_life)] = await client.frames(2)
        assert for_life == fenced
        client.send(client_frame(PONG, for_life))
        await passed


async def test_who_does_not_read_is_cut_off_and_what_the_kernel_held_is_thrown_away():
    async with serving(silent) as server, connected(server) as client, connected(server) as other:
        conversation, others = [await server.conversation(number) for number in range(2)]
        client.writer.transport.pause_reading()
        for _ in range(2_000):
            conversation.wire.send(True, bytes(10_000))
        passed = Tasks("test").spawn("fence", fence([conversation.wire, others.wire], 0.1))
        [(_, payload)] = await other.frames(1)
        other.send(client_frame(PONG, payload))
        await passed
        async with asyncio.timeout(10):
            await conversation.is_closed.wait()
        client.writer.transport.resume_reading()
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        assert others.wire.is_open


async def test_who_goes_meanwhile_is_not_waited_for():
    async with serving(silent) as server, connected(server) as client:
        conversation = await server.conversation()
        passed = Tasks("test").spawn("fence", fence([conversation.wire], 60))
        await client.frames(1)
        client.writer.close()
        await asyncio.wait_for(passed, 10)
        await fence([conversation.wire], 60)


async def test_nobody_is_waited_for_where_nobody_is():
    await fence([], 60)
