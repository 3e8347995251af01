import asyncio
import socket
import time
from contextlib import asynccontextmanager

import pytest

from plugsock.ops import log
from plugsock.ops.parcels import of_worker
from plugsock.rpc import batches
from plugsock.rpc.batches import LONG, Parcel
from plugsock.rpc.frames import OK
from plugsock.rpc.page import STARTED, TAKEN_BACK, private
from plugsock.worker import process as processes
from plugsock.worker.process import Process
from support.ends import Echo, Ends, call


@asynccontextmanager
async def connected():
    ends = await Ends().connect()
    try:
        yield ends
    finally:
        await ends.close()


@asynccontextmanager
async def alone(directory):
    """A process whose gateway is a bare socket."""
    process = Process(directory, 1, private())
    engine = Echo(process)
    process.attach(engine)
    here, there = socket.socketpair()
    there.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: process, here)
    with there:
        try:
            yield process, engine, there
        finally:
            process.close()
            await process.over


async def test_calls_in_a_row_are_marked_as_such():
    async with connected() as ends:
        ends.engine.heard.clear()
        ends.link.call(call(1))
        ends.link.call(call(2))
        ends.link.cancel(1)
        await ends.owner.answer_of(2)

        assert ends.engine.heard == [("batch_began",), ("call", 1), ("call", 2), ("cancel", 1), ("batch_ended",)]


async def test_a_long_row_of_calls_lets_answers_out_and_others_in():
    async with connected() as ends:
        answered = []
        ends.owner.sink.hear = lambda said: answered.append((said.sequence, len(ends.engine.heard)))

        def compute(call):
            time.sleep(processes.SLICE_S)
            ends.process.answer(call.sequence, OK, b"", 0.0, None)

        ends.engine.on_call = compute
        for sequence in range(1, 6):
            ends.link.call(call(sequence))
        await ends.owner.answer_of(5)

        began = [said for said in ends.engine.heard if said == ("batch_began",)]
        assert len(began) >= 5
        assert answered[0][1] < len(ends.engine.heard)
        assert [sequence for sequence, _ in answered] == [1, 2, 3, 4, 5]


async def test_what_arrives_while_a_row_is_interrupted_waits_for_its_end():
    async with connected() as ends:
        ends.engine.on_call = lambda _call: time.sleep(processes.SLICE_S)
        for sequence in range(1, 6):
            ends.link.call(call(sequence))
        await ends.engine.until(lambda: ("call", 1) in ends.engine.heard)
        ends.link.cancel(5)
        await ends.engine.until(lambda: ("cancel", 5) in ends.engine.heard)

        words = [said for said in ends.engine.heard if said[0] in ("call", "cancel")]
        assert words == [*(("call", sequence) for sequence in range(1, 6)), ("cancel", 5)]


async def test_what_one_message_fails_with_does_not_keep_others_from_being_done(capsys):
    log.configure()
    async with connected() as ends:
        ends.engine.on_call = lambda call: (
            ends.process.answer(call.sequence, OK, b"", 0.0, None) if call.sequence > 1 else 1 / 0
        )
        ends.link.call(call(1))
        ends.link.call(call(2))
        await ends.owner.answer_of(2)

        assert ends.engine.heard[-1] == ("batch_ended",)
    assert "a message of the gateway failed" in capsys.readouterr().err


async def test_it_gives_a_sign_of_life_at_once_and_goes_on(monkeypatch):
    monkeypatch.setattr(processes, "BEAT_S", 0.01)
    async with connected() as ends:
        ends.engine.lost_threads = 3
        await ends.owner.until(lambda: len(ends.owner.beats) >= 3)

        assert [lost for _, lost in ends.owner.beats[-2:]] == [3, 3]


async def test_a_sign_of_life_says_how_late_the_loop_was(monkeypatch):
    monkeypatch.setattr(processes, "BEAT_S", 0.01)
    async with connected() as ends:
        time.sleep(0.1)  # noqa: ASYNC251 - that is what makes it late
        await ends.owner.until(lambda: len(ends.owner.beats) >= 2)

        assert max(lag for lag, _ in ends.owner.beats) >= 0.05


async def test_it_is_over_when_the_gateway_says_so():
    async with connected() as ends:
        ends.link.stop()

        assert await ends.process.over is True


async def test_it_is_over_when_the_gateway_has_gone():
    async with connected() as ends:
        ends.link.close()

        assert await ends.process.over is False


@pytest.mark.parametrize("end", ["stop", "close"])
async def test_when_it_is_over_nobody_waits_for_answers_any_more(end):
    async with connected() as ends:
        getattr(ends.link, end)()
        await ends.process.over

        await ends.engine.until(lambda: ends.engine.is_cut_off)


async def test_it_is_over_once():
    async with connected() as ends:
        ends.link.stop()
        await ends.process.over
        ends.link.close()
        await ends.owner.loss()

        assert ends.process.over.result() is True


async def test_a_process_without_a_connection_can_be_closed(tmp_path):
    process = Process(tmp_path, 1, private())
    process.close()
    process.connection_lost(None)
    assert await process.over is False


@pytest.mark.parametrize("garbage", [b"\0\0\0\x04evil", b"\xff\xff\xff\xff"])
async def test_a_gateway_that_can_not_be_understood_is_hung_up_on(garbage, tmp_path, capsys):
    log.configure()
    async with alone(tmp_path) as (process, engine, there):
        body = batches.encode([batches.Cancel(7)])
        await asyncio.get_running_loop().sock_sendall(there, batches.head(len(body)) + body + garbage)

        assert await process.over is False
        assert ("cancel", 7) in engine.heard
    assert "the gateway can't be understood" in capsys.readouterr().err


ALONE = {
    "missing": [Parcel(9, LONG)],
    "of another size": [Parcel(1, LONG)],
    "too long": [Parcel(1, processes.LONGEST_PAYLOAD + 1)],
    "of no call": [Parcel(1, LONG + 1), batches.Cancel(7)],
}


@pytest.mark.parametrize("what", ALONE)
async def test_a_parcel_that_can_not_be_taken_ends_it_and_no_call_is_run_without_its_payload(what, tmp_path, capsys):
    log.configure()
    down, _ = of_worker(tmp_path, 1)
    assert down.put(bytes(LONG + 1)) == 1
    began = batches.Began(7, "echo", "5e0c1a22", 0, "s1", 0, 0, 32, "", "", "", b"")
    async with alone(tmp_path) as (process, engine, there):
        body = batches.encode([*ALONE[what], began])
        await asyncio.get_running_loop().sock_sendall(there, batches.head(len(body)) + body)

        assert await process.over is False
        assert ("call", 7) not in engine.heard
    assert "the gateway can't be understood" in capsys.readouterr().err


async def test_a_parcel_at_the_end_of_a_batch_belongs_to_nothing(tmp_path, capsys):
    log.configure()
    async with alone(tmp_path) as (process, _engine, there):
        body = batches.encode([Parcel(1, LONG + 1)])
        await asyncio.get_running_loop().sock_sendall(there, batches.head(len(body)) + body)

        assert await process.over is False
    assert "followed by nothing" in capsys.readouterr().err


async def test_nothing_is_written_that_nobody_would_take(tmp_path):
    async with alone(tmp_path) as (process, _engine, _there):
        process.close()
        process.answer(7, OK, bytes(LONG + 1), 0.0, None)
        await process.over

        assert list(tmp_path.iterdir()) == []


async def test_calls_that_were_taken_back_are_given_back_and_not_begun():
    async with connected() as ends:
        ends.link.call(call(1))
        await ends.owner.answer_of(1)
        ends.page[TAKEN_BACK] = 3
        for sequence in range(2, 5):
            ends.link.call(call(sequence))
        await ends.owner.answer_of(4)

        assert [said[1] for said in ends.engine.heard if said[0] == "call"] == [1, 4]
        assert ends.owner.given_back == [2, 3]
        assert ends.page[STARTED] == 4
