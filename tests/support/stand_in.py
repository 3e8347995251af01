"""A plugsock with workers that do one simple thing, for tests of how workers are started and end.

    stand_in.py worker --nursery          forks them
    stand_in.py worker --join ADDRESS     is one
    stand_in.py gateway KIND ADDRESS...   starts them with `Nursery` or `Spawner`, prints their pids, and waits

A worker's address says what it does: a name in `DEEDS`, perhaps with an argument: `exit:7`. It first prints its key
and its pid.
"""

# ruff: noqa: T201 - what a worker prints is what the tests look at

import asyncio
import collections
import ctypes
import faulthandler
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from plugsock.pool.nursery import Nursery
from plugsock.pool.output import Output
from plugsock.pool.spawn import Spawner
from plugsock.rpc import start
from plugsock.worker import lifeline, nursery, stdio

COMMAND = [sys.executable, __file__]

WITHOUT_ROOM = [*COMMAND, "--without-room"]
"""In that nursery no fork succeeds."""


def main(address: str, key: str) -> int:
    print(key, os.getpid())
    deed, _, argument = address.partition(":")
    return DEEDS[deed](argument) or 0


def wait(_):
    while True:
        signal.pause()


def hear(path):
    """Wait until somebody writes to this FIFO, and print what."""
    print("heard", Path(path).read_text())


def compute(_):
    """C code that never comes back to the interpreter and never lets another thread run."""
    collections.deque(itertools.repeat(None), maxlen=0)


def match(_):
    re.match(r"(a+)+$", "a" * 64 + "b")


def print_bytes(count):
    block = b"x" * 1023 + b"\n"
    many = block * 64
    for _ in range(int(count) // len(many)):
        os.write(1, many)
    print("printed")


def with_threads(_):
    """Run an event loop of uvloop beside threads, and end while they run."""
    import uvloop

    for _ in range(3):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.to_thread(time.sleep, 0))


def start_program(path):
    """End, and leave a program behind that has the same stdout and waits for somebody to write to a FIFO."""
    subprocess.Popen([sys.executable, "-c", "import sys; print('heard', open(sys.argv[1]).read())", path])


def report(_):
    """Print what this process has of its own and what it has got from the one that started it."""
    print(
        json.dumps(
            {
                "stdin": sys.stdin.read(),
                "parent": os.getppid(),
                "threads": threading.active_count(),
                "descriptors": descriptors(),
                "variables": sorted(name for name in os.environ if name.startswith("PLUGSOCK_")),
                "wakeup": signal.set_wakeup_fd(-1),
                "on_child": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
            }
        )
    )


def descriptors():
    """What is open, and what it leads to."""
    return {entry.name: str(entry.readlink()) for entry in list(Path("/proc/self/fd").iterdir()) if entry.is_symlink()}


def fail(_):
    raise RuntimeError("it is broken")


DEEDS = {
    "wait": wait,
    "hear": hear,
    "exit": int,
    "leave": sys.exit,
    "nonsense": lambda _: "no status",
    "raise": fail,
    "segfault": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "compute": compute,
    "match": match,
    "print": print_bytes,
    "unfinished": lambda text: sys.stdout.write(text) and 0,
    "complain": lambda text: print(text, file=sys.stderr),
    "with_threads": with_threads,
    "start_program": start_program,
    "report": report,
}


async def gateway(kind, addresses):
    starter = {"nursery": Nursery, "spawner": Spawner}[kind](print, Output(sys.stdout, sys.stderr), COMMAND)
    for address in addresses:
        await starter.start(address, "worker")
    await asyncio.Event().wait()


def run(arguments):
    if arguments[0] == "--without-room":
        os.fork = no_room
        arguments = arguments[1:]
    if arguments[:2] == ["worker", "--nursery"]:
        return nursery.serve(main)
    if arguments[:2] == ["worker", "--join"]:
        stdio.by_lines()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        lifeline.hold_if_given()
        return main(arguments[2], os.environ.pop(start.KEY))
    return asyncio.run(gateway(arguments[1], arguments[2:]))


def no_room():
    raise BlockingIOError(11, "Resource temporarily unavailable")


if __name__ == "__main__":
    faulthandler.disable()  # a segfault is meant here
    sys.exit(run(sys.argv[1:]))
