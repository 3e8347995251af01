"""What a client can say on an open connection, and what comes back."""

# ruff: noqa: ASYNC109 - a timeout is a word of the protocol: the server keeps the time

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, TypeVar, overload

import msgspec
from websockets.asyncio.client import ClientConnection

from plugsock.client.codec import Format, decode, encode
from plugsock.client.conversation import Conversation
from plugsock.client.exchange import Answer, Exchange
from plugsock.client.listeners import Listeners
from plugsock.client.pushes import Pushes
from plugsock.client.topics import Topic
from plugsock.client.views import View
from plugsock.errors import Disconnected, Error, PlugsockError
from plugsock.model import TOPIC
from plugsock.wire.header import NAME, ServerFrame

T = TypeVar("T")

CREDIT: Final = 32
"""Items of a stream that may be under way when nothing else is said (docs/protocol.md)."""

LIMIT: Final = 1024
"""Pushes that may wait for a loop."""

POSITION: Final = re.compile(r"[A-Za-z0-9]+\.[0-9]+")


class ClientSocket:
    """An open connection; `connect` makes one.

    Every call has exactly one outcome: its result, an `Error` from the server, or `Disconnected`.

    Attributes:
        welcome: What the server said of this session; empty without `hello`.
        user: Who the server says this is; None for nobody that it knows.
        permissions: What that user may do now: it follows every grant, revoke and refresh. One that begins with `!` is
            denied, whatever wildcard stands beside it.
    """

    def __init__(self, websocket: ClientConnection, format: Format) -> None:
        self.welcome: dict[str, Any] = {}
        self.user: str | None = None
        self.permissions: list[str] = []
        self._format = format
        self._conversation = Conversation(websocket, self._heard)
        self._listeners = Listeners()

    @overload
    async def call(self, event: str, args: Any = ..., *, type: type[T], timeout: float | None = ...) -> T: ...
    @overload
    async def call(self, event: str, args: Any = ..., *, type: Any = ..., timeout: float | None = ...) -> Any: ...
    async def call(self, event: str, args: Any = None, *, type: Any = Any, timeout: float | None = None) -> Any:
        """Run a plug and wait for its result.

        Args:
            event: What to call: `"orders.place"`.
            args: The payload, anything that msgspec encodes: a Struct, a dict of the plug's parameters; None for none.
            type: What the result is decoded into.
            timeout: Seconds; the server ends the call after them, or after its own limit if that is shorter.

        Raises:
            Error: The server's answer: a plug's own, or one of the codes in docs/protocol.md.
            Disconnected: The connection went first; the plug may or may not have run.
            PlugsockError: The event is a stream.
            msgspec.ValidationError: The result does not fit `type`.
        """
        async with self._calling(event, args, _options(timeout=timeout)) as exchange:
            answer = await exchange.take()
            if answer.verb != b"ok":
                raise PlugsockError(f"{event} is a stream: iterate over `socket.stream` instead")
        return decode(answer.payload, type, binary=answer.binary)

    @overload
    def stream(
        self, event: str, args: Any = ..., *, type: type[T], credit: int = ..., timeout: float | None = ...
    ) -> AsyncGenerator[T, None]: ...
    @overload
    def stream(
        self, event: str, args: Any = ..., *, type: Any = ..., credit: int = ..., timeout: float | None = ...
    ) -> AsyncGenerator[Any, None]: ...
    async def stream(
        self, event: str, args: Any = None, *, type: Any = Any, credit: int = CREDIT, timeout: float | None = None
    ) -> AsyncGenerator[Any, None]:
        """Iterate over what a stream yields; leaving the loop cancels it.

        The server sends at most `credit` items ahead of the loop and gets new credit as items are consumed.
        An event that is no stream is one of a single item: its result.

        Args:
            event: The stream: `"orders.feed"`.
            args: As in `call`.
            type: What each item is decoded into.
            credit: Items that may be under way, at least 1.
            timeout: Seconds for each item that is asked for.

        Raises:
            Error, Disconnected, msgspec.ValidationError: As in `call`; items that came before have been seen.
        """
        async with self._calling(event, args, _options(timeout=timeout, credit=credit)) as exchange:
            consumed = 0
            while (answer := await exchange.take()).verb != b"ok":
                yield decode(answer.payload, type, binary=answer.binary)
                consumed += 1
                if consumed * 2 >= credit:
                    await self._conversation.say(b"more", exchange.id, b"%d" % consumed)
                    consumed = 0
            if answer.payload:
                yield decode(answer.payload, type, binary=answer.binary)

    @overload
    def view(
        self, event: str, args: Any = ..., *, type: type[T], patch: bool = ...
    ) -> AbstractAsyncContextManager[View[T]]: ...
    @overload
    def view(
        self, event: str, args: Any = ..., *, type: Any = ..., patch: bool = ...
    ) -> AbstractAsyncContextManager[View[Any]]: ...
    @asynccontextmanager
    async def view(
        self, event: str, args: Any = None, *, type: Any = Any, patch: bool = False
    ) -> AsyncIterator[View[Any]]:
        """Watch a view, for `async with socket.view("orders.summary", type=Summary) as view`, until the block ends.

        The block begins at once, while the view is still `loading`. The first value, and each newer one, is what
        `async for value in view` or `await anext(view)` waits for.

        Args:
            event: The view.
            args: As in `call`.
            type: What each value is decoded into.
            patch: Let the server send only what has changed where that is shorter; the values are the same.

        Raises:
            Error: The event can't be the name of one. What else the server has against it, the view's loop raises.
            Disconnected: The connection is closed.
        """
        _check_name(event)
        binary, payload = encode(args, self._format)
        view: View[Any] = View(self._conversation.next_id(), event, type)
        options = b"?patch" if patch else b""
        try:
            async with self._conversation.opened(b"watch", view, options=options, payload=payload, binary=binary):
                yield view
        finally:
            view.leave()

    @asynccontextmanager
    async def topic(self, name: str, *, at: str | None = None, limit: int = LIMIT) -> AsyncIterator[Topic]:
        """Be in a topic, for `async with socket.topic("room.kitchen") as topic`, until the block ends.

        Args:
            name: The topic.
            at: Where one was, `Topic.position`: what was missed since then comes first, and `Topic.recovered` says
                whether it is complete.
            limit: Pushes that may wait for the loop.

        Raises:
            Error: The server does not let this socket in: `not_found`, `forbidden`, `limit` …
            Disconnected: The connection went first.
            PlugsockError: `at` is named, but this socket is in the topic already: others in it would hear all again.
        """
        _check_topic(name, at)
        if at is not None and self._listeners.knows(name):
            raise PlugsockError(f"This socket is in {name} already; only who comes back to it can name a position")
        topic = Topic(name, at, limit)
        self._listeners.enter(topic)
        try:
            await self._join(topic, at)
            yield topic
        finally:
            self._listeners.exit(topic)
            topic.leave()
            if not topic.is_out and not self._listeners.knows(name):
                with suppress(Disconnected):
                    await self._conversation.say(b"leave", self._conversation.next_id(), name.encode())

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call a plain function with the data of every push of this event, before anything that came after it.

        Returns:
            A function that ends it.
        """
        return self._listeners.on(event, callback)

    def on_notice(self, callback: Callable[[str, Any], object]) -> Callable[[], None]:
        """Call a plain function with name and data of every notice.

        They are `plugs`, `permissions`, `presence`, `left`, `token` and `goodbye` (docs/protocol.md).

        Returns:
            A function that ends it.
        """
        return self._listeners.on_notice(callback)

    def pushes(self, *, limit: int = LIMIT) -> Pushes:
        """Collect every push from now on, for `async for push in socket.pushes()`."""
        return self._listeners.collect(limit)

    async def ping(self) -> float:
        """Ask whether the server is there, through everything that a call goes through; returns the seconds it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._conversation.ping()
        return loop.time() - began

    async def refresh(self, token: str) -> float | None:
        """Show a new token of the same user, before or soon after the old one expires.

        Returns:
            The second, as `time.time()` has it, when the new one expires; None if it does not.

        Raises:
            Error: The server does not take it; everything stays as it was.
            Disconnected: The connection went first.
        """
        exchange = Exchange(self._conversation.next_id(), "plugsock", self._refreshed)
        payload = msgspec.json.encode({"token": token})  # as JSON in either format
        async with self._conversation.opened(b"token", exchange, payload=payload):
            answer = await exchange.take()
        expires: float | None = decode(answer.payload, dict[str, Any], binary=False).get("expires")
        return expires

    async def greet(self, token: str | None) -> None:
        """Open a session: the first thing said, before `read` runs, so that nothing comes before the caller listens."""
        hello = {"v": 1, "format": self._format} | ({} if token is None else {"token": token})
        self.welcome = await self._conversation.greet(hello)
        self._identified(self.welcome)

    async def read(self) -> None:
        """Hand out what comes until the connection ends, then end everything that is open."""
        try:
            await self._conversation.read()
        finally:
            self._listeners.lose(*self._conversation.ending)

    @asynccontextmanager
    async def _calling(self, event: str, args: Any, options: bytes) -> AsyncIterator[Exchange]:
        _check_name(event)
        binary, payload = encode(args, self._format)
        exchange = Exchange(self._conversation.next_id(), event)
        async with self._conversation.opened(b"call", exchange, options=options, payload=payload, binary=binary):
            yield exchange

    async def _join(self, topic: Topic, at: str | None) -> None:
        # The topic sees the answer at once, because what was missed comes right behind it.
        exchange = Exchange(self._conversation.next_id(), topic.name, topic.answered)
        options = b"" if at is None else f"?at={at}".encode()
        async with self._conversation.opened(b"join", exchange, options=options):
            await exchange.take()

    def _heard(self, frame: ServerFrame, binary: bool) -> None:  # noqa: FBT001 - called by position
        if frame.verb == b"push":
            self._listeners.pushed(frame, binary=binary)
            return
        name, data = frame.token.decode(), decode(frame.payload, Any, binary=binary)
        if name == "permissions":
            self._identified(data)
        self._listeners.noticed(name, data)

    def _refreshed(self, answer: Answer) -> None:
        # At once, so that a notice right behind the answer is not undone.
        if answer.verb == b"ok":
            self._identified(decode(answer.payload, dict[str, Any], binary=answer.binary))

    def _identified(self, said: dict[str, Any]) -> None:
        self.user = said.get("user")
        self.permissions = said.get("permissions", [])


def _check_name(event: str) -> None:
    if not NAME.fullmatch(event.encode()):
        raise Error("bad_frame", f"{event!r} can't be the name of an event")


def _check_topic(name: str, at: str | None) -> None:
    if not TOPIC.fullmatch(name):
        raise Error("bad_frame", f"{name!r} can't be the name of a topic")
    if at is not None and not POSITION.fullmatch(at):
        raise Error("bad_frame", f"{at!r} can't be a position in a topic; it is `Topic.position`, as e3.118")


def _options(*, timeout: float | None, credit: int = CREDIT) -> bytes:
    if credit < 1:
        raise ValueError(f"credit={credit} must be at least 1")
    parts = [] if timeout is None else [f"timeout={max(timeout, 0.001):.3f}"]
    if credit != CREDIT:
        parts.append(f"credit={credit}")
    return f"?{'&'.join(parts)}".encode() if parts else b""
