"""How long from a save until open connections get the new answer? And do they stay open?"""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from caller import Caller, calling
from contestants import serving
from machine import GENERATOR, BenchmarkError, pinned
from plugfiles import overwrite, plug_source, replace
from report import Report, Row, Target

EVENT: Final = "saved"
CONNECTIONS: Final = 4
POLL_S: Final = 0.001
PATIENCE_S: Final = 5.0
WAYS: Final = {"renamed over": replace, "written in place": overwrite}
MEDIAN_MS: Final = 60
P99_MS: Final = 150


def save(saves: int, name: str) -> Report:
    """Save a plug file in two ways, `saves` times each, and time the new answer on connections that were open."""
    with tempfile.TemporaryDirectory(prefix="plugsock-save-") as directory:
        folder = Path(directory, "plugs")
        folder.mkdir()
        path = folder / f"{EVENT}.py"
        replace(path, plug_source(EVENT, 1))
        with serving(name, "--plugs", str(folder)) as server, pinned(GENERATOR):
            taken = asyncio.run(_time_saves(server.port, path, saves))
    report = Report(f"From a save to its answer on {CONNECTIONS} open connections, {saves} saves each way")
    for way, seconds in taken.items():
        row = _row(way, seconds)
        report.rows.append(row)
        report.targets.append(Target(f"median ms, {way}", float(row["median ms"]), MEDIAN_MS))
        report.targets.append(Target(f"p99 ms, {way}", float(row["p99 ms"]), P99_MS))
    return report


def _row(way: str, seconds: list[float]) -> Row:
    ranked = sorted(seconds)
    p99 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
    return {
        "file": way,
        "median ms": round(statistics.median(ranked) * 1e3, 1),
        "p99 ms": round(p99 * 1e3, 1),
        "min ms": round(ranked[0] * 1e3, 1),
        "max ms": round(ranked[-1] * 1e3, 1),
    }


async def _time_saves(port: int, path: Path, saves: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    version = 1
    chance = random.Random(7)
    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(calling(port)) for _ in range(CONNECTIONS)]
        for _ in range(saves):
            for way, write in WAYS.items():
                version += 1
                await asyncio.sleep(0.1 + chance.random() / 10)  # at no fixed moment of any tick of the server's
                saved = time.perf_counter()
                write(path, plug_source(EVENT, version))
                heard = await asyncio.gather(*(_hear(caller, version) for caller in callers))
                taken[way].append(max(heard) - saved)
    return taken


async def _hear(caller: Caller, version: int) -> float:
    """Return when this version first answered; until then, nothing but its predecessor may."""
    until = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < until:
        good, answer = await caller.call(EVENT)
        if not good or answer["v"] not in (version, version - 1):
            raise BenchmarkError(f"version {version} was saved, and the answer was {answer}")
        if answer["v"] == version:
            return time.perf_counter()
        await asyncio.sleep(POLL_S)
    raise BenchmarkError(f"version {version} was saved and did not answer within {PATIENCE_S:g} s")
