"""A runner over functions: what the loader makes of a file, without the file."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from plugsock.loader import signature
from plugsock.loader.catalog import Plug
from plugsock.loader.declare import Options
from plugsock.model import JSON, Announcement, Requires
from plugsock.rpc.frames import Call, SocketState
from plugsock.rpc.page import Page, private
from plugsock.worker.run import Runner
from plugsock.worker.table import Table
from support.recording import Answer, RecordingSink

REVISION = "5e0c1a22"


async def until(ready: Callable[[], Any]) -> None:
    """Turn the loop until something is so that another thread does, and that nothing tells the loop of."""
    while not ready():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0.001)


def plug_of(function: Callable[..., Any], *, order: str = "", requires: Requires = ()) -> Plug:
    """A function as the loader would hand it over; its event is its name."""
    event = function.__name__
    read = signature.read(function, event)
    announcement = Announcement(
        event, REVISION, read.kind, read.input_text, read.output_text, "", "test.py:1", order=order, requires=requires
    )
    return Plug(announcement, function, read, Options(order=order, requires=requires), "plugs.test")


class Worker:
    """A runner, its sink and its page, and short words for what tests do with them."""

    def __init__(
        self,
        *functions: Callable[..., Any],
        threads: int = 4,
        max_answer: int = 1 << 20,
        dev: bool = False,
        order: str = "",
        requires: Requires = (),
        page: "Page | None" = None,
    ):
        self.sink = RecordingSink()
        self.page = private() if page is None else page
        self.table = Table(max_answer, dev=dev)
        self.table.commit(1, [plug_of(function, order=order, requires=requires) for function in functions], [])
        self.runner = Runner(self.sink, self.table, threads=threads, dev=dev, page=self.page)
        self._sequences = itertools.count(1)

    def start(
        self,
        event: str | Callable[..., Any],
        payload: bytes | str = b"",
        *,
        format: int = JSON,
        socket: str = "s1",
        revision: str = REVISION,
        flags: int = 0,
        credit: int = 32,
        order: str = "",
    ) -> int:
        """Start a call; returns its sequence."""
        name = event if isinstance(event, str) else event.__name__
        data = payload.encode() if isinstance(payload, str) else payload
        sequence = next(self._sequences)
        self.runner.start(Call(sequence, name, revision, format, socket, 0, flags, credit, "", "", order, data))
        return sequence

    async def call(self, event: str | Callable[..., Any], payload: bytes | str = b"", **more: Any) -> Answer:
        """Start a call and wait for its answer."""
        return await self.sink.answer_of(self.start(event, payload, **more))

    def meet(self, socket: str, user: str | None = None, permissions: tuple[str, ...] = ()) -> None:
        """Make a socket known."""
        self.runner.peers.put(SocketState(socket, user, list(permissions), None, 0))
