"""Both ends of a worker's connection in one process, and what hears the gateway's."""

import asyncio
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plugsock.pool.link import ProcessLink
from plugsock.rpc.frames import OK, Call
from plugsock.rpc.page import private
from plugsock.worker.process import Process
from support.recording import RecordingSink


class OwnerOf:
    """The owner of a link that lets a sink hear what a gateway does.

    Attributes:
        beats: The heartbeats, as (lag, lost threads).
        reasons: Why only a new process will do.
        given_back: Calls that the worker has not begun because they were taken back.
        left: How often somebody has asked the worker to end.
        losses: What was said when the connection ended; there is to be one.
    """

    def __init__(self, sink: RecordingSink) -> None:
        self.sink = sink
        self.beats: list[tuple[float, int]] = []
        self.reasons: list[str] = []
        self.given_back: list[int] = []
        self.left = 0
        self.losses: list[str | None] = []
        self._lost = asyncio.Event()

    def __getattr__(self, word: str) -> Any:
        return getattr(self.sink, word)

    def beat(self, lag_s: float, lost_threads: int) -> None:
        self.beats.append((lag_s, lost_threads))
        self.sink._changed.set()

    def outdated(self, reason: str) -> None:
        self.reasons.append(reason)

    def returned(self, sequence: int) -> None:
        self.given_back.append(sequence)

    def leave(self) -> None:
        self.left += 1
        self.sink._changed.set()

    def lost(self, reason: str | None) -> None:
        self.losses.append(reason)
        self._lost.set()

    async def loss(self) -> str | None:
        """Wait until the connection has ended; what the worker did wrong."""
        await self._lost.wait()
        return self.losses[0]


class Echo:
    """An engine that answers each call with its payload, unless `call` is replaced, and writes down what else it hears."""

    lost_threads = 0

    def __init__(self, process: Process) -> None:
        self.process = process
        self.heard: list[Any] = []
        self.is_cut_off = False
        self.on_call: Callable[[Call], None] = lambda call: self.process.answer(
            call.sequence, OK, call.payload, 0, None
        )
        self._changed = asyncio.Event()

    def call(self, call: Call) -> None:
        self._hear("call", call.sequence)
        self.on_call(call)

    def cut_off(self) -> None:
        self.is_cut_off = True
        self._changed.set()

    def __getattr__(self, word: str) -> Callable[..., None]:
        return lambda *said, **named: self._hear(word, *said, *named.values())

    async def until(self, ready: Callable[[], Any]) -> Any:
        """Wait until a look at what was heard is true."""
        while not (found := ready()):
            self._changed.clear()
            await self._changed.wait()
        return found

    def _hear(self, *said: Any) -> None:
        self.heard.append(said)
        self._changed.set()


class Ends:
    """A link and the process at its other end.

    Attributes:
        directory: Where their parcels are.
        page: What the process marks.
    """

    def __init__(self, owner: Any = None, engine: Callable[[Process], Any] = Echo) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.directory = Path(self._directory.name)
        self.page = private()
        self.owner = OwnerOf(RecordingSink()) if owner is None else owner
        self.link = ProcessLink()
        self.link.attach(self.owner, self.directory, 1)
        self.process = Process(self.directory, 1, self.page)
        self.engine = engine(self.process)
        self.process.attach(self.engine)

    async def connect(self) -> "Ends":
        """Connect the two."""
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        await loop.connect_accepted_socket(lambda: self.link, here)
        await loop.connect_accepted_socket(lambda: self.process, there)
        return self

    async def close(self) -> None:
        """Hang up, and wait until that has been heard."""
        self.link.close()
        await self.owner.loss()
        await self.process.over
        self._directory.cleanup()


def call(sequence: int, payload: bytes = b"", event: str = "echo") -> Call:
    """A call of which nothing else matters."""
    return Call(sequence, event, "5e0c1a22", 0, "s1", 0, 0, 32, "", "", "", payload)
