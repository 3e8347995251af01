"""The tutorial, done as a reader does it: its files are saved and its commands run, in order, beside a real server."""

import asyncio
import re
import shlex
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support import executable
from support.server import LIMIT_S, environment, running

PAGE = Path(__file__).parents[2] / "docs" / "first-plug.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVE = "python3 build.py run"
ADDRESS = "ws://127.0.0.1:8765"
"""What the page says; the test's server listens on a free port."""


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, place, stack):
        self.place = place
        self.stack = stack
        self.server = None

    async def read(self, page):
        for language, block in BLOCK.findall(page):
            if language == "python":
                await self.save(block)
            else:
                for command, expected in commands(block):
                    found = await (self.serve() if command == SERVE else self.run(command))
                    assert re.fullmatch(pattern(expected), found), f"$ {command}\n{found}instead of\n{expected}"

    async def save(self, text):
        path = self.place / text.partition("\n")[0].removeprefix("# ")
        since = len(self.server.err)
        path.write_text(text.replace(ADDRESS, self.server.url), encoding="utf-8")
        if path.parent.name == "plugs":
            await self.server.says(rf"(swapped|place=).*\b{path.stem}\b", since=since)

    async def serve(self):
        self.server = await self.stack.enter_async_context(running(self.place / "plugs"))
        return "".join(f"{line}\n" for line in self.server.out).replace(self.server.url, ADDRESS)

    async def run(self, command):
        program, *words = shlex.split(command)
        process = await asyncio.create_subprocess_exec(
            *(executable.command() if program == "plugsock" else [sys.executable]),
            *words,
            cwd=self.place,
            env=environment() | {"PYTHONUTF8": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(LIMIT_S):
            output, _ = await process.communicate()
        return output.decode()


def pattern(text):
    """What the page shows, where `…` stands for anything on a line."""
    return ".*".join(map(re.escape, text.split("…")))


def commands(block):
    """Each command of a console block, with the output that the page shows below it."""
    for part in block.removeprefix("$ ").removesuffix("\n").split("\n$ "):
        command, _, output = part.partition("\n")
        yield command, output and f"{output}\n"


@pytest.mark.end_to_end
@pytest.mark.timeout(180)
async def test_everything_on_the_page_happens_as_it_says(tmp_path, monkeypatch):
    executable.move_to(tmp_path, monkeypatch)
    async with AsyncExitStack() as stack:
        await Reader(tmp_path, stack).read(PAGE.read_text(encoding="utf-8"))
