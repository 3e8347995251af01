"""One change that reaches everybody: what it costs and how long it takes, against a bare loop that writes the same frames.

`view` is a change of a view that all of them watch, `publish` a push to a topic that all of them are in.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from contestants import CONTESTANTS, Server, serving
from crowd import Crowd, gathered
from listener import BrokenPromise, Listener
from machine import GENERATOR, BenchmarkError, pinned
from report import Report, Row, Target

BARE: Final = "bare-loop"
MOST_TIMES: Final = 1.5
"""How much more than the bare loop a change may cost and take."""
SIZES: Final = (100, 1024)
"""Bytes of a value."""
WARMING: Final = 5
FIRST: Final = 1_000_001
"""The number of the first change: all of a batch have as many digits."""
HELLO: Final = "hello 1 plugsock {}"
OPENING: Final = (HELLO, "watch 2 live.board", "join 3 live.room")


class Way(NamedTuple):
    """How something reaches everybody."""

    name: str
    event: str
    """The plug that sets it off."""
    head: str
    """What its frame says before the value."""


WAYS: Final = (Way("view", "live.change", "item 2 "), Way("publish", "live.tell", "push live.room live.news "))


class Shape(NamedTuple):
    """Who is measured, how much and how often."""

    rounds: int
    sockets: int
    changes: int
    """Of each round, of each way and size."""
    seconds: float
    """That a slow client does not read."""
    name: str
    """The contestant."""

    @property
    def flags(self) -> tuple[str, ...]:
        """One worker: who runs a view is one process, so what the plugs remember is in one place."""
        return () if "--workers" in CONTESTANTS[self.name].flags else ("--workers", "1")


def value_of(number: int, size: int) -> str:
    """Return a value of so many bytes, as JSON, that no other number has."""
    bare = f'{{"number":{number},"text":""}}'
    return f'{bare[:-2]}{"x" * (size - len(bare))}"}}'


class Batch(NamedTuple):
    """Changes, one after the other: seconds of CPU each, and from each to the last socket that had it."""

    server_s: float
    workers_s: float
    taken_s: list[float]


def fan_out(ways: Sequence[Way], shape: Shape, report: Report) -> None:
    """Measure one change for all, ours and the bare loop's, in interleaved rounds, each with fresh processes."""
    found: dict[tuple[Way, int], dict[str, list[Batch]]] = {
        (way, size): {BARE: [], shape.name: []} for way in ways for size in SIZES
    }
    for _ in range(shape.rounds):
        for name, flags, says in ((BARE, (), ()), (shape.name, shape.flags, OPENING)):
            with (
                serving(name, *flags) as server,
                pinned(GENERATOR),
                gathered(server.port, shape.sockets, says) as crowd,
                Listener(server.port) as driver,
            ):
                for (way, size), batches in found.items():
                    batches[name].append(_batch(server, crowd, driver, way, size, shape.changes))
    for (way, size), batches in found.items():
        report.rows += [_fan_out_row(way, size, name, each) for name, each in batches.items()]
        report.targets += _fan_out_targets(way, size, *batches.values())


def _batch(server: Server, crowd: Crowd, driver: Listener, way: Way, size: int, changes: int) -> Batch:
    spread, looks = (_spread_bare, _never) if server.name == BARE else (_spread, _looks)
    for number in range(FIRST, FIRST + WARMING):
        spread(crowd, driver, way, number, size)
    looked, before = looks(driver), server.cpu()
    taken_s = [spread(crowd, driver, way, FIRST + WARMING + number, size) for number in range(changes)]
    after, looked = server.cpu(), looks(driver) - looked
    if looks is _looks and looked != (changes if way.name == "view" else 0):
        raise BrokenPromise(f"the view ran {looked} times for {changes} times {way.event}")
    own_s, children_s = ((late - early) / changes for early, late in zip(before, after, strict=True))
    return Batch(own_s, children_s, taken_s)


def _spread_bare(crowd: Crowd, driver: Listener, way: Way, number: int, size: int) -> float:
    message = way.head + value_of(number, size)
    began = time.perf_counter()
    driver.say(message)
    return crowd.hear(message) - began


def _spread(crowd: Crowd, driver: Listener, way: Way, number: int, size: int) -> float:
    value = value_of(number, size)
    began = time.perf_counter()
    driver.say(f"call {number} {way.event} {value}")
    taken_s = crowd.hear(way.head + value) - began
    answer = driver.hear()
    if answer.split()[:2] != ["ok", str(number)]:
        raise BenchmarkError(f"{way.event} was answered with `{answer}`")
    return taken_s


def _looks(driver: Listener) -> int:
    """How often has the view run?"""
    return int(driver.ask("call 7 live.looks {}").split()[-1])


def _never(_driver: Listener) -> int:
    return 0


def _fan_out_row(way: Way, size: int, name: str, batches: Sequence[Batch]) -> Row:
    return row_of(
        f"{way.name}, {size} B",
        CONTESTANTS[name].title if name == BARE else name,
        sum(len(batch.taken_s) for batch in batches),
        [second for batch in batches for second in batch.taken_s],
        server_ms=statistics.median(batch.server_s for batch in batches) * 1e3,
        workers_ms=statistics.median(batch.workers_s for batch in batches) * 1e3,
    )


def _fan_out_targets(way: Way, size: int, bare: Sequence[Batch], ours: Sequence[Batch]) -> list[Target]:
    def times(figure: Callable[[Batch], float]) -> float:
        bare_s = statistics.median(map(figure, bare))
        if not bare_s:
            raise BenchmarkError("the bare loop has used too little to be measured: it takes more sockets or changes")
        return statistics.median(map(figure, ours)) / bare_s

    cpu = times(lambda batch: batch.server_s + batch.workers_s)
    wall = times(lambda batch: statistics.median(batch.taken_s))
    return [
        Target(f"{way.name}, {size} B: CPU, times the bare loop's", cpu, MOST_TIMES),
        Target(f"{way.name}, {size} B: until the last socket has it, likewise", wall, MOST_TIMES),
    ]


def row_of(
    measured: str, how: str, count: int, taken_s: Sequence[float], *, server_ms: float, workers_ms: float
) -> Row:
    """Return a row of the one table of all `live` measurements."""
    return {
        "measured": measured,
        "how": how,
        "times": count,
        "server ms": round(server_ms, 2),
        "workers ms": round(workers_ms, 2),
        "median ms": round(statistics.median(taken_s) * 1e3, 2),
        "max ms": round(max(taken_s) * 1e3, 2),
        "grown MiB": 0.0,
    }
