"""Somebody who calls the plugs of a folder, and what they need around them."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

from plugsock.client.codec import decode, decode_error
from plugsock.errors import PlugsockError
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.model import Kind, User
from plugsock.rpc.views import read_told
from plugsock.settings import Settings
from plugsock.testing.runs import Runs
from plugsock.worker import pools, surroundings
from plugsock.worker.engine import Engine
from plugsock.worker.keeper import on_loop

T = TypeVar("T")


class Client:
    """Somebody who calls the plugs of a folder; `client` makes one.

    Attributes:
        sent: What the plugs have pushed, in order.
        published: What they have pushed to topics, in order. It goes to nobody, and nothing is kept.
        joined: The topics that they have put the caller into. No rule is asked whether it may be there.
        left: Those that they have taken it out of.
        changed: The keys that they have said to have changed, in order. No view runs by that.
        reads: The keys that the latest `view` has read.
        kicked: Whom they have closed.
        rights: What they have granted and revoked, in order. That is done at once, and reaches nobody.
        events: What can be called.
        problems: What is wrong with the folder, where that is allowed.
    """

    def __init__(self, runs: Runs) -> None:
        records = runs.records
        self.sent = records.sent
        self.published = records.published
        self.joined = records.joined
        self.left = records.left
        self.changed = records.changed
        self.reads = records.reads
        self.kicked = records.kicked
        self.rights = records.rights
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

    @overload
    async def view(self, event: str, data: Any = ..., *, type: type[T]) -> T: ...
    @overload
    async def view(self, event: str, data: Any = ..., *, type: Any = ...) -> Any: ...
    async def view(self, event: str, data: Any = None, *, type: Any = Any) -> Any:
        """Run a view once, as for somebody who watches it, and wait for its value; `reads` is what it has read.

        Args:
            event: The view: `"orders.summary"`.
            data: Its arguments, as in `call`.
            type: What the value is decoded into.

        Raises:
            Error: As in `call`.
            PlugsockError: The event is no view.
        """
        self.reads.clear()
        kind = self._runs.announced(event).kind
        if kind is not Kind.VIEW:
            raise PlugsockError(f"{event} is a {kind}, and nobody can watch that")
        async with self._runs.start(event, data, is_watched=True) as run:
            told = read_told((await run.next()).payload)
        self.reads.extend(told.reads)
        if told.fault:
            raise decode_error(told.fault, binary=False)
        return decode(told.json, type, binary=False)

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
async def client(
    folder: str | Path, *, user: User | None = None, timeout_s: float = 30.0, allow_problems: bool = False
) -> AsyncIterator[Client]:
    """Load a folder of plugs and call them.

    Args:
        folder: The folder, as `--plugs` takes it.
        user: Who calls; nobody is asked whether they may. Default: somebody who has not said who they are.
        timeout_s: Seconds for a call, or an item of a stream, whose plug does not say otherwise.
        allow_problems: Go on with what could be loaded, and find the rest in `problems`.

    Raises:
        PlugsockError: There is no such folder, or something is wrong with it; the text has each problem's file and
            line.
    """
    settings = _settings(Path(folder), timeout_s)
    runs = Runs(timeout_s, user)
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
            runs.introduce()
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
