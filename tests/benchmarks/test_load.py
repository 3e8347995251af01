"""The load generator notices what it is there to notice: each test runs it against a server that is wrong in one way."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

if sys.platform != "linux" or not any(map(shutil.which, ("cc", "gcc", "clang"))):
    pytest.skip("the load generator needs Linux and a C compiler", allow_module_level=True)

from generator import compile_generator
from plugfiles import tail_of
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Answer = Callable[[int, str, str], Iterable[str]]
"""From a call's id, event and payload to the frames that are sent back."""

NONE = dict.fromkeys(("wrong", "missing", "double", "unknown", "error", "backwards", "closed"), 0)
COUNT = 200
ODD = 50
"""The call that the wrong servers get wrong, on the one connection that there is."""


def right(number: int, event: str, payload: str) -> Iterable[str]:
    return [f"ok {number} {payload}"]


def at_odd(*frames: str) -> Answer:
    """A server that answers one call with these frames, and every other one right."""
    return lambda number, event, payload: (
        [f.format(number=number, payload=payload) for f in frames] if number == ODD else right(number, event, payload)
    )


def versions(of: Callable[[int], int], sum_of: Callable[[int], int] = tail_of) -> Answer:
    """A server whose answers say which version ran."""
    return lambda number, event, payload: [f'ok {number} {{"v":{of(number)},"h":0,"sum":{sum_of(of(number))}}}']


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[int]:
    async def converse(connection: ServerConnection) -> None:
        try:
            async for message in connection:
                _, id, event, payload = message.split(" ", 3)
                for frame in answer(int(id), event, payload):
                    await connection.send(frame)
        except ConnectionClosed:
            pass

    async with serving(converse) as port:
        yield port


@asynccontextmanager
async def serving(converse: Callable) -> AsyncIterator[int]:
    async with serve(converse, "127.0.0.1", 0, compression=None) as listening:
        yield next(iter(listening.sockets)).getsockname()[1]


async def load(port: int, *words: str) -> tuple[int, dict]:
    """Run the generator; return its exit status and what it printed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        str(compile_generator()),
        *words,
        "--port",
        str(port),
        "--patience",
        "0.3",
        "--warmup",
        "0",
        stdout=pipe,
        stderr=pipe,
    )
    output, errors = await process.communicate()
    return process.returncode, json.loads(output) if output else {"said": errors.decode()}


async def load_calls(answer: Answer, *words: str) -> tuple[int, dict]:
    async with server(answer) as port:
        return await load(port, "calls", "--count", str(COUNT), "--connections", "1", "--depth", "8", *words)


async def load_swap(answer: Answer, *words: str) -> tuple[int, dict]:
    async with server(answer) as port:
        return await load(
            port, "swap", "--count", str(COUNT), "--connections", "1", "--depth", "8", "--event", "lasting", *words
        )


async def test_a_right_server_gets_every_call_counted_and_exit_status_0():
    status, result = await load_calls(right)
    assert (status, result["sent"], result["answered"], result["counted"]) == (0, COUNT, COUNT, COUNT)
    assert result["faults"] == NONE


async def test_percentiles_are_in_order_and_below_the_longest():
    _, result = await load_calls(right)
    ranked = [result[name] for name in ("p50_us", "p90_us", "p99_us", "p99_9_us", "max_us")]
    assert ranked[0] > 0
    assert ranked == sorted(ranked)


async def test_ids_are_never_used_twice():
    ids = []
    await load_calls(lambda number, event, payload: ids.append(number) or right(number, event, payload))
    assert ids == list(range(1, COUNT + 1))


async def test_payloads_are_100_bytes_of_json_that_no_two_calls_share():
    payloads = []
    await load_calls(lambda number, event, payload: payloads.append(payload) or right(number, event, payload))
    assert {len(payload) for payload in payloads} == {100}
    assert len({json.loads(payload)["text"] for payload in payloads}) > 1
    assert [json.loads(payload)["number"] for payload in payloads] == list(range(1, COUNT + 1))


@pytest.mark.parametrize(
    ("frames", "faults"),
    [
        (("ok {number} {payload}", "ok {number} {payload}"), {"double": 1}),
        ((), {"missing": 1}),
        (("ok {number} null",), {"wrong": 1}),
        (("ok {number} {payload} ",), {"wrong": 1}),
        (("ok {number}",), {"wrong": 1}),
        (('error {number} {{"code":"plug_error","message":"no"}}',), {"error": 1}),
        (("ok {number} {payload}", "ok 9999 {payload}"), {"unknown": 1}),
        (("ok {number} {payload}", "ok 0 {payload}"), {"unknown": 1}),
        (("ok {number} {payload}", 'error 0 {{"code":"bad_frame","id":"50"}}'), {"unknown": 1}),
        (("ok {number} {payload}", "surprise"), {"unknown": 1}),
        (("ok {number} {payload}", "ok 1 {payload}"), {"double": 1}),
        (("ok {number} {payload}", 'notice plugs {{"changed":[]}}'), {}),
    ],
)
async def test_one_wrong_answer_among_many_is_counted_as_what_it_is(frames, faults):
    status, result = await load_calls(at_odd(*frames))
    assert result["faults"] == NONE | faults
    assert status == (1 if faults else 0)


async def test_two_answers_that_changed_places_are_both_wrong():
    held = []

    def crossed(number, event, payload):
        if number == ODD:
            held.append(payload)
            return []
        if number == ODD + 1:
            return [f"ok {ODD} {payload}", f"ok {number} {held[0]}"]
        return right(number, event, payload)

    _, result = await load_calls(crossed)
    assert result["faults"] == NONE | {"wrong": 2}


async def test_answers_may_come_in_another_order():
    held = []

    def reordered(number, event, payload):
        held.append(f"ok {number} {payload}")
        return [held.pop() for _ in range(4)] if len(held) == 4 else []

    status, result = await load_calls(reordered)
    assert (status, result["faults"]) == (0, NONE)


async def test_a_second_answer_to_the_very_last_call_is_noticed():
    _, result = await load_calls(lambda number, event, payload: [f"ok {number} {payload}"] * (1 + (number == COUNT)))
    assert result["faults"] == NONE | {"double": 1}


async def test_the_first_fault_is_told_with_its_id():
    _, result = await load_calls(at_odd('ok {number} "what"'))
    assert result["first_fault"] == f"wrong: connection 0, id {ODD}: 'what'"


async def test_a_connection_that_closes_is_a_fault_and_its_open_calls_are_missing():
    async def leave(connection):
        for _ in range(ODD):
            await connection.recv()
        connection.transport.abort()

    async with serving(leave) as port:
        status, result = await load(port, "calls", "--count", str(COUNT), "--connections", "1", "--depth", "64")
    assert status == 1
    assert result["faults"] == NONE | {"closed": 1, "missing": 64}


async def test_a_session_is_opened_first_when_asked_for():
    heard = []

    async def greet(connection):
        async for message in connection:
            verb, id, event, payload = message.split(" ", 3)
            heard.append(f"{verb} {id} {event}")
            await connection.send("welcome 1 {}" if verb == "hello" else f"ok {id} {payload}")

    async with serving(greet) as port:
        status, _ = await load(port, "calls", "--hello", "--count", "2", "--connections", "1", "--depth", "1")
    assert (status, heard) == (0, ["hello 1 plugsock", "call 2 bench", "call 3 bench"])


async def test_a_plain_echo_is_checked_by_its_payload():
    async def echo(connection):
        async for message in connection:
            await connection.send(message.replace('"number":50,', '"number":51,'))

    async with serving(echo) as port:
        words = ("calls", "--wire", "plain", "--count", str(COUNT), "--connections", "1", "--depth", "1")
        status, result = await load(port, *words)
    assert (status, result["faults"]) == (1, NONE | {"unknown": 1, "missing": 1})


async def test_socketio_is_greeted_answered_and_kept_alive():
    heard = []

    async def converse(connection):
        await connection.send('0{"sid":"x","pingInterval":25000}')
        async for message in connection:
            heard.append(message if len(message) < 3 else "call")
            if message == "40":
                await connection.send('40{"sid":"y"}')
                await connection.send("2")
            elif message.startswith("42"):
                id, rest = message[2:].split("[", 1)
                await connection.send(f"43{id}[{rest.split(',', 1)[1]}")

    async with serving(converse) as port:
        words = ("calls", "--wire", "socketio", "--count", "3", "--connections", "1", "--depth", "1")
        status, result = await load(port, *words)
    assert (status, result["faults"]) == (0, NONE)
    assert sorted(heard) == ["3", "40", "call", "call", "call"]


async def test_swap_takes_versions_that_grow():
    status, result = await load_swap(versions(lambda number: 1 + number // 50))
    assert (status, result["faults"], result["versions"]) == (0, NONE, 5)


async def test_swap_notices_an_older_version_after_a_newer_one():
    status, result = await load_swap(versions(lambda number: 6 if number == ODD else 7 if number > 9 else 5))
    assert (status, result["faults"]) == (1, NONE | {"backwards": 1})


async def test_swap_goes_by_the_order_of_sending_not_of_answering():
    held = []

    def reordered(number, event, payload):
        held.extend(versions(lambda number: number)(number, event, payload))
        return [held.pop() for _ in range(4)] if len(held) == 4 else []

    status, result = await load_swap(reordered)
    assert (status, result["faults"]) == (0, NONE)


async def test_swap_notices_a_half_loaded_file():
    _, result = await load_swap(versions(lambda number: 1 + number // ODD, lambda version: tail_of(1)))
    assert result["faults"] == NONE | {"wrong": COUNT - ODD + 1}


async def test_gone_is_an_error_for_a_plug_that_always_exists():
    def gone(number, event, payload):
        return (
            [f'error {number} {{"code":"gone","message":"it was removed"}}']
            if number == ODD
            else versions(lambda number: 1)(number, event, payload)
        )

    _, result = await load_swap(gone, "--fleeting", "fleeting")
    assert (ODD % 2, result["faults"]) == (0, NONE | {"error": 1})


async def test_spells_of_gone_are_told_for_the_plug_that_may_go():
    def gone(number, event, payload):
        away = event == "fleeting" and (50 < number < 80 or 120 < number < 130)
        return (
            [f'error {number} {{"code":"gone","message":""}}']
            if away
            else versions(lambda number: 1)(number, event, payload)
        )

    status, result = await load_swap(gone, "--fleeting", "fleeting")
    assert (status, result["gone"]) == (0, 20)
    assert [count for _, _, count in result["absences"]] == [15, 5]
    assert all(first < last for first, last, _ in result["absences"])


async def test_a_storm_opens_every_connection_and_no_more_at_once_than_asked():
    opened = 0

    async def count(connection):
        nonlocal opened
        opened += 1
        await connection.wait_closed()

    async with serving(count) as port:
        status, result = await load(port, "storm", "--connections", "100", "--at-once", "10")
    assert (status, opened, result["counted"], result["sent"]) == (0, 100, 100, 0)


async def test_idle_connections_are_held_until_stdin_closes():
    async with server(right) as port:
        pipe = asyncio.subprocess.PIPE
        words = ("idle", "--connections", "20", "--port", str(port))
        process = await asyncio.create_subprocess_exec(
            str(compile_generator()), *words, stdin=pipe, stdout=pipe, stderr=pipe
        )
        result = json.loads(await process.stdout.readline())
        assert process.returncode is None
        process.stdin.close()
        await process.wait()
    assert (process.returncode, result["sent"], result["answered"]) == (0, 20, 20)


async def test_payloads_are_as_long_as_asked_and_checked_to_their_last_byte():
    lengths = set()

    def long(number, event, payload):
        lengths.add(len(payload))
        return [f"ok {number} {payload[:-3] + '?' + payload[-2:] if number == ODD else payload}"]

    async with server(long) as port:
        words = ("calls", "--size", "100000", "--count", str(ODD), "--connections", "1", "--depth", "4")
        status, result = await load(port, *words)
    assert lengths == {100_000}
    assert (status, result["faults"]) == (1, NONE | {"wrong": 1})


async def test_a_rate_is_kept_over_all_connections_whatever_the_answers_take():
    async with server(right) as port:
        words = ("calls", "--rate", "500", "--seconds", "1", "--connections", "5", "--warmup", "0")
        status, result = await load(port, *words)
    assert (status, result["faults"]) == (0, NONE)
    assert 450 < result["sent"] <= 501


async def test_at_a_rate_a_call_that_had_to_wait_to_be_sent_took_as_long_as_it_waited():
    def slow_at_first(number, event, payload):
        if number == 1:
            time.sleep(0.5)
        return right(number, event, payload)

    async with server(slow_at_first) as port:
        words = ("calls", "--rate", "100", "--seconds", "1", "--connections", "2", "--warmup", "0")
        _, result = await load(port, *words)
    assert result["max_us"] > 450_000
    assert result["p90_us"] > 200_000


async def test_a_refused_connection_is_told_with_exit_status_2():
    async with server(right) as port:
        pass
    status, result = await load(port, "calls", "--connections", "1")
    assert (status, result["said"]) == (2, "load: connection 0 did not open: Connection refused\n")


@pytest.mark.parametrize("words", [["--connections", "20001"], ["--seconds", "601"], ["--depth", "0"], ["--port", "x"]])
async def test_numbers_out_of_bounds_are_refused(words):
    status, result = await load(1, "calls", *words)
    assert status == 2
    assert words[0] in result["said"]
