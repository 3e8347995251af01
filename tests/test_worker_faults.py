"""Everything that can go wrong with workers at the same time, while others call: what those others must not feel.

PLUGSOCK_TEST_FAULTS_S=60 makes it last a minute, and holds the latency to what is promised.
"""

import asyncio
import contextlib
import os
import random
import signal
import statistics
import sys
from collections import Counter

import pytest

from plugsock import Error
from support.once import connect
from support.server import LIMIT_S, running
from support.steady import steadily
from support.workforce import come, family, ready, until, zombies

SECONDS = float(os.environ.get("PLUGSOCK_TEST_FAULTS_S", "12"))
IS_REAL = SECONDS >= 60
P99_S = 0.25 if IS_REAL else 2.0
"""What is promised; in a short run a handful of calls decides, and tests run beside it."""

SOCKETS = 50
RATE = 200.0
WORKERS = 3

GOOD = """
import asyncio, time
from plugsock import plug

@plug
async def quick(number: int) -> dict:
    return {"made_for": number}

@plug(idempotent=True)
async def safe(number: int) -> dict:
    return {"made_for": number}

@plug
async def slow(number: int) -> dict:
    await asyncio.sleep(0.05)
    return {"made_for": number}

@plug(idempotent=True)
async def slow_and_safe(number: int) -> dict:
    await asyncio.sleep(0.05)
    return {"made_for": number}

@plug
def threaded(number: int) -> dict:
    time.sleep(0.005)
    return {"made_for": number}

@plug
async def flowing(number: int):
    for part in range(5):
        yield {"made_for": number, "part": part}
"""
EVENTS = tuple(f"good.{name}" for name in ("quick", "safe", "slow", "slow_and_safe", "threaded", "flowing"))
IDEMPOTENT = ("good.safe", "good.slow_and_safe")

FAULTY = {
    "spins": """
from plugsock import plug
@plug(timeout=0.5)
async def spins() -> None:
    while True:
        pass
""",
    "hangs": """
import threading
from plugsock import plug
@plug(timeout=0.5)
def hangs() -> None:
    threading.Event().wait()
""",
    "exits": """
import os
from plugsock import plug
@plug
async def exits() -> None:
    os._exit(3)
""",
    "segfaults": """
import ctypes
from plugsock import plug
@plug
async def segfaults() -> None:
    ctypes.string_at(0)
""",
    "eats": """
import asyncio
from plugsock import plug
kept = []
@plug
async def eats() -> None:
    kept.append(b"x" * (20 << 20))
    await asyncio.sleep(0.1)
""",
}
KILLERS = ("exits", "segfaults", *(("spins", "hangs") if IS_REAL else ()))
"""Those that have killed three workers by the end: each time takes seconds for some."""


async def misbehave(server, event, codes, first_s):
    """Call a faulty plug every second or so, on a socket of its own; note what comes back."""
    async with connect(server.url) as client:
        await asyncio.sleep(first_s)
        while True:
            try:
                await client.call(event)
            except Error as error:
                codes.append(error.code)
            await asyncio.sleep(1.0)


async def kill_one_a_second(server, killed):
    chance = random.Random(7)
    while True:
        await asyncio.sleep(1.0)
        if workers := list((await ready(server)).values()):
            victim = chance.choice(workers)
            with contextlib.suppress(ProcessLookupError):  # it went by itself meanwhile
                os.kill(victim, signal.SIGKILL)
                killed.append(victim)


def faults_of(client):
    """What must not have happened to one socket, a line each."""
    if client.is_lost:
        yield f"socket {client.number} was closed"
    yield from (f"socket {client.number} was sent {frame[:100]}" for frame in client.unasked)
    for id, call in client.calls.items():
        name = f"call {id} of {call.event} on socket {client.number}"
        if len(call.answers) != 1:
            yield f"{name} has {len(call.answers)} answers: {call.answers}"
            continue
        _, data = call.answers[0]
        if call.code == "worker_lost":
            if call.event in IDEMPOTENT or not data["started"]:
                yield f"{name} was lost, but could have been run again: {data}"
        elif call.code != "ok":
            yield f"{name} was answered {data}"
        elif call.event == "good.flowing":
            if call.items != [{"made_for": id, "part": part} for part in range(5)]:
                yield f"{name} got other items: {call.items}"
        elif data != {"made_for": id}:
            yield f"{name} got an answer made for another: {data}"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX'")
@pytest.mark.alone
@pytest.mark.end_to_end
@pytest.mark.fault("K1", "K4", "P3", "P4", "P6")
@pytest.mark.timeout(SECONDS + 120)
async def test_whatever_workers_die_of_the_calls_of_others_are_answered(tmp_path):
    flags = ("--workers", str(WORKERS), "--max-memory", "250MiB")
    async with running(tmp_path / "plugs", *flags, good=GOOD, **FAULTY) as server:
        processes = len(family(server))
        codes = {name: [] for name in FAULTY}
        killed = []
        loop = asyncio.get_running_loop()
        async with steadily(server, EVENTS, sockets=SOCKETS, rate=RATE, seconds=SECONDS) as clients:
            chaos = [
                loop.create_task(misbehave(server, name, codes[name], number / len(FAULTY)))
                for number, name in enumerate(FAULTY)
            ]
            chaos.append(loop.create_task(kill_one_a_second(server, killed)))
            done, _ = await asyncio.wait(chaos, timeout=SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            for task in chaos:
                task.cancel()
            await asyncio.gather(*chaos, return_exceptions=True)
            assert [task.exception() for task in done] == []

        calls = [call for client in clients for call in client.calls.values()]
        tell(calls, codes, killed)
        faults = [fault for client in clients for fault in faults_of(client)]
        assert faults[:20] == []
        assert len(calls) > 0.9 * RATE * SECONDS
        assert statistics.quantiles([call.took_s for call in calls], n=100)[-1] < P99_S

        assert len(killed) > SECONDS / 3
        assert [name for name in KILLERS if codes[name][-1:] != ["quarantined"]] == []
        assert set(codes["eats"]) <= {"worker_lost"}
        await come(server, WORKERS)
        await until(lambda: len(family(server)) == processes and zombies(server) == [], limit_s=LIMIT_S)


def tell(calls, codes, killed):
    took = statistics.quantiles([call.took_s * 1e3 for call in calls if call.answers], n=1000)
    lost = sum(bool(call.answers) and call.code == "worker_lost" for call in calls)
    lines = [
        f"{len(calls)} calls, {lost} of them lost; {len(killed)} workers were killed, others died",
        f"p50 {took[499]:.1f} ms, p99 {took[989]:.1f} ms, p99.9 {took[998]:.1f} ms",
    ]
    lines += [f"{name}: {dict(Counter(answered))}" for name, answered in codes.items()]
    print("\n".join(lines))  # noqa: T201 - `pytest -s` shows it, and so does a failure
