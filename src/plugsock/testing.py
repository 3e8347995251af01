"""Calling plugs without a server: for the tests that authors write for their own plugs.

    async with client("plugs") as c:
        assert await c.call("greet", {"name": "Ada"}) == ["Hello, Ada!"]
        assert c.sent == [Sent("greeted", {"name": "Ada"})]

The plugs are loaded and run by the same code as in a server, in this process and without a network: payloads are
encoded and checked as on the wire, results are checked against their declared types as with `--dev`.
"""

# ruff: noqa: ARG002 - a sink is told more than a test asks for

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar, overload

from msgspec import Struct

from plugsock.client.codec import decode, decode_error, encode
from plugsock.errors import Error, PlugsockError
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.model import JSON, MSGPACK, Announcement, Problem, Reach
from plugsock.rpc.frames import (
    OK,
    Broadcast,
    Call,
    Details,
    Emit,
    Grant,
    Kick,
    KickUser,
    Reply,
    Request,
    Revoke,
    Send,
    SocketState,
    Staged,
)
from plugsock.rpc.link import Link
from plugsock.settings import Settings
from plugsock.worker import pools, surroundings
from plugsock.worker.engine import Engine
from plugsock.worker.keeper import on_loop

T = TypeVar("T")

SOCKET: Final = "test"
"""Id of the socket that calls."""

CREDIT: Final = 32
"""Items that a stream may be ahead of the test: what clients of a server give by default."""


class Sent(Struct, frozen=True):
    """Something a plug pushed."""

    event: str
    data: Any = None
    socket: str | None = None
    """Whom to; None for a broadcast."""


class Kicked(Struct, frozen=True):
    """A socket that a plug closed, or a user whose sockets it closed."""

    socket: str | None
    """None where it was a user."""
    code: int
    reason: str
    user: str | None = None


class Granted(Struct, frozen=True):
    """A permission that a plug gave to a user."""

    user: str
    permission: str


class Revoked(Struct, frozen=True):
    """A permission that a plug took from a user."""

    user: str
    permission: str
    fence: float | None = None


class Client:
    """Somebody who calls the plugs of a folder; `client` makes one.

    Attributes:
        sent: What the plugs have pushed, in order.
        kicked: Whom they have closed.
        rights: What they have granted and revoked, in order. That is done at once, and reaches nobody.
        events: What can be called.
        problems: What is wrong with the folder, where that is allowed.
    """

    def __init__(self, runs: "_Runs") -> None:
        self.sent = runs.sent
        self.kicked = runs.kicked
        self.rights = runs.rights
        self.events = runs.events
        self.problems = runs.problems
        self._runs = runs

    @overload
    async def call(self, event: str, data: Any = ..., *, type: type[T]) -> T: ...
    @overload
    async def call(self, event: str, data: Any = ..., *, type: Any = ...) -> Any: ...
    async def call(self, event: str, data: Any = None, *, type: Any = Any) -> Any:
        """Run a plug and wait for its result.

        Args:
            event: What to call: `"chat.send"`.
            data: The payload: a dict of the plug's parameters, a Struct, anything that msgspec encodes; None for none.
            type: What the result is decoded into.

        Raises:
            Error: The plug's own answer, or one of the server's codes: `bad_payload`, `plug_error`, `timeout` ...
            PlugsockError: The event is a stream.
        """
        async with self._runs.start(event, data) as run:
            answer = await run.next()
            if not answer.is_end:
                raise PlugsockError(f"{event} is a stream: iterate over `stream` instead")
            return run.decoded(answer, type)

    async def stream(self, event: str, data: Any = None, *, type: Any = Any) -> AsyncGenerator[Any, None]:
        """Iterate over what a stream yields; leaving the loop cancels it.

        Raises:
            Error: As in `call`, after the items that came before it.
        """
        async with self._runs.start(event, data) as run:
            while not (answer := await run.next()).is_end:
                yield run.decoded(answer, type)
                run.more()


@asynccontextmanager
async def client(folder: str | Path, *, timeout_s: float = 30.0, allow_problems: bool = False) -> AsyncIterator[Client]:
    """Load a folder of plugs and call them.

    Args:
        folder: The folder, as `--plugs` takes it.
        timeout_s: Seconds for a call, or an item of a stream, whose plug does not say otherwise.
        allow_problems: Go on with what could be loaded, and find the rest in `problems`.

    Raises:
        PlugsockError: There is no such folder, or something is wrong with it; the text has each problem's file and
            line.
    """
    settings = _settings(Path(folder), timeout_s)
    runs = _Runs(timeout_s)
    pools.enable()
    # Whoever runs an author's tests runs the code beside them anyway, and CI systems check out with any mode and owner.
    with _surroundings(settings.plugs):
        loader = Loader(folders(settings.plugs, trust=True), run_async=on_loop(asyncio.get_running_loop()))
        runs.link = link = Engine(loader, runs, settings)
        try:
            await link.start()
            await runs.loaded.wait()
            if runs.problems and not allow_problems:
                raise PlugsockError("\n".join([f"{folder} has problems:", *map(str, runs.problems)]))
            link.socket(SocketState(SOCKET, None, [], None, 0))
            yield Client(runs)
        finally:
            await link.stop()


@contextmanager
def _surroundings(plugs: Path) -> Iterator[None]:
    """Give this process what the folder's workers would have, for a while: the next test may be about another folder."""
    path = list(sys.path)
    names = surroundings.take_what_the_folder_has(plugs, trust=True)
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        sys.path[:] = path


def _settings(folder: Path, timeout_s: float) -> Settings:
    if not folder.is_dir():
        raise PlugsockError(f"{folder}: there is no such folder of plugs")
    plugs = folder.absolute()
    return Settings(plugs=plugs, data=plugs.parent / ".plugsock", dev=True, timeout_s=timeout_s)


class _Answer(Struct, frozen=True):
    payload: bytes
    is_end: bool


class _Run:
    """One open call, and what has come back."""

    def __init__(self, link: Link, sequence: int, announced: Announcement, timeout_s: float, *, binary: bool) -> None:
        self.answers: asyncio.Queue[_Answer | Error] = asyncio.Queue()
        self._binary = binary
        self._link = link
        self._sequence = sequence
        self._event = announced.event
        self._timeout_s = announced.timeout or timeout_s

    async def next(self) -> _Answer:
        await asyncio.sleep(0)  # a network would give other tasks a turn too, so tests may wait for them by calling
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self.answers.get()
        except TimeoutError:
            raise Error("timeout", f"{self._event} took longer than {self._timeout_s:g} s") from None
        if isinstance(answer, Error):
            raise answer
        return answer

    def more(self) -> None:
        self._link.more(self._sequence, 1)

    def decoded(self, answer: _Answer, type: Any) -> Any:
        return decode(answer.payload, type, binary=self._binary)

    def refused(self, payload: bytes) -> Error:
        return decode_error(payload, binary=self._binary)


class _Runs:
    """The worker's end: starts runs, and sorts what comes back."""

    link: Engine

    def __init__(self, timeout_s: float) -> None:
        self.sent: list[Sent] = []
        self.kicked: list[Kicked] = []
        self.rights: list[Granted | Revoked] = []
        self.events: dict[str, Announcement] = {}
        self.problems: list[Problem] = []
        self.loaded = asyncio.Event()
        self._open: dict[int, _Run] = {}
        self._sequences = count(1)
        self._timeout_s = timeout_s

    @asynccontextmanager
    async def start(self, event: str, data: Any) -> AsyncIterator[_Run]:
        announced = self.events.get(event)
        if announced is None:
            raise Error("not_found", "; ".join([f"no plug answers {event}", *map(str, self.problems)]))
        binary, payload = encode(data, "json")
        format = MSGPACK if binary else JSON
        sequence = next(self._sequences)
        run = self._open[sequence] = _Run(self.link, sequence, announced, self._timeout_s, binary=binary)
        self.link.call(Call(sequence, event, announced.revision, format, SOCKET, 0, 0, CREDIT, "", "", "", payload))
        try:
            yield run
        finally:
            if self._open.pop(sequence, None):
                self.link.cancel(sequence)

    def answer(self, sequence: int, status: int, payload: bytes, ran_s: float, details: Details | None) -> None:
        run = self._open.pop(sequence, None)
        if run is not None:
            run.answers.put_nowait(_Answer(payload, is_end=True) if status == OK else run.refused(payload))

    def item(self, sequence: int, payload: bytes) -> None:
        run = self._open.get(sequence)
        if run is not None:
            run.answers.put_nowait(_Answer(payload, is_end=False))

    def emit(self, emit: Emit) -> None:
        match emit:
            case Send():
                self.sent.append(Sent(emit.event, decode(emit.json, Any, binary=False), emit.socket))
            case Broadcast():
                self.sent.append(Sent(emit.event, decode(emit.json, Any, binary=False)))
            case Kick():
                self.kicked.append(Kicked(emit.socket, emit.code, emit.reason))
            case KickUser():
                self.kicked.append(Kicked(None, emit.code, emit.reason, emit.user))

    def ask(self, number: int, sequence: int, request: Request) -> None:
        match request:
            case Grant():
                self.rights.append(Granted(request.user, request.permission))
            case Revoke():
                self.rights.append(Revoked(request.user, request.permission, request.fence_s))
        self.link.told(number, Reply(Reach()))

    def ended(self, sequence: int) -> None:
        pass

    def changed(self, paths: Sequence[str]) -> None:
        self.link.look(paths)

    def staged(self, staged: Staged) -> None:
        good = [group for group in staged.groups if not group.problems]
        for group in good:
            for event in group.gone:
                self.events.pop(event, None)
            self.events.update({announced.event: announced for announced in group.events})
        self.problems[:] = staged.problems
        self.link.commit(staged.stage, [group.id for group in good])
        self.link.retire(staged.stage)
        self.loaded.set()
