"""One plug by itself: called as a worker calls it, without a worker around it.

What it says with a `Socket` or `Server` reaches nobody, what it asks for is granted, and who calls is a user who has no
permissions.
"""

import asyncio
import inspect
import traceback
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from contextvars import Context
from itertools import islice
from types import CodeType
from typing import Any, Final

from plugsock.loader.catalog import Plug
from plugsock.model import JSON, Kind, Reach, User
from plugsock.rpc.frames import Emit, Reply, Request, SocketState
from plugsock.settings import MIB
from plugsock.testing.runs import SOCKET, Runs
from plugsock.worker.mouth import Mouth, Voice
from plugsock.worker.outbox import Outbox
from plugsock.worker.peers import Peers
from plugsock.worker.table import Served
from plugsock.worker.threads import in_thread
from plugsock.worker.words import CallerSocket, server_of

USER: Final = User("somebody")

SEQUENCE: Final = 1

MOST_ITEMS: Final = 100
"""Of a stream: it may have no end."""


class Alone:
    """A plug, and what it is handed. Make it on the event loop that async plugs are to run on.

    Args:
        plug: What to call; a call, a stream or a view.
        most_items: A stream is closed after so many.
    """

    def __init__(self, plug: Plug, most_items: int = MOST_ITEMS) -> None:
        self.served: Final = Served(plug, 16 * MIB, dev=True)
        self._most_items = most_items
        self._is_stream = plug.signature.kind is Kind.STREAM
        self._is_async = plug.signature.is_async
        self._handed_in = _handed_in(self.served) if self.served.needs else ()

    async def outputs(self, payload: bytes) -> list[bytes]:
        """Call it once, in a thread if it is a plain function; what came of it, encoded and held against its type.

        Args:
            payload: JSON.

        Raises:
            Unsendable: What it returned or yielded is not what it declares; see `worker.encode`.
            TooLarge: It is longer than an answer may be.
            Exception: Whatever the plug raises.
        """
        encode = self.served.encode
        if not self._is_async:
            values = await in_thread("plugsock-plug", lambda: Context().run(lambda: list(self._items(payload))))
            return [encode(value, JSON) for value in values]
        async with aclosing(self._awaited(payload)) as items:
            return [encode(value, JSON) async for value in items]

    async def repeat(
        self, payloads: Sequence[bytes], rounds: int = 1, around: AbstractContextManager[object] | None = None
    ) -> None:
        """Call it with one payload after another, again and again; what it returns is dropped, what it raises likewise.

        Args:
            payloads: JSON.
            rounds: How often with each of them.
            around: Is entered where the plug runs, and left at the end.
        """
        around = around or nullcontext()
        if not self._is_async:
            await in_thread("plugsock-plug", lambda: Context().run(self._repeat, payloads, rounds, around))
            return
        with around:
            for _ in range(rounds):
                for payload in payloads:
                    await self._drop_awaited(payload)

    def _repeat(self, payloads: Sequence[bytes], rounds: int, around: AbstractContextManager[object]) -> None:
        with around:
            for _ in range(rounds):
                for payload in payloads:
                    self._drop(payload)

    async def _drop_awaited(self, payload: bytes) -> None:
        try:
            if not self._is_stream:
                await self._enter(payload)
                return
            async with aclosing(self._awaited(payload)) as items:
                async for _ in items:
                    pass
        except Exception:  # whoever wants to know has called it by `outputs` before
            return

    def _drop(self, payload: bytes) -> None:
        try:
            if not self._is_stream:
                self._enter(payload)
                return
            for _ in self._items(payload):
                pass
        except Exception:  # as above
            return

    def _enter(self, payload: bytes) -> Any:
        return self.served.enter(self.served.bind(payload, JSON), *self._handed_in)

    async def _awaited(self, payload: bytes) -> AsyncGenerator[Any, None]:
        """What an `async def` returns or yields."""
        if not self._is_stream:
            yield await self._enter(payload)
            return
        async with aclosing(self._enter(payload)) as items:
            left = self._most_items
            async for item in items:
                yield item
                left -= 1
                if not left:
                    return

    def _items(self, payload: bytes) -> Iterator[Any]:
        """What a plain function returns or yields."""
        if not self._is_stream:
            yield self._enter(payload)
            return
        with closing(self._enter(payload)) as items:
            yield from islice(items, self._most_items)


def source_file(plug: Plug) -> str:
    """The name that Python knows the file of a plug by, below its decorators; empty where it has none."""
    code = getattr(inspect.unwrap(plug.function), "__code__", None)
    return code.co_filename if isinstance(code, CodeType) else ""


def line_of(plug: Plug, error: BaseException) -> int | None:
    """The innermost line of a plug's file that has to do with an exception, if one has."""
    file = source_file(plug)
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    return lines[-1] if lines else None


def said(error: BaseException) -> str:
    """An exception for people, on one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # the author's `__str__`
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Nobody(Runs):
    """Whom all words go to."""

    def __init__(self) -> None:
        super().__init__(0.0, USER)
        self.mouth = Mouth(self, Outbox(asyncio.get_running_loop()))

    def emit(self, emit: Emit) -> None:
        """Nobody listens."""

    def ask(self, number: int, sequence: int, request: Request) -> None:  # noqa: ARG002 - as in what this is one of
        """All is granted, and reaches nobody."""
        self.mouth.told(number, Reply(Reach()))


def _handed_in(served: Served) -> tuple[Any, ...]:
    """A Socket, a Server and a User, as `worker.run` makes them."""
    mouth, voice, peers = _Nobody().mouth, Voice(SEQUENCE), Peers()
    peers.put(SocketState(SOCKET, USER.id, [], None, 0))
    socket = CallerSocket(SOCKET, peers, mouth, voice, is_guarded=False)
    return socket, server_of(mouth, voice, is_async=served.signature.is_async), peers.user(SOCKET)
