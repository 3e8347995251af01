"""The load generator: compiles load.c when it is needed, runs it on its own core and reads what it says."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from contestants import CONTESTANTS, Server, Spent
from machine import GENERATOR, BenchmarkError, pinned

SOURCE: Final = Path(__file__).with_name("load.c")
BINARY: Final = SOURCE.parent / ".build" / "load"

Result = dict[str, Any]
"""What the generator prints, see `report` in load.c. Added is the server's CPU a counted message: `own_us` of its own
process, `children_us` of its workers, `cpu_us` of both."""


def compile_generator() -> Path:
    """Return the compiled generator, compiling it if load.c is newer.

    Raises:
        BenchmarkError: There is no C compiler, or it refused.
    """
    if BINARY.exists() and BINARY.stat().st_mtime > SOURCE.stat().st_mtime:
        return BINARY
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        raise BenchmarkError("no C compiler (cc, gcc, clang): the load generator is a C program, for Linux (epoll)")
    BINARY.parent.mkdir(exist_ok=True)
    fresh = BINARY.with_name(f"load.{os.getpid()}")  # renamed when whole: test processes compile at the same time
    command = [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(fresh), str(SOURCE)]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    if compiled.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed (the generator needs Linux: epoll)\n{compiled.stderr}")
    return fresh.replace(BINARY)


def run(task: str, server: Server, *options: str, greet: bool = True, side: int | None = GENERATOR) -> Result:
    """Load a server and return the result; faults are in it, they don't raise.

    Raises:
        BenchmarkError: The generator could not do its task.
    """
    with _started(task, server, options, greet=greet, side=side) as process:
        spent: list[Spent] = []
        said = _listen(process, lambda: spent.append(server.cpu()))
        result = _result(process, said)
    own_s, children_s = (after - before for before, after in zip(spent[0], spent[-1], strict=True))
    each = 1e6 / max(result["counted"], 1)
    return result | {"own_us": own_s * each, "children_us": children_s * each, "cpu_us": (own_s + children_s) * each}


@contextmanager
def beside(server: Server, *options: str) -> Iterator[Result]:
    """Make calls on any core while the block runs; its result is complete when the block and the calls have ended.

    Raises:
        BenchmarkError: The generator could not do its task.
    """
    result: Result = {}
    with _started("calls", server, options, greet=True, side=None) as process:
        process.stderr.readline()  # "counting": it calls
        yield result
        said = _listen(process, lambda: None)
        result |= _result(process, said)


@contextmanager
def holding(server: Server, connections: int) -> Iterator[Result]:
    """Hold open connections, each of which has made one call, until the block ends."""
    options = ("--connections", str(connections))
    with _started("idle", server, options, greet=True, side=GENERATOR) as process:
        line = process.stdout.readline()
        if not line:
            raise BenchmarkError(process.stderr.read())
        yield json.loads(line)


@contextmanager
def _started(
    task: str, server: Server, options: Iterable[str], *, greet: bool, side: int | None
) -> Iterator[subprocess.Popen[str]]:
    contestant = CONTESTANTS[server.name]
    greeting = contestant.greeting if greet else ()
    command = [str(compile_generator()), task, "--port", str(server.port), *contestant.wire, *greeting, *options]
    pipe = subprocess.PIPE
    with nullcontext() if side is None else pinned(side):
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()


def _listen(process: subprocess.Popen[str], mark: Callable[[], None]) -> str:
    said = []
    for line in process.stderr:
        if line in ("counting\n", "counted\n"):
            mark()
        else:
            said.append(line)
    return "".join(said)


def _result(process: subprocess.Popen[str], said: str) -> Result:
    line = process.stdout.readline()
    if not line:
        raise BenchmarkError(f"the load generator gave up on {process.args[3]}: {said}")
    return json.loads(line)
