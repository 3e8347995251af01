"""A shape that changes while a front end is being written: its compiler says so at once, and so does `plugsock check`."""

import asyncio
import re
import shutil
import time
from contextlib import asynccontextmanager

import pytest

from plugsock import connect
from support import executable
from support.server import LIMIT_S, running
from support.site import EXAMPLE, declare, install, needs_vite
from support.tsc import TSC, needs_tsc

SOON_S = 10.0
"""Ten times what it takes: the machine has other things to do, too."""

pytestmark = pytest.mark.end_to_end


class Lines:
    """What a process says, line by line."""

    def __init__(self, process):
        self._process = process

    async def until(self, pattern):
        """Read on until a line matches; that match."""
        async with asyncio.timeout(LIMIT_S):
            while line := (await self._process.stdout.readline()).decode():
                if match := re.search(pattern, line):
                    return match
        raise AssertionError(f"never said {pattern!r}")


@asynccontextmanager
async def process(*command, cwd):
    """Something that goes on until the end of the block."""
    pipe = asyncio.subprocess.PIPE
    command = [str(each) for each in command]
    started = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=executable.environment(), stdin=asyncio.subprocess.DEVNULL, stdout=pipe
    )
    try:
        yield Lines(started)
    finally:
        for each in [*executable.processes(started.pid), started]:  # the compiler is a child of what was started
            each.terminate()
        await started.communicate()
        started._transport.close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The example, with its plugs and its settings."""
    home = tmp_path / "orders"
    shutil.copytree(EXAMPLE, home, ignore=shutil.ignore_patterns("node_modules", "dist", "orders.db*", "__pycache__"))
    executable.move_to(home, monkeypatch)
    return home


def change(home, old, new):
    """Save orders.py with another shape."""
    file = home / "plugs/orders.py"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    new_file = home / "new.py"
    new_file.write_text(text.replace(old, new), encoding="utf-8")
    new_file.replace(file)


@needs_vite
@needs_tsc
async def test_a_field_of_another_type_is_an_error_of_the_compiler_at_once(home):
    install(home)
    declare(home)
    types = [*executable.command(), "types", "plugs", "--output", "src/types.d.ts", "--watch"]
    tsc = ["node", TSC, "--noEmit", "--watch", "--pretty", "false", "--preserveWatchOutput"]
    (home / "src/types.d.ts").unlink()  # it is told below when it is there
    async with process(*types, cwd=home) as watching:
        await watching.until("^wrote")
        async with process(*tsc, cwd=home) as compiler:
            await compiler.until("Found 0 errors")
            began = time.perf_counter()
            change(home, "    cents: Takings\n", "    cents: Name\n")
            await watching.until("^wrote")
            written_s = time.perf_counter() - began
            wrong = await compiler.until(r"^(\S+)\(\d+,\d+\): error TS(\d+)")
            found_s = time.perf_counter() - began

    print(f"saved, types.d.ts written after {written_s:.2f} s, error of the compiler after {found_s:.2f} s")  # noqa: T201
    assert wrong.groups() == ("src/office.ts", "2345")
    assert found_s < SOON_S


async def plugsock(*arguments, cwd):
    """Run a command to its end: its status, and what it prints."""
    started = await asyncio.create_subprocess_exec(
        *executable.command(), *arguments, cwd=cwd, env=executable.environment(), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await started.communicate()
    return started.returncode, out.decode()


async def test_a_breaking_change_is_told_with_those_who_were_built_for_what_was(home):
    status, lock = await plugsock("schema", cwd=home)
    (home / "types.lock").write_text(lock)
    hash = re.search(r'"shapes": ?"(\w+)"', lock)[1]
    assert status == 0

    async with running(home / "plugs") as server, connect(server.url, shapes=hash), connect(server.url, shapes=hash):
        assert await plugsock("check", "--against", "types.lock", cwd=home) == (0, "no problems, 6 events\n")
        change(home, "    cents: Takings\n", "    cents: Name\n")
        status, out = await plugsock("check", "--against", "types.lock", cwd=home)

    assert status == 1
    assert re.search(r"^plugs/orders.py:\d+: `orders.board` .+ `cents` .+ \[breaking-change\]$", out, re.MULTILINE)
    assert re.search(rf"^types.lock:\d+: 2 connected clients .+ {hash} \[breaking-change\]$", out, re.MULTILINE)
