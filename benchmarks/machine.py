"""What the benchmarks need of the machine: a core for each side, room for sockets, a free port."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psutil

SERVER: Final = 0
GENERATOR: Final = 1
"""Sides, each with a core of its own where there are two: the same two for every contestant."""


class BenchmarkError(Exception):
    """The benchmark could not run; its text is for a person."""


@contextmanager
def pinned(side: int) -> Iterator[None]:
    """What is started within this block runs on that side's core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) > 1:
        os.sched_setaffinity(0, {sorted(allowed)[side]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def raise_file_limit(files: int) -> None:
    """Let this process and those it starts hold `files` sockets, and some more for themselves."""
    process = psutil.Process()
    soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    need = files + 256
    if hard != psutil.RLIM_INFINITY and hard < need:
        raise BenchmarkError(f"{need} open files are needed, but the hard limit is {hard} (see `ulimit -Hn`)")
    process.rlimit(psutil.RLIMIT_NOFILE, (max(soft, need), hard))


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
