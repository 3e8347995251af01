"""What workers join, without the pool around it: a door, one owner, and a folder of plugs."""

import asyncio
import os
import socket
import tempfile
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

from plugsock import __version__
from plugsock.model import JSON
from plugsock.ops.datadir import Address
from plugsock.ops.shared import Shared
from plugsock.pool.door import Door
from plugsock.pool.link import ProcessLink
from plugsock.rpc.frames import Call
from plugsock.rpc.join import Register, Turned, Welcome
from plugsock.rpc.page import SIZE
from plugsock.rpc.start import KEY
from support import executable
from support.ends import OwnerOf
from support.recording import Answer, RecordingSink


class Front:
    """A gateway for one worker: it lets it look, commits what it has staged, and writes down what it says.

    Attributes:
        answer: What it makes of a registration; a `Welcome` by default.
        registered: Who has come.
        settings: Changes to the `Welcome`.
    """

    def __init__(self, folder: Path, directory: Path) -> None:
        self.folder = folder
        self.owner = OwnerOf(RecordingSink())
        self.page = Shared.create(directory, SIZE)
        self.door = Door(__version__, self._decide)
        self.answer: Turned | None = None
        self.registered: list[Register] = []
        self.settings: dict[str, Any] = {}
        self.link: ProcessLink | None = None
        self._sequences = count(1)

    def _decide(self, said: Register, link: ProcessLink) -> Welcome | Turned:
        self.registered.append(said)
        if self.answer is not None:
            return self.answer
        self.link = self.owner.sink.link = link
        given = {
            "number": 3, "page": str(self.page.path), "plugs": str(self.folder), "trust": False, "dev": False,
            "poll": False, "max_answer": 1 << 20, "threads": 4, "log_format": "text",
        }  # fmt: skip
        welcome = Welcome(**(given | self.settings))
        link.attach(self.owner, self.page.path.parent, welcome.number)
        return welcome

    async def loaded(self) -> None:
        """Wait until the worker has loaded the plugs."""
        await self.owner.until(lambda: any(staged.groups for staged in self.owner.stages()))

    def start(self, event: str, payload: str = "") -> int:
        """Have the worker run something; the sequence."""
        revisions = {
            plug.event: plug.revision
            for staged in self.owner.stages()
            for group in staged.groups
            for plug in group.events
        }
        sequence = next(self._sequences)
        assert self.link is not None
        self.link.call(Call(sequence, event, revisions[event], JSON, "s1", 0, 0, 32, "", "", "", payload.encode()))
        return sequence

    async def call(self, event: str, payload: str = "") -> Answer:
        """The same, and wait for the answer."""
        return await self.owner.answer_of(self.start(event, payload))

    async def process(self, *arguments: str, key: str = "", **variables: str) -> asyncio.subprocess.Process:
        """Start a worker in a process of its own."""
        return await asyncio.create_subprocess_exec(
            *(*executable.command(), "worker", *(arguments or ("--join", self.door.address))),
            env={**os.environ, KEY: key, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@asynccontextmanager
async def front(folder: Path, **files: str) -> AsyncIterator[Front]:
    """A gateway over a folder with these plugs."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    with tempfile.TemporaryDirectory() as directory:  # with a short path, unlike pytest's
        made = Front(folder, Path(directory))
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{directory}/workers")
        listening.listen()
        await made.door.open(listening, Address(path=f"{directory}/workers"))
        try:
            yield made
        finally:
            made.door.close()
            if made.link is not None:
                made.link.close()
                await made.owner.loss()
            made.page.close()
