"""What it costs to keep many screens current, and what a client that does not read costs the others.

`view`      one change of a view that many sockets watch, against a bare loop that writes the same frames
`publish`   one push to as many members of a topic, likewise
`swap`      a save of the code of a view that half as many watch; and saves that can't be loaded
`slow`      calls of one socket while another does not read a view of 64 KiB that changes all the time

What must hold beside the figures: every socket gets every value, once and right, and the view runs once a change.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from caller import Caller, calling
from contestants import serving
from crowd import Crowd, gathered
from fanout import HELLO, WAYS, Shape, fan_out, row_of, value_of
from listener import BrokenPromise, Listener
from machine import GENERATOR, BenchmarkError, pinned, raise_file_limit
from plugfiles import replace, view_source
from report import Report, Target

EVENT: Final = "seen"
SAVES: Final = 20
MEDIAN_MS: Final = 150
"""From a save to the last of all views: as `save` allows, where 4 connections have to learn of it."""
SILENCE_S: Final = 1.0

SLOW_SIZE: Final = 64 * 1024
CHANGES_A_SECOND: Final = 200
ECHO_EVERY_S: Final = 0.002
SLOW_FLAGS: Final = ("--slow", "600")
"""It would be cut off after 5 s, and cost nothing any more."""
ROOM: Final = 64 * 1024
"""Bytes that its kernel keeps unread: so it is slow at once."""
MOST_LEFT: Final = 128
"""Values that may come all the same when it reads again, 8 MiB: the kernel took them before it was full."""
MOST_DELAY_MS: Final = 50
MOST_GROWN_MIB: Final = 16
"""All changes together have 125 MiB."""
WARMING_S: Final = 0.2


def swap(shape: Shape, report: Report) -> None:
    """Save the code of a view that is watched, and time the value of the last who watches; then break it."""
    watching = shape.sockets // 2
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="plugsock-live-") as directory:
        folder = Path(directory, "plugs")
        folder.mkdir()
        path = folder / f"{EVENT}.py"
        replace(path, view_source(EVENT, 1))
        with (
            serving(shape.name, *shape.flags, "--plugs", str(folder)) as server,
            pinned(GENERATOR),
            gathered(server.port, watching, (HELLO, f"watch 2 {EVENT}")) as crowd,
        ):
            taken_s = []
            before = server.cpu()
            for version in range(2, 2 + SAVES):
                time.sleep(0.1 + chance.random() / 10)  # at no fixed moment of any tick of the server's
                taken_s.append(_save(path, version, crowd))
            after = server.cpu()
            _break(path, crowd)
            _save(path, 2 + SAVES, crowd)
    own_ms, children_ms = ((late - early) / SAVES * 1e3 for early, late in zip(before, after, strict=True))
    row = row_of("swap", f"{watching:,} see a save", SAVES, taken_s, server_ms=own_ms, workers_ms=children_ms)
    report.rows.append(row)
    median_ms = float(row["median ms"])
    report.targets.append(Target(f"ms from a save to the last of {watching:,} open views", median_ms, MEDIAN_MS))


def _save(path: Path, version: int, crowd: Crowd) -> float:
    began = time.perf_counter()
    replace(path, view_source(EVENT, version))
    return crowd.hear(f"item 2 {version}") - began


def _break(path: Path, crowd: Crowd) -> None:
    for number in range(2):
        replace(path, view_source(EVENT, number, is_broken=True))
        heard = crowd.overhear(SILENCE_S)
        if heard:
            raise BrokenPromise(f"a save that can't be loaded sent {len(heard)} frames, first `{heard[0][:80]}`")


def slow(shape: Shape, report: Report) -> None:
    """Change what a client sees that does not read, and time the calls of another one."""
    with serving(shape.name, *shape.flags, *SLOW_FLAGS) as server, pinned(GENERATOR):
        with _watching(server.port) as reader:  # what the first changes take is no growth
            first, _ = asyncio.run(_change_for(server.port, WARMING_S, 0))
            _catch_up(reader, first)
        with _watching(server.port, room=ROOM) as silent:
            memory, before = server.pss_kib(), server.cpu()
            last, delays_s = asyncio.run(_change_for(server.port, shape.seconds, first))
            grown_mib, after = (server.pss_kib() - memory) / 1024, server.cpu()
            _catch_up(silent, last)
    changes = last - first
    own_ms, children_ms = ((late - early) / changes * 1e3 for early, late in zip(before, after, strict=True))
    how = f"calls, beside {changes:,} changes unread"
    row = row_of("slow", how, len(delays_s), delays_s, server_ms=own_ms, workers_ms=children_ms)
    report.rows.append(row | {"grown MiB": round(grown_mib, 2)})
    report.targets += [
        Target("ms that a call took beside a client that does not read, at most", float(row["max ms"]), MOST_DELAY_MS),
        Target("MiB that this client cost", grown_mib, MOST_GROWN_MIB),
    ]


def _watching(port: int, *, room: int = 0) -> Listener:
    listener = Listener(port, room=room)
    listener.ask(HELLO)
    listener.ask("watch 2 live.board")
    return listener


async def _change_for(port: int, seconds: float, number: int) -> tuple[int, list[float]]:
    """Change the board 200 times a second, counted from a number, and call another plug beside it.

    Returns:
        The number of the last change, and how long the calls took.
    """
    ended = asyncio.Event()
    async with calling(port) as changer, calling(port) as caller:
        return await asyncio.gather(_change(changer, seconds, number, ended), _echo(caller, ended))


async def _change(changer: Caller, seconds: float, number: int, ended: asyncio.Event) -> int:
    began = time.perf_counter()
    changes = int(seconds * CHANGES_A_SECOND)
    try:
        for turn in range(1, changes + 1):
            await _call(changer, "live.change", value_of(number + turn, SLOW_SIZE))
            await asyncio.sleep(began + turn / CHANGES_A_SECOND - time.perf_counter())
    finally:
        ended.set()
    return number + changes


async def _echo(caller: Caller, ended: asyncio.Event) -> list[float]:
    message = value_of(1, 80).replace("{", '{"client":1,')
    delays_s: list[float] = []
    while not ended.is_set():
        began = time.perf_counter()
        await _call(caller, "bench", message)
        delays_s.append(time.perf_counter() - began)
        await asyncio.sleep(ECHO_EVERY_S)
    return delays_s


async def _call(caller: Caller, event: str, payload: str) -> None:
    good, answer = await caller.call(event, payload)
    if not good:
        raise BenchmarkError(f"{event} was answered with {answer}")


def _catch_up(silent: Listener, last: int) -> None:
    """Let a client read: what it gets is no backlog, and ends with what is on the board now."""
    got = 1
    while not silent.hear().startswith(f'item 2 {{"number":{last},'):
        got += 1
    if got > MOST_LEFT:
        raise BrokenPromise(f"a client that did not read got {got} values when it did")


MEASUREMENTS: Final = (*(way.name for way in WAYS), "swap", "slow")


def live(names: Sequence[str], shape: Shape) -> Report:
    """Measure what was asked for.

    Raises:
        BenchmarkError: One of the names is no measurement, or it could not run.
    """
    for name in names:
        if name not in MEASUREMENTS:
            raise BenchmarkError(f"`{name}` is none of {', '.join(MEASUREMENTS)}")
    raise_file_limit(shape.sockets)
    report = Report(f"{shape.sockets:,} sockets that are kept current: medians of {shape.rounds} rounds")
    ways = [way for way in WAYS if way.name in names]
    measures: dict[str, Callable[[Shape, Report], None]] = {"swap": swap, "slow": slow}
    asked = [measure for name, measure in measures.items() if name in names]
    for measure in [partial(fan_out, ways), *asked] if ways else asked:
        try:
            measure(shape, report)
        except BrokenPromise as broken:
            report.faults.append(f"{shape.name}: {broken}")
    return report
