"""The benchmark of views and topics notices a socket that is told too little, too much or something else."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

if sys.platform != "linux":
    pytest.skip("the benchmarks need Linux", allow_module_level=True)

import crowd
import fanout
import live
from contestants import Spent, serving
from fanout import BARE, WAYS, Batch, Shape, value_of
from listener import BrokenPromise, Listener, frame_of
from machine import BenchmarkError
from report import Report
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SOCKETS = 3
VIEW, PUBLISH = WAYS


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE_S", 0.2)


@asynccontextmanager
async def telling(*told: str) -> AsyncIterator[int]:
    """A server that welcomes whoever says hello, and then tells the first of them these messages, the others `news`."""

    async def converse(connection: ServerConnection) -> None:
        nonlocal came
        came += 1
        number = came
        try:
            await connection.send(f"welcome {(await connection.recv()).split()[1]} {{}}")
            if number == SOCKETS:
                everybody.set()
            await everybody.wait()
            for message in told if number == 1 else ("news",):
                await connection.send(message)
            await connection.wait_closed()
        except ConnectionClosed:
            pass

    came, everybody = 0, asyncio.Event()
    async with serve(converse, "127.0.0.1", 0, compression=None) as listening:
        yield next(iter(listening.sockets)).getsockname()[1]


async def in_crowd(act: Callable, *told: str):
    def listen(port: int):
        with crowd.gathered(port, SOCKETS, ("hello 1 plugsock {}",)) as gathered:
            return act(gathered)

    async with telling(*told) as port:
        return await asyncio.to_thread(listen, port)


def hear_news(gathered):
    return gathered.hear("news")


async def test_a_crowd_has_heard_when_each_was_told_once():
    assert await in_crowd(hear_news, "news") > 0


async def test_notices_may_come_in_between():
    assert await in_crowd(hear_news, 'notice plugs {"changed":[]}', "news") > 0


async def test_one_who_is_not_told_is_missed(impatient):
    with pytest.raises(BrokenPromise, match="1 of 3 sockets were not told `news`"):
        await in_crowd(hear_news)


@pytest.mark.parametrize("told", [("other",), ("news", "news"), ("news", "other")])
async def test_another_message_or_one_too_many_is_a_broken_promise(told, impatient):
    def hear_twice(gathered):
        gathered.hear("news")
        gathered.hear("nothing more")

    with pytest.raises(BrokenPromise, match="was due"):
        await in_crowd(hear_twice, *told)


async def test_a_message_that_comes_in_pieces_is_one():
    long = "x" * 300_000

    def hear_pieces(gathered):
        return [message for message in gathered.overhear(1.0) if message != "news"]

    assert await in_crowd(hear_pieces, long) == [long]


async def test_whoever_is_told_nothing_overhears_nothing():
    def overhear_twice(gathered):
        gathered.hear("news")
        return gathered.overhear(0.1)

    assert await in_crowd(overhear_twice, "news") == []


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_frames_of_all_lengths_are_read_as_they_were_built(length):
    listener = Listener.__new__(Listener)
    listener._unread = bytearray()
    message = "x" * length
    assert listener.take(frame_of(message)[:5]) == ([message] if length <= 3 else [])
    assert listener.take(frame_of(message)[5:]) == ([message] if length > 3 else [])


@pytest.mark.parametrize("size", fanout.SIZES)
def test_values_have_their_size_and_their_number(size):
    values = {value_of(number, size) for number in range(fanout.FIRST, fanout.FIRST + 5)}
    assert (len(values), {len(value) for value in values}) == (5, {size})


def test_what_one_says_to_the_bare_loop_is_written_to_all_others():
    with serving(BARE) as server, crowd.gathered(server.port, SOCKETS, ()) as gathered, Listener(server.port) as driver:
        for way in WAYS:
            for size in fanout.SIZES:
                batch = fanout._batch(server, gathered, driver, way, size, 2)
                assert len(batch.taken_s) == 2
        assert gathered.overhear(0.05) == []


def run_batch(monkeypatch, way, looks):
    counts = iter(looks)
    monkeypatch.setattr(fanout, "_looks", lambda driver: next(counts))
    monkeypatch.setattr(fanout, "_spread", lambda *_: 0.001)
    return fanout._batch(SimpleNamespace(name="plugsock", cpu=lambda: Spent(1.0, 2.0)), None, None, way, 100, 10)


def test_a_view_has_to_run_once_a_change_and_never_for_a_push(monkeypatch):
    assert len(run_batch(monkeypatch, VIEW, (3, 13)).taken_s) == 10
    assert len(run_batch(monkeypatch, PUBLISH, (3, 3)).taken_s) == 10


@pytest.mark.parametrize(("way", "looks"), [(VIEW, (3, 14)), (VIEW, (3, 12)), (PUBLISH, (3, 4))])
def test_one_run_more_or_less_is_a_broken_promise(monkeypatch, way, looks):
    with pytest.raises(BrokenPromise, match="the view ran"):
        run_batch(monkeypatch, way, looks)


def test_a_change_may_cost_and_take_half_as_much_again_as_the_bare_loop():
    bare = [Batch(0.010, 0.0, [0.020, 0.020])]
    targets = fanout._fan_out_targets(VIEW, 100, bare, [Batch(0.012, 0.003, [0.030, 0.030])])
    assert [target.met for target in targets] == [True, True]
    targets = fanout._fan_out_targets(VIEW, 100, bare, [Batch(0.013, 0.003, [0.031, 0.031])])
    assert [target.met for target in targets] == [False, False]


def test_what_is_too_little_to_be_measured_decides_nothing():
    with pytest.raises(BenchmarkError, match="too little to be measured"):
        fanout._fan_out_targets(VIEW, 100, [Batch(0.0, 0.0, [0.001])], [Batch(0.001, 0.0, [0.001])])


def test_an_unknown_measurement_is_refused():
    with pytest.raises(BenchmarkError, match="`views` is none of view, publish, swap, slow"):
        live.live(["views"], Shape(1, SOCKETS, 1, 1.0, "plugsock"))


def test_a_broken_promise_fails_the_report_and_the_rest_is_measured(monkeypatch):
    def broken(shape, report):
        raise BrokenPromise("nobody was told")

    monkeypatch.setattr(live, "swap", broken)
    monkeypatch.setattr(live, "slow", lambda shape, report: report.rows.append({"measured": "slow"}))
    report = live.live(["swap", "slow"], Shape(1, SOCKETS, 1, 1.0, "plugsock"))
    assert (report.faults, report.rows) == (["plugsock: nobody was told"], [{"measured": "slow"}])


@pytest.mark.parametrize("measure", ["fan_out", "swap", "slow"])
def test_plugsock_keeps_all_promises(monkeypatch, measure):
    monkeypatch.setattr(live, "SAVES", 2)
    monkeypatch.setattr(live, "SILENCE_S", 0.3)
    shape, report = Shape(1, 2 * SOCKETS, 3, 0.5, "plugsock"), Report("small")
    if measure == "fan_out":
        monkeypatch.setattr(fanout, "_fan_out_targets", lambda *_: [])  # it is too little to be measured
        fanout.fan_out(WAYS, shape, report)
    else:
        getattr(live, measure)(shape, report)
    assert len(report.rows) == (8 if measure == "fan_out" else 1)
