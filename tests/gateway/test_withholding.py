"""What may not be seen any more is taken back from an open socket, on both event loops, over real TCP."""

import asyncio
import zlib

import msgspec
import pytest

from plugsock.gateway.outbox import OVERHEAD
from plugsock.gateway.protected import Protected, may_see, revoked
from plugsock.hub.rights import NOBODY
from support.client_frames import PING, client_frame, close
from support.wires import connected, serving, silent, upgrade

NEEDS = (("orders.read",),)
SECRET = b"s3cret"
MIB = 1 << 20


def secret(head, size=0):
    return Protected(head + b" " + SECRET + b"." * size, NEEDS)


def nobody_may(frame):
    return may_see(NOBODY, frame)


async def stuck(server, client):
    """A connection whose transport takes no more, since its client does not read; filled with what is for everybody."""
    client.writer.transport.pause_reading()
    wire = (await server.conversation()).wire
    for _ in range(1_000):
        if wire.is_jammed:
            break
        wire.send(True, b"x" * 65_000)
        await asyncio.sleep(0)
    assert wire.is_jammed
    return wire


@pytest.mark.fault("A6")
@pytest.mark.parametrize("binary", [False, True])
async def test_what_waits_is_taken_back_and_an_answer_is_replaced(binary):
    async with serving(silent) as server, connected(server) as client:
        wire = await stuck(server, client)
        for frame in (b"ok 1 1", secret(b"item 7"), secret(b"ok 7"), secret(b"push - news"), b"ok 2 1"):
            wire.send(binary, frame)
        wire.withhold(nobody_may, revoked)
        client.writer.transport.resume_reading()
        rest = await frames_until(client, b"ok 2 1")
        assert not any(SECRET in payload for _, payload in rest)
        [first, (opcode, error), last] = rest[-3:]
        assert (first[1], last[1]) == (b"ok 1 1", b"ok 2 1")
        assert opcode == (0x82 if binary else 0x81)
        verb, id, payload = error.split(b" ", 2)
        assert (verb, id) == (b"error", b"7")
        assert (msgspec.msgpack if binary else msgspec.json).decode(payload)["code"] == "revoked"


async def frames_until(client, last):
    frames = []
    while not frames or frames[-1][1] != last:
        frames += await client.frames(1)
    return frames


@pytest.mark.fault("A6")
async def test_what_waits_compressed_or_not_is_compressed_as_if_nothing_had_been_taken_back():
    offer = {"sec-websocket-extensions": "permessage-deflate"}
    async with serving(silent, compression=True) as server, connected(server, upgrade(server.port, **offer)) as client:
        await client.response()
        wire = (await server.conversation()).wire
        wire.send(False, b"ok 1 " + b"a" * 200)
        wire.send(False, secret(b"ok 2", 200))
        wire.send(False, b"ok 3 " + b"a" * 200)
        wire.withhold(nobody_may, revoked)
        inflate = zlib.decompressobj(-15)
        frames = [payload for _, payload in await client.frames(3)]
        texts = [inflate.decompress(payload + b"\x00\x00\xff\xff") for payload in frames]
        assert texts[0] == b"ok 1 " + b"a" * 200
        assert texts[1].startswith(b'error 2 {"code":"revoked"')
        assert texts[2] == b"ok 3 " + b"a" * 200


@pytest.mark.fault("A6")
async def test_a_socket_is_cut_off_if_what_is_forbidden_lies_between_here_and_the_kernel():
    async with serving(silent) as server, connected(server) as client:
        client.writer.transport.pause_reading()
        conversation = await server.conversation()
        wire = conversation.wire
        while not wire.is_jammed:
            wire.send(True, secret(b"push - news", 60_000))
            await asyncio.sleep(0)
        handed = wire._handed - wire._transport.get_write_buffer_size()
        wire.send(False, secret(b"ok 7"))
        wire.withhold(nobody_may, revoked)
        assert wire._transport.is_closing()
        async with asyncio.timeout(10):
            await conversation.is_closed.wait()
        client.writer.transport.resume_reading()
        received = 0
        try:
            while data := await client.reader.read(MIB):
                received += len(data)
        except ConnectionResetError:
            pass
        assert received <= handed + wire._handed // 1_000  # heads of frames are longer than OVERHEAD counts


async def test_a_socket_stays_if_the_kernel_has_it_all():
    async with serving(silent) as server, connected(server) as client:
        wire = (await server.conversation()).wire
        wire.send(False, secret(b"ok 7"))
        assert [payload for _, payload in await client.frames(1)] == [b"ok 7 " + SECRET]
        wire.withhold(nobody_may, revoked)
        wire.send(False, b"ok 8 1")
        assert await client.frames(1) == [(0x81, b"ok 8 1")]


async def test_a_socket_stays_that_was_stuck_with_what_is_forbidden_and_is_so_no_more():
    async with serving(silent) as server, connected(server) as client:
        client.writer.transport.pause_reading()
        wire = (await server.conversation()).wire
        sent = 0
        while not wire.is_jammed:
            wire.send(True, secret(b"push - news", 60_000))
            sent += 1
            await asyncio.sleep(0)
        client.writer.transport.resume_reading()
        await client.frames(sent)
        assert not wire._given._frames
        wire = await stuck(server, client)
        wire.withhold(nobody_may, revoked)
        assert wire.is_open
        client.writer.transport.resume_reading()


async def test_nothing_is_counted_as_unsent_that_was_taken_back():
    async with serving(silent) as server, connected(server) as client:
        wire = await stuck(server, client)
        unsent = wire._queued - wire._handed
        waiting = sum(len(payload) + OVERHEAD for _, payload in wire._outbox)
        assert unsent == waiting
        for number in range(50):
            wire.send(True, secret(b"item 7", number))
            wire.send(True, secret(b"ok 7"))
            wire.send(True, b"ok 8 1")
        wire.withhold(nobody_may, revoked)
        assert wire._queued - wire._handed == sum(len(payload) + OVERHEAD for _, payload in wire._outbox)
        client.writer.transport.resume_reading()
        await frames_until(client, b"ok 8 1")
        client.send(client_frame(PING, b"?"))
        while (await client.frames(1))[0] != (0x8A, b"?"):
            pass
        assert wire._queued == wire._handed


@pytest.mark.parametrize("ending", [close(1000), b"\xff\xff"])
async def test_what_is_protected_does_not_wait_on_a_connection_that_no_revoke_reaches(ending):
    async with serving(silent) as server, connected(server) as client:
        wire = await stuck(server, client)
        wire.send(True, secret(b"ok 7"))
        client.send(ending)
        async with asyncio.timeout(10):
            await (await server.conversation()).is_closed.wait()
        assert not any(isinstance(payload, Protected) for _, payload in wire._outbox)
        client.writer.transport.resume_reading()
        assert not any(SECRET in payload for _, payload in await client.rest())


async def test_what_is_protected_still_goes_before_a_close_if_it_can():
    def answer(wire, binary, message):
        wire.send(binary, secret(b"ok 7"))

    async with serving(answer) as server, connected(server) as client:
        client.send(client_frame(1, b"call") + close(1000))
        assert [payload for _, payload in await client.rest()] == [b"ok 7 " + SECRET, b"\x03\xe8"]
