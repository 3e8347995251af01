"""Open sockets, with real TCP on both event loops that the product runs on."""

import asyncio
import socket
import struct
import tracemalloc

import pytest

from plugsock.gateway.outbox import LONG
from plugsock.wire.deflate import Deflater, Inflater
from support.client_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, client_frame, close, text
from support.wires import Recorder, connected, echo, serving, silent, upgrade

MIB = 1024 * 1024


def reset(client):
    """Close with RST instead of FIN."""
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


def stop_reading(client):
    client.writer.transport.pause_reading()


def read_again(client):
    client.writer.transport.resume_reading()


async def closes(conversation):
    async with asyncio.timeout(10):
        await conversation.is_closed.wait()
    return conversation.closes


# Messages.


async def test_texts_and_binaries_are_answered_as_what_they_are():
    async with serving() as server, connected(server) as client:
        client.send(text("gr\u00fc\u00dfe") + client_frame(BINARY, b"\xff\x00"))
        assert await client.frames(2) == [(0x81, "gr\u00fc\u00dfe".encode()), (0x82, b"\xff\x00")]


@pytest.mark.parametrize("size", [0, 125, 126, LONG, LONG + 1, MIB])
async def test_messages_of_every_size_come_back(size):
    async with serving() as server, connected(server) as client:
        client.send(text("x" * size))
        assert await client.frames(1) == [(0x81, b"x" * size)]


@pytest.mark.fault("H7")
async def test_frames_in_the_packet_of_the_handshake_are_read():
    async with serving() as server, connected(server, upgrade(server.port) + text("early") + close(1000)) as client:
        assert b" 101 " in await client.response()
        assert await client.rest() == [(0x81, b"early"), (0x88, b"\x03\xe8")]


@pytest.mark.fault("W19")
async def test_a_session_sent_byte_by_byte_is_understood():
    async with serving() as server, connected(server, b"") as client:
        for byte in upgrade(server.port) + text("slow") + client_frame(PING, b"p"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert b" 101 " in await client.response()
        assert await client.frames(2) == [(0x81, b"slow"), (0x8A, b"p")]


async def test_order_is_kept_between_short_and_long_messages():
    def answer(wire, binary, message):
        for size in (1, LONG + 1, 2, 3 * LONG, 3):
            wire.send(True, b"x" * size)

    async with serving(answer) as server, connected(server) as client:
        client.send(text("go"))
        assert [len(payload) for _, payload in await client.frames(5)] == [1, LONG + 1, 2, 3 * LONG, 3]


async def test_what_is_sent_later_is_flushed_once_a_turn():
    async with serving(silent) as server, connected(server) as client:
        wire = (await server.conversation()).wire
        for number in range(3):
            wire.send(False, b"%d" % number)
        assert await client.frames(3) == [(0x81, b"0"), (0x81, b"1"), (0x81, b"2")]


async def test_a_long_frame_of_one_socket_goes_after_short_ones_of_others():
    handed_over = []
    async with serving(silent) as server, connected(server), connected(server):
        wires = [(await server.conversation(number)).wire for number in range(2)]
        for number, wire in enumerate(wires):
            transport = wire._transport
            wire._transport = Watched(transport, lambda size, number=number: handed_over.append((number, size)))
        wires[0].send(True, b"short")
        wires[0].send(True, b"x" * (LONG + 1))
        wires[1].send(True, b"short too")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert handed_over == [(0, 7), (1, 11), (0, 10), (0, LONG + 1)]


class Watched:
    """A transport that tells how much is handed over at a time."""

    def __init__(self, transport, tell):
        self._transport = transport
        self._tell = tell

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def write(self, data):
        self._tell(len(data))
        self._transport.write(data)


async def test_a_conversation_can_be_replaced():
    async with serving() as server, connected(server) as client:
        first = await server.conversation()
        successor = type(first)(first.wire, lambda wire, binary, message: wire.send(binary, b"new"))
        first.wire.conversation = successor
        assert first.wire.conversation is successor
        client.send(text("who?"))
        assert await client.frames(1) == [(0x81, b"new")]
        client.send(close(1000))
        assert await closes(successor) == [1000]
        first.closes.append(1000)


async def test_the_request_and_the_address_are_known():
    async with serving() as server, connected(server, target="/room?x=1") as client:
        wire = (await server.conversation()).wire
        assert wire.request.target == "/room?x=1"
        assert wire.remote == "{}:{}".format(*client.writer.get_extra_info("sockname"))


# Violations.


@pytest.mark.fault("W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W11")
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(client_frame(1, b"a\xffb" + b"x" * 5_000)[:20], 1007, id="W2"),
        pytest.param(text("x", masked=False), 1002, id="W3"),
        pytest.param(text("x", rsv=4), 1002, id="W4"),
        pytest.param(client_frame(BINARY, length=1 << 63, width=8), 1002, id="W5"),
        pytest.param(client_frame(BINARY, b"x" * 1_024, length=1 << 40, width=8), 1009, id="W6"),
        pytest.param(text("x", width=2), 1002, id="W7"),
        pytest.param(client_frame(PING, b"x" * 126), 1002, id="W8"),
        pytest.param(close(1005), 1002, id="W9"),
        pytest.param(client_frame(CONTINUATION), 1002, id="W11"),
    ],
)
async def test_a_violation_is_closed_with_its_code_after_what_came_before_is_answered(frame, code):
    async with serving() as server, connected(server) as client:
        client.send(text("before") + frame + text("after"))
        frames = await client.rest()
        assert frames[0] == (0x81, b"before")
        assert frames[1][0] == 0x88
        assert int.from_bytes(frames[1][1][:2], "big") == code
        assert len(frames) == 2
        conversation = await server.conversation()
        assert await closes(conversation) == [code]
        assert conversation.messages == [(False, b"before")]


@pytest.mark.fault("W12")
async def test_fragments_without_end_are_closed_1009():
    async with serving(max_message=50_000) as server, connected(server) as client:
        client.send(text("*", fin=False) + client_frame(CONTINUATION, b"*", fin=False) * 60_000)
        assert await client.close_code() == 1009


@pytest.mark.fault("W13")
async def test_a_message_left_unfinished_is_closed_1008():
    async with serving(message_s=0.1) as server, connected(server) as client:
        client.send(text("begun", fin=False))
        assert await client.close_code() == 1008


@pytest.mark.fault("W13")
async def test_a_message_finished_in_time_restarts_the_clock():
    async with serving(message_s=30, ping_s=1_000) as server, connected(server) as client:
        wire = (await server.conversation()).wire
        now = asyncio.get_running_loop().time()
        client.send(text("a", fin=False) + client_frame(PING))
        await client.frames(1)
        wire.tick(now + 29)
        client.send(client_frame(CONTINUATION, b"b") + text("c", fin=False))
        assert await client.frames(1) == [(0x81, b"ab")]
        wire.tick(now + 29)
        assert await client_is_open(client)
        wire.tick(now + 60)
        assert await client.close_code() == 1008


async def client_is_open(client):
    client.send(client_frame(PING, b"open?"))
    return await client.frames(1) == [(0x8A, b"open?")]


# Compression.


async def inflated(client, inflater, count):
    frames = await client.frames(count)
    assert all(first & 0x40 for first, _ in frames)
    return [b"".join([*inflater.inflate(payload), *inflater.finish()]) for _, payload in frames]


async def test_compressed_messages_are_answered_compressed():
    offer = {"sec_websocket_extensions": "permessage-deflate; client_max_window_bits"}
    async with serving(compression=True) as server, connected(server, **offer) as client:
        deflater, inflater = Deflater(12, takeover=True), Inflater(12, takeover=True)
        messages = [b"again and again", b"again and again", b"", b"x" * (2 * LONG), b"end"]
        for message in messages:
            client.send(client_frame(BINARY, deflater.deflate(message), rsv=4))
        client.send(client_frame(PING, b"plain"))
        assert await inflated(client, inflater, 5) == messages
        assert await client.frames(1) == [(0x8A, b"plain")]


@pytest.mark.fault("W14")
@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\x00\x01\x02\x03\x04"])
async def test_garbage_instead_of_compressed_data_is_closed_1007(garbage):
    offer = {"sec_websocket_extensions": "permessage-deflate"}
    async with serving(compression=True) as server, connected(server, **offer) as client:
        client.send(client_frame(BINARY, garbage, rsv=4))
        assert await client.close_code() == 1007


@pytest.mark.fault("W15")
async def test_a_bomb_is_closed_1009_within_its_bound():
    bomb = Deflater(12, takeover=True).deflate(bytes(256 * MIB))
    offer = {"sec_websocket_extensions": "permessage-deflate"}
    async with serving(compression=True) as server, connected(server, **offer) as client:
        tracemalloc.start()
        try:
            client.send(client_frame(BINARY, bomb, rsv=4))
            assert await client.close_code() == 1009
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak <= MIB + 4 * MIB


# Floods.


@pytest.mark.fault("W17")
async def test_10000_pings_in_one_write_are_answered_by_few_pongs():
    async with serving() as server, connected(server) as client, connected(server) as other:
        pings = b"".join(client_frame(PING, b"%d" % number) for number in range(10_000))
        client.send(pings + text("end"))
        assert await other.echoes()
        frames = []
        while not frames or frames[-1] != (0x81, b"end"):
            frames += await client.frames(1)
        assert (0x8A, b"9999") in frames
        assert len(frames) < 1_000


@pytest.mark.fault("W18")
async def test_100000_empty_texts_are_all_answered():
    async with serving() as server, connected(server) as client:
        client.send(text("") * 100_000)
        assert await client.frames(100_000) == [(0x81, b"")] * 100_000


# Slow readers.


async def test_while_too_much_is_unsent_nothing_is_read_and_the_conversation_knows():
    async with serving() as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        message = "x" * 100_000
        for _ in range(200):
            client.send(text(message))
        async with asyncio.timeout(10):
            await conversation.is_congested.wait()
        assert conversation.congestion == [True]
        received = len(conversation.messages)
        assert received < 200
        assert conversation.wire._transport.get_write_buffer_size() < 4 * LONG
        read_again(client)
        assert await client.frames(200) == [(0x81, message.encode())] * 200
        assert conversation.congestion[-1] is False


async def test_who_takes_no_more_is_known_to_and_so_is_when_they_take_more_again():
    async with serving(silent) as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        wire = conversation.wire
        assert not wire.is_jammed
        count = 0
        while not wire.is_jammed:
            wire.send(True, bytes(LONG))
            count += 1
            await asyncio.sleep(0)
        wire.send(True, b"what waits")
        assert conversation.clearings == 0
        read_again(client)
        frames = await client.frames(count + 1)
        assert frames[-1] == (0x82, b"what waits")
        async with asyncio.timeout(10):
            await conversation.is_cleared.wait()
        assert not wire.is_jammed


async def test_messages_wait_in_the_outbox_and_not_in_the_transport():
    async with serving(silent) as server, connected(server) as client:
        stop_reading(client)
        wire = (await server.conversation()).wire
        for _ in range(4_000):
            wire.send(True, b"x" * 1_024)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert wire._transport.get_write_buffer_size() <= LONG + 8 * 1_024
        read_again(client)
        assert len(await client.frames(4_000)) == 4_000


@pytest.mark.fault("R2")
async def test_a_client_that_stops_reading_is_closed_4003():
    async with serving(silent, slow_s=0.1) as server, connected(server) as client, connected(server) as other:
        stop_reading(client)
        conversation = await server.conversation()
        for _ in range(60):
            conversation.wire.send(True, bytes(LONG))
        assert await closes(conversation) == [4003]
        other.send(client_frame(PING))
        assert await other.frames(1) == [(0x8A, b"")]


@pytest.mark.fault("R2")
async def test_a_client_that_reads_the_rest_learns_why_it_was_closed():
    async with serving(silent, slow_bytes=MIB, max_answer=MIB) as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        for _ in range(200):
            conversation.wire.send(True, bytes(LONG))
        assert await closes(conversation) == [4003]
        read_again(client)
        assert await client.close_code() == 4003


async def test_a_client_that_reads_slowly_but_in_time_stays():
    async with serving(silent, slow_s=5) as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        wire = conversation.wire
        for _ in range(60):
            wire.send(True, bytes(LONG))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        now = asyncio.get_running_loop().time()
        wire.tick(now + 4)
        read_again(client)
        await client.frames(60)
        wire.tick(now + 9)
        assert await client_is_open(client)


# Signs of life.


async def test_a_silent_client_is_pinged_and_stays_if_it_answers():
    async with serving(ping_s=0.05, pong_s=5) as server, connected(server) as client:
        assert await client.frames(1) == [(0x89, b"")]
        client.send(client_frame(PONG))
        assert await client.echoes()


async def test_a_client_that_does_not_answer_a_ping_is_closed_4002():
    async with serving(ping_s=0.05, pong_s=0.05, close_s=0.1) as server, connected(server) as client:
        assert await client.close_code() == 4002


async def test_any_frame_counts_as_life():
    async with serving() as server, connected(server) as client:
        wire = (await server.conversation()).wire
        now = asyncio.get_running_loop().time()
        for round_ in range(1, 4):
            wire.tick(now + 25 * round_)
            assert await client.frames(1) == [(0x89, b"")]
            assert await client.echoes()
            wire.tick(now + 25 * round_ + 10)
        assert await client_is_open(client)


# The end.


async def test_the_clients_close_is_answered_with_its_code():
    async with serving() as server, connected(server) as client:
        client.send(text("last") + close(3210, b"bye"))
        assert await client.rest() == [(0x81, b"last"), (0x88, (3210).to_bytes(2, "big"))]
        assert await closes(await server.conversation()) == [3210]


async def test_a_close_without_code_is_answered_without_code():
    async with serving() as server, connected(server) as client:
        client.send(close())
        assert await client.rest() == [(0x88, b"")]
        assert await closes(await server.conversation()) == [1005]


async def test_close_comes_after_what_was_sent_and_nothing_is_received_after_it():
    def answer(wire, binary, message):
        wire.send(binary, message)
        wire.close(4502, "go")
        wire.send(binary, b"too late")
        wire.close(4000)

    async with serving(answer) as server, connected(server) as client:
        client.send(text("one") + text("two") + client_frame(PING))
        assert await client.frames(2) == [(0x81, b"one"), (0x88, (4502).to_bytes(2, "big") + b"go")]
        conversation = await server.conversation()
        assert conversation.closes == []
        client.send(text("three") + close(4502))
        assert await client.rest() == []
        assert await closes(conversation) == [4502]
        assert conversation.messages == [(False, b"one")]


@pytest.mark.fault("W10")
async def test_a_client_that_never_answers_close_is_gone_after_the_limit():
    async with serving(close_s=0.1) as server, connected(server) as client:
        conversation = await server.conversation()
        conversation.wire.close(4502)
        assert await client.close_code() == 4502
        assert await closes(conversation) == [4502]


@pytest.mark.fault("W10")
async def test_a_client_that_keeps_sending_after_a_violation_is_gone_after_the_limit():
    async with serving(close_s=0.1) as server, connected(server) as client:
        client.send(text("x", masked=False))
        assert await client.close_code() == 1002
        with pytest.raises(ConnectionError):
            await send_for_ever(client)


async def send_for_ever(client):
    async with asyncio.timeout(10):
        while True:
            client.send(text("more"))
            await client.writer.drain()
            await asyncio.sleep(0.01)


@pytest.mark.fault("W10")
async def test_data_after_close_is_ignored():
    async with serving() as server, connected(server) as client:
        client.send(close(1000) + text("late") * 1_000)
        assert await client.rest() == [(0x88, b"\x03\xe8")]
        assert (await server.conversation()).messages == []


@pytest.mark.fault("W20")
@pytest.mark.parametrize(
    "begun", [text("whole")[:3], text("fragment", fin=False), b""], ids=["frame", "message", "idle"]
)
async def test_a_connection_reset_in_the_middle_is_closed_1006(begun):
    async with serving() as server, connected(server) as client:
        client.send(begun)
        await client.writer.drain()
        reset(client)
        assert await closes(await server.conversation()) == [1006]


@pytest.mark.fault("W20")
@pytest.mark.parametrize(
    "begun", [text("whole")[:3], text("fragment", fin=False), b""], ids=["frame", "message", "idle"]
)
async def test_a_half_close_is_a_close(begun):
    async with serving() as server, connected(server) as client:
        client.send(begun)
        client.writer.write_eof()
        assert await closes(await server.conversation()) == [1006]
        assert await client.rest() == []


@pytest.mark.fault("W20")
async def test_a_half_close_while_the_client_does_not_read_is_a_close():
    async with serving(silent, high_water=64 * MIB) as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        for _ in range(30):
            conversation.wire.send(True, bytes(LONG))
        client.writer.write_eof()
        assert await closes(conversation) == [1006]


async def test_sending_to_a_client_that_has_just_gone_is_harmless():
    async with serving(silent) as server, connected(server) as client:
        conversation = await server.conversation()
        reset(client)
        for _ in range(20):
            conversation.wire.send(True, bytes(1_000))
            await asyncio.sleep(0)
        assert await closes(conversation) == [1006]
        conversation.wire.send(True, b"")
        conversation.wire.close(4502)


async def test_a_conversation_that_fails_is_logged_and_closed_1011(capsys):
    def answer(wire, binary, message):
        raise ZeroDivisionError

    async with serving(answer) as server, connected(server) as client, connected(server) as other:
        client.send(text("go") + text("again"))
        assert await client.close_code() == 1011
        assert (await server.conversation()).messages == [(False, b"go")]
        assert await client_is_open(other)
    assert "a conversation failed" in capsys.readouterr().err


@pytest.mark.parametrize("moment", ["opened", "congested", "cleared", "closed"])
async def test_a_conversation_may_fail_at_any_moment_and_others_go_on(moment, monkeypatch, capsys):
    def fail(self, *arguments, **named):
        original(self, *arguments, **named)
        raise ZeroDivisionError

    original = getattr(Recorder, moment)
    async with serving(silent, high_water=1) as server, connected(server) as other:
        await server.conversation()
        monkeypatch.setattr(Recorder, moment, fail)
        async with connected(server) as client:
            conversation = await server.conversation(1)
            stop_reading(client)
            for _ in range(100):
                conversation.wire.send(True, bytes(LONG))
            if moment == "congested":
                assert await closes(conversation) == [1011]
            read_again(client)
            if moment == "cleared":
                assert await closes(conversation) == [1011]
            if moment == "closed":
                client.send(close(1000))
                assert await closes(conversation) == [1000]
            if moment == "opened":
                assert await client.close_code() == 1011
        monkeypatch.undo()
        assert await client_is_open(other)
    assert capsys.readouterr().err.count("a conversation failed") == 1


async def test_a_conversation_that_comes_while_the_connection_closes_receives_nothing():
    def answer(wire, binary, message):
        wire.close(4502)
        wire.conversation = server.conversations[0]

    async with serving(answer) as server, connected(server) as client:
        client.send(text("one") + text("two") + close(1000))
        assert await client.close_code() == 4502
        assert (await server.conversation()).messages == [(False, b"one")]


async def test_a_large_answer_before_a_close_arrives_whole():
    def answer(wire, binary, message):
        wire.send(True, bytes(8 * MIB))
        wire.close(4000)

    async with serving(answer) as server, connected(server) as client:
        client.send(text("go"))
        frames = await client.frames(2)
        assert (len(frames[0][1]), frames[1]) == (8 * MIB, (0x88, (4000).to_bytes(2, "big")))


async def test_many_clients_at_once_each_get_their_own_answer():
    async with serving(echo) as server:

        async def talk(number):
            async with connected(server) as client:
                for round_ in range(5):
                    assert await client.echoes(f"{number}/{round_}")
                client.send(client_frame(CLOSE))
                assert await client.close_code() == 1005

        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(talk(number))


async def test_what_one_read_asks_for_is_handed_over_as_it_grows():
    def talk(wire, binary, message):
        wire.send(binary, bytearray(MIB))  # a copy each, as plugs make them

    async with serving(talk, max_answer=MIB) as server, connected(server) as client:
        stop_reading(client)
        conversation = await server.conversation()
        tracemalloc.start()
        try:
            client.send(text("go") * 200)
            assert await closes(conversation) == [4003]
            assert tracemalloc.get_traced_memory()[1] < 32 * MIB
        finally:
            tracemalloc.stop()
