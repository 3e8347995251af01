"""`python benchmarks/run.py calls|workers|live|storm|idle|swap|save|start`: plugsock and its peers, measured side by side on this machine.

Exit status: 0 all targets met, 1 a target missed or a promise broken, 2 it could not run.
"""

import argparse
import sys

import live
import measure
import save
import start
import swap
import workers
from contestants import choose
from fanout import Shape
from machine import BenchmarkError
from report import Report

CALLS = "plugsock,plugsock-workers,plugsock-echo,websockets,fastapi,socketio"
OPENING = "plugsock,websockets,fastapi,socketio"


def parser() -> argparse.ArgumentParser:
    """Return the command line: one subcommand a benchmark."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    top = argparse.ArgumentParser(prog="benchmarks/run.py", description="Measure plugsock and its peers side by side.")
    commands = top.add_subparsers(dest="command", required=True)

    calls = commands.add_parser("calls", parents=[common], help="CPU, rate and latency of a message")
    calls.add_argument("--seconds", type=float, default=3.0, help="counted seconds of each round and shape")
    storm = commands.add_parser("storm", parents=[common], help="connections opened a second")
    idle = commands.add_parser("idle", parents=[common], help="memory of an idle connection")
    for command, names in ((calls, CALLS), (storm, OPENING), (idle, OPENING)):
        command.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are reported")
        command.add_argument("--only", default=names, metavar="NAMES", help=f"contestants, in commas ({names})")
    for command in (storm, idle):
        command.add_argument("--connections", type=int, default=5000)

    swapping = commands.add_parser(
        "swap", parents=[common], help="is every call answered right while plugs are swapped?"
    )
    swapping.add_argument("--seconds", type=float, default=60.0)
    saving = commands.add_parser("save", parents=[common], help="from a save to its answer on open connections")
    saving.add_argument("--saves", type=int, default=100)
    living = commands.add_parser("live", parents=[common], help="views, topics and slow readers on many sockets")
    living.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are reported")
    living.add_argument("--sockets", type=int, default=2000)
    living.add_argument("--changes", type=int, default=50, help="of each round and size, one after the other")
    living.add_argument("--seconds", type=float, default=10.0, help="that a slow client does not read")
    kinds = ",".join(live.MEASUREMENTS)
    living.add_argument("--only", default=kinds, metavar="NAMES", help=f"measurements, in commas ({kinds})")
    for command in (swapping, saving, living):
        command.add_argument("--inline", action="store_true", help="plugs run in the server's own process")

    starting = commands.add_parser("start", parents=[common], help="from a start to the first answer, built or not")
    starting.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are reported")

    pooled = commands.add_parser("workers", parents=[common], help="what worker processes bring, and what they cost")
    pooled.add_argument("--rounds", type=int, default=5, help="interleaved rounds; medians are reported")
    pooled.add_argument("--seconds", type=float, default=3.0, help="counted seconds of each measurement")
    every = ",".join(workers.MEASUREMENTS)
    pooled.add_argument("--only", default=every, metavar="NAMES", help=f"measurements, in commas ({every})")
    return top


def perform(options: argparse.Namespace) -> Report:
    """Run the benchmark that was asked for."""
    if sys.platform != "linux":
        raise BenchmarkError("the benchmarks need Linux: epoll, core affinity and /proc")
    name = "plugsock" if getattr(options, "inline", False) else "plugsock-workers"
    if options.command == "live":
        shape = Shape(options.rounds, options.sockets, options.changes, options.seconds, name)
        return live.live(options.only.split(","), shape)
    if options.command in ("swap", "save"):
        return swap.swap(options.seconds, name) if options.command == "swap" else save.save(options.saves, name)
    if options.command == "start":
        return start.start(options.rounds)
    if options.command == "workers":
        return workers.workers(options.only.split(","), options.rounds, options.seconds)
    names = choose(options.only.split(","))
    if options.command == "calls":
        return measure.calls(names, options.rounds, options.seconds)
    opening = measure.storm if options.command == "storm" else measure.idle
    return opening(names, options.rounds, options.connections)


def main() -> int:
    """Run the command line."""
    options = parser().parse_args()
    try:
        report = perform(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    print(report.as_json() if options.json else report.as_text())
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
