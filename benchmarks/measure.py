"""Calls, storms of connections and idle connections, contestant by contestant in interleaved rounds.

Rounds are interleaved, each with fresh processes, so that what else the machine does meets everyone alike; what is
reported is the median over the rounds.
"""

import statistics
from collections.abc import Sequence
from typing import Final

import generator
from contestants import CONTESTANTS, serving
from generator import Result
from machine import raise_file_limit
from report import Report, Row, Target, faults_of, median_of

SHAPES: Final = ((32, 16), (32, 1))
"""Connections x calls in flight on each: a busy server, and one whose clients wait for each answer."""

STORM_AT_ONCE: Final = 64
WARMING_CONNECTIONS: Final = 20
"""Opened and closed before idle memory is measured, so that what is loaded lazily once is not charged to them."""

PEERS: Final = {(32, 16): ("websockets", 0.3), (32, 1): ("fastapi", 0.4)}
"""What a typed call may cost, as a share of whose message, in which shape."""

Rounds = dict[tuple[str, tuple[int, int]], list[Result]]


def calls(names: Sequence[str], rounds: int, seconds: float) -> Report:
    """Measure what a message costs and how long it takes."""
    found: Rounds = {(name, shape): [] for shape in SHAPES for name in names}
    for _ in range(rounds):
        for name in names:
            with serving(name) as server:
                for connections, depth in SHAPES:
                    options = ("--connections", connections, "--depth", depth, "--seconds", seconds)
                    result = generator.run("calls", server, *map(str, options))
                    found[name, (connections, depth)].append(result)
    report = Report(f"Messages of 100 bytes: medians of {rounds} rounds of {seconds:g} s")
    for (name, shape), results in found.items():
        report.rows.append(_call_row(name, shape, results))
        report.faults += faults_of(f"{name} at {shape[0]}x{shape[1]}", results)
    report.targets = _call_targets(found)
    return report


def _call_row(name: str, shape: tuple[int, int], results: list[Result]) -> Row:
    return {
        "in flight": f"{shape[0]}x{shape[1]}",
        "contestant": name,
        "what it does": CONTESTANTS[name].title,
        "CPU us": round(median_of(results, "cpu_us"), 2),
        "per second": int(median_of(results, "rate")),
        "p50 us": median_of(results, "p50_us"),
        "p90 us": median_of(results, "p90_us"),
        "p99 us": median_of(results, "p99_us"),
        "p99.9 us": median_of(results, "p99_9_us"),
        "max us": median_of(results, "max_us"),
    }


def _call_targets(found: Rounds) -> list[Target]:
    targets = []
    for shape, (peer, limit) in PEERS.items():
        ours, theirs = found.get(("plugsock", shape)), found.get((peer, shape))
        if ours and theirs:
            share = median_of(ours, "cpu_us") / median_of(theirs, "cpu_us")
            text = f"{shape[0]}x{shape[1]}: CPU of a typed call here, as a share of {peer}'s {CONTESTANTS[peer].title}"
            targets.append(Target(text, share, limit))
    return targets


def storm(names: Sequence[str], rounds: int, connections: int) -> Report:
    """Measure how fast connections open."""
    raise_file_limit(connections)
    found: dict[str, list[Result]] = {name: [] for name in names}
    options = ("--connections", str(connections), "--at-once", str(STORM_AT_ONCE))
    for _ in range(rounds):
        for name in names:
            with serving(name) as server:
                found[name].append(generator.run("storm", server, *options, greet=False))
    report = Report(f"{connections:,} connections opened, {STORM_AT_ONCE} at a time: medians of {rounds} rounds")
    for name, results in found.items():
        report.rows.append(_storm_row(name, results))
        report.faults += faults_of(name, results)
    if "plugsock" in found:
        rate = median_of(found["plugsock"], "rate")
        report.targets.append(Target("connections opened a second on one core", rate, 4000, at_least=True))
    return report


def _storm_row(name: str, results: list[Result]) -> Row:
    return {
        "contestant": name,
        "opened a second": int(median_of(results, "rate")),
        "CPU us": round(median_of(results, "cpu_us"), 1),
        "p50 ms": round(median_of(results, "p50_us") / 1e3, 2),
        "p99 ms": round(median_of(results, "p99_us") / 1e3, 2),
        "max ms": round(median_of(results, "max_us") / 1e3, 2),
    }


def idle(names: Sequence[str], rounds: int, connections: int) -> Report:
    """Measure what memory a connection holds that has made a call and then says nothing."""
    raise_file_limit(connections)
    found: dict[str, list[float]] = {name: [] for name in names}
    report = Report(f"{connections:,} idle connections: medians of {rounds} rounds")
    for _ in range(rounds):
        for name in names:
            kib, result = _idle_kib(name, connections)
            found[name].append(kib)
            report.faults += faults_of(name, [result])
    for name, each_kib in found.items():
        median = statistics.median(each_kib)
        report.rows.append({"contestant": name, "KiB a connection": round(median, 2)})
        if name == "plugsock":
            report.targets.append(Target("KiB of memory (PSS) an idle connection", median, 8))
    return report


def _idle_kib(name: str, connections: int) -> tuple[float, Result]:
    with serving(name) as server:
        with generator.holding(server, WARMING_CONNECTIONS):
            pass
        before = server.pss_kib()
        with generator.holding(server, connections) as result:
            return (server.pss_kib() - before) / connections, result
