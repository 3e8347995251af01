"""What worker processes bring, and what they cost.

`burn`    two workers instead of one, for calls that compute
`cost`    CPU of a typed call that goes through a worker process: the gateway's, and the worker's
`trip`    the round trip of a single call, through a worker process and inline
`flood`   what short calls feel of another socket that sends a mebibyte at a time

Rounds are interleaved, each with fresh processes; medians over the rounds are compared.
"""

import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import generator
from contestants import Server, serving
from generator import Result
from machine import GENERATOR, SERVER, BenchmarkError
from plugfiles import burning_source
from report import Report, Row, Target, faults_of, median_of

POOL: Final = "plugsock-workers"
BURNT_S: Final = 0.001
MOST_GATEWAY: Final = 0.3
MOST_TOGETHER: Final = 0.6
"""Shares of what a raw echo in `websockets` costs."""
SPEEDUP: Final = 1.8
MOST_TRIP: Final = 2.5
MOST_FLOODED: Final = 2.0

LONG: Final = 1024 * 1024 - 64
"""Bytes of a long payload: with its header it is the longest message that a server takes unless told otherwise."""
BUSY: Final = ("--connections", "32", "--depth", "16")
CALM: Final = ("--connections", "32", "--rate", "1000")
"""Short calls beside a flood: as many as the server can answer, and 1,000 a second that are due at fixed times."""
SPARE_S: Final = 1.5
"""A flood begins before the short calls and ends after them: their warm-up takes a second."""


class Case(NamedTuple):
    """One row of a measurement: a title and how to get the figures of one round."""

    title: str
    run: Callable[[float], Result]
    """Takes the counted seconds."""


Found = dict[str, list[Result]]
"""The results of a measurement's cases by their titles, one a round."""


class Measurement(NamedTuple):
    """Cases that are compared, and the targets that the comparison must meet."""

    cases: Sequence[Case]
    targets: Callable[[Found], list[Target]]


def workers(names: Sequence[str], rounds: int, seconds: float) -> Report:
    """Measure what was asked for.

    Raises:
        BenchmarkError: One of the names is no measurement, or it could not run.
    """
    for name in names:
        if name not in MEASUREMENTS:
            raise BenchmarkError(f"`{name}` is none of {', '.join(MEASUREMENTS)}")
    found: dict[str, Found] = {name: {case.title: [] for case in MEASUREMENTS[name].cases} for name in names}
    for _ in range(rounds):
        for name in names:
            for case in MEASUREMENTS[name].cases:
                found[name][case.title].append(case.run(seconds))
    cores = len(os.sched_getaffinity(0))
    report = Report(f"Worker processes on {cores} cores: medians of {rounds} rounds of {seconds:g} s")
    for name in names:
        for title, results in found[name].items():
            report.rows.append(_row(name, title, results))
            report.faults += faults_of(f"{name}, {title}", results)
        report.targets += MEASUREMENTS[name].targets(found[name])
    return report


def _row(name: str, title: str, results: list[Result]) -> Row:
    return {
        "measured": name,
        "how": title,
        "per second": int(median_of(results, "rate")),
        "flood": int(median_of([{"beside": 0.0} | result for result in results], "beside")),
        "server us": round(median_of(results, "own_us"), 2),
        "workers us": round(median_of(results, "children_us"), 2),
        "p50 us": median_of(results, "p50_us"),
        "p99 us": median_of(results, "p99_us"),
        "max us": median_of(results, "max_us"),
    }


@contextmanager
def _pool(number: int, *flags: str, side: int | None = None) -> Iterator[Server]:
    with serving(POOL, "--workers", str(number), *flags, side=side) as server:
        yield server


def _seconds(seconds: float) -> tuple[str, str]:
    return "--seconds", str(seconds)


# `cost` and `trip` run as the other benchmarks do, server and workers on one core and the generator on the other: left
# alone, the scheduler puts generator and inline server on one core in some runs, and the figure is another one.
# `burn` and `flood` are about using every core, and may.


def _burn(number: int) -> Case:
    def run(seconds: float) -> Result:
        with tempfile.TemporaryDirectory(prefix="plugsock-burn-") as directory:
            folder = Path(directory, "plugs")
            folder.mkdir()
            (folder / "burn.py").write_text(_burning())
            with _pool(number, "--plugs", str(folder)) as server:
                options = ("--event", "burn", "--connections", "16", "--depth", "2", *_seconds(seconds))
                return generator.run("calls", server, *options, side=None)

    return Case(f"1 ms of Python, {_counted(number)}", run)


@functools.cache
def _burning() -> str:
    return burning_source("burn", BURNT_S)  # once: every round and both sides burn the same


def _cost(name: str, title: str, *flags: str) -> Case:
    def run(seconds: float) -> Result:
        with serving(name, *flags, side=SERVER) as server:
            options = ("--connections", "32", "--depth", "16", *_seconds(seconds))
            return generator.run("calls", server, *options, side=GENERATOR)

    return Case(title, run)


def _trip(number: int) -> Case:
    def run(seconds: float) -> Result:
        with _pool(number, side=SERVER) as server:
            options = ("--connections", "1", "--depth", "1", *_seconds(seconds))
            return generator.run("calls", server, *options, side=GENERATOR)

    return Case(f"one call in flight, {_counted(number)}", run)


def _calls(title: str, shape: Sequence[str]) -> Case:
    def run(seconds: float) -> Result:
        with _pool(2) as server:
            return generator.run("calls", server, *shape, *_seconds(seconds), side=None)

    return Case(title, run)


def _flooded(title: str, shape: Sequence[str]) -> Case:
    def run(seconds: float) -> Result:
        with _pool(2) as server, generator.beside(server, *_flooding(seconds)) as flood:
            result = generator.run("calls", server, *shape, *_seconds(seconds), side=None)
        result["faults"] = {kind: count + flood["faults"][kind] for kind, count in result["faults"].items()}
        result["first_fault"] = result["first_fault"] or flood["first_fault"]
        return result | {"beside": flood["rate"]}

    return Case(title, run)


def _flooding(seconds: float) -> list[str]:
    lasts = ("--warmup", "0", *_seconds(seconds + SPARE_S))
    return ["--event", "opaque", "--connections", "1", "--depth", "2", "--size", str(LONG), *lasts]


def _counted(number: int) -> str:
    return ("inline", "1 worker")[number] if number < 2 else f"{number} workers"


def _ratio(found: Found, key: str, numerator: Case, denominator: Case) -> float:
    return median_of(found[numerator.title], key) / median_of(found[denominator.title], key)


BURN: Final = (_burn(1), _burn(2))
COST: Final = (_cost("websockets", "raw echo in `websockets`"), _cost(POOL, "typed call, 1 worker", "--workers", "1"))
TRIP: Final = (_trip(0), _trip(1))
FLOOD: Final = (
    _calls("short calls, 32x16", BUSY),
    _flooded("the same beside a flood", BUSY),
    _calls("short calls, 1,000 a second", CALM),
    _flooded("these beside a flood", CALM),
)


def _burn_targets(found: Found) -> list[Target]:
    times = _ratio(found, "rate", BURN[1], BURN[0])
    return [Target("calls a second that compute, 2 workers, times those of 1", times, SPEEDUP, at_least=True)]


def _cost_targets(found: Found) -> list[Target]:
    peer, ours = (found[case.title] for case in COST)
    echo = median_of(peer, "cpu_us")
    return [
        Target("CPU of the gateway, as a share of `websockets`", median_of(ours, "own_us") / echo, MOST_GATEWAY),
        Target("CPU with the worker's, as a share of `websockets`", median_of(ours, "cpu_us") / echo, MOST_TOGETHER),
    ]


def _trip_targets(found: Found) -> list[Target]:
    return [Target("round trip through a worker, times inline", _ratio(found, "p50_us", TRIP[1], TRIP[0]), MOST_TRIP)]


def _flood_targets(found: Found) -> list[Target]:
    times = _ratio(found, "p99_us", FLOOD[1], FLOOD[0])
    return [Target("p99 of short calls beside a flood, times that without", times, MOST_FLOODED)]


MEASUREMENTS: Final = {
    "burn": Measurement(BURN, _burn_targets),
    "cost": Measurement(COST, _cost_targets),
    "trip": Measurement(TRIP, _trip_targets),
    "flood": Measurement(FLOOD, _flood_targets),
}
