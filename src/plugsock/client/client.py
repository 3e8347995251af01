"""What a client can say, and what comes back."""

# ruff: noqa: ASYNC109 - a timeout is a word of the protocol: the server keeps the time

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeVar, overload

import msgspec
from websockets.asyncio.client import ClientConnection

from plugsock.client.backoff import Backoff
from plugsock.client.codec import Format, decode, encode
from plugsock.client.exchange import Answer, Exchange
from plugsock.client.greeting import Greeting
from plugsock.client.keeper import Keeper
from plugsock.client.listeners import Listeners
from plugsock.client.names import check_name, check_topic
from plugsock.client.permissions import Permissions
from plugsock.client.pushes import Pushes
from plugsock.client.request import Request
from plugsock.client.session import Session
from plugsock.client.states import State, States, Why
from plugsock.client.topics import Topic
from plugsock.client.views import View
from plugsock.errors import PlugsockError
from plugsock.wire.header import ServerFrame

T = TypeVar("T")

CREDIT: Final = 32
"""Items of a stream that may be under way when nothing else is said (docs/protocol.md)."""

LIMIT: Final = 1024
"""Pushes that may wait for a loop."""

log: Final = logging.getLogger("plugsock.client")


class Client:
    """Somebody who talks to a server; `connect` makes one.

    Every call has exactly one outcome: its result, an `Error`, or `Disconnected`. One that was under way when the
    connection went gets its answer over the next one; what never arrived is sent again, and of what may have run and
    can't be known any more the outcome is the error `unknown_outcome`. No call is run twice.
    What is asked for while there is no connection waits for it.

    Attributes:
        welcome: What the server said of this session last; empty without `hello`.
        user: Who the server says this is; None for nobody that it knows.
        permissions: What that user may do now: it follows every grant, revoke and refresh.
    """

    def __init__(
        self,
        opens: Callable[[], Awaitable[ClientConnection]],
        format: Format,
        greeting: Greeting | None,
        backoff: Backoff | None,
        hello_s: float,
    ) -> None:
        self.welcome: dict[str, Any] = {}
        self.user: str | None = None
        self.permissions = Permissions()
        self._format = format
        self._greeting = greeting
        self._states = States()
        self._listeners = Listeners()
        self._session = Session(self._heard, self._listeners, comes_back=backoff is not None)
        self._keeper = Keeper(self._session, self._states, opens, greeting, self._welcomed, backoff, hello_s)
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """Is there a connection? See `State`."""
        return self._states.now

    @property
    def mocked(self) -> list[str]:
        """Patterns of the events that the server answers with made-up values."""
        mocked: list[str] = self.welcome.get("mock", [])
        return mocked

    def on_state(self, callback: Callable[[State, Why | None], object]) -> Callable[[], None]:
        """Call a plain function with each new state, and why there is no connection where there is none.

        Returns:
            A function that ends it.
        """
        return self._states.subscribe(callback)

    def wake(self) -> None:
        """Try to come back now instead of after the pause: the network is there again, say."""
        self._keeper.wake()

    async def begin(self, wait_s: float = 0.0) -> None:
        """Connect; `connect` has done so."""
        await self._keeper.begin(wait_s)
        self._keeper.start()

    async def close(self) -> None:
        """Say goodbye and come back no more; the end of the block does so. All that is open is lost."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        await self._keeper.close()

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
            timeout: Seconds; the server ends the call after them, or after its own limit if that is shorter. They count
                while there is no connection, too.

        Raises:
            Error: The server's answer: a plug's own, or one of the codes in docs/protocol.md.
            Disconnected: The client was closed first, or does not come back; the plug may or may not have run.
            PlugsockError: The event is a stream.
            msgspec.ValidationError: The result does not fit `type`.
        """
        exchange = Exchange(event)
        async with self._session.opened(self._call(exchange, args, timeout)):
            answer = await exchange.take()
            if answer.verb != b"ok":
                raise PlugsockError(f"{event} is a stream: iterate over `client.stream` instead")
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

        One that was under way when the connection went ends with `unknown_outcome`, after all items that came.
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
        if credit < 1:
            raise ValueError(f"credit={credit} must be at least 1")
        exchange = Exchange(event)
        request = self._call(exchange, args, timeout, b"" if credit == CREDIT else b"credit=%d" % credit)
        async with self._session.opened(request):
            consumed = 0
            while (answer := await exchange.take()).verb != b"ok":
                yield decode(answer.payload, type, binary=answer.binary)
                consumed += 1
                if consumed * 2 >= credit:
                    await self._session.say(b"more", request.id, b"%d" % consumed)
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
        """Watch a view, for `async with client.view("orders.summary", type=Summary) as view`, until the block ends.

        The block begins at once, while the view is still `loading`. The first value, and each newer one, is what
        `async for value in view` or `await anext(view)` waits for. It goes on over a lost connection.

        Args:
            event: The view.
            args: As in `call`.
            type: What each value is decoded into.
            patch: Let the server send only what has changed where that is shorter; the values are the same.

        Raises:
            Error: The event can't be the name of one. What else the server has against it, the view's loop raises.
            Disconnected: The client is closed.
        """
        check_name(event)
        binary, payload = encode(args, self._format)
        view: View[Any] = View(event, type)
        options = b"patch" if patch else b""
        try:
            async with self._session.opened(Request(b"watch", view, options=options, payload=payload, binary=binary)):
                yield view
        finally:
            view.leave()

    @asynccontextmanager
    async def topic(self, name: str, *, at: str | None = None, limit: int = LIMIT) -> AsyncIterator[Topic]:
        """Be in a topic, for `async with client.topic("room.kitchen") as topic`, until the block ends.

        Args:
            name: The topic.
            at: Where one was, `Topic.position`: what was missed since then comes first, and `Topic.recovered` says
                whether it is complete.
            limit: Pushes that may wait for the loop.

        Raises:
            Error: The server does not let this client in: `not_found`, `forbidden`, `limit` …
            Disconnected: The client was closed first.
            PlugsockError: `at` is named, but this client is in the topic already: others in it would hear all again.
        """
        check_topic(name, at)
        if at is not None and self._listeners.knows(name):
            raise PlugsockError(f"This client is in {name} already; only who comes back to it can name a position")
        topic = Topic(name, at, limit)
        self._listeners.enter(topic)
        try:
            await self._join(topic, at)
            yield topic
        finally:
            self._listeners.exit(topic)
            topic.leave()
            if not topic.is_out and not self._listeners.knows(name):
                await self._session.leave(name)

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
        """Collect every push from now on, for `async for push in client.pushes()`."""
        return self._listeners.collect(limit)

    async def ping(self) -> float:
        """Ask whether the server is there, through everything that a call goes through; returns the seconds it took.

        Raises:
            Disconnected: There is no connection, or it went first.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._session.ping()
        return loop.time() - began

    async def refresh(self, token: str) -> float | None:
        """Show a new token of the same user, before or soon after the old one expires.

        A client that has a function for its token does so by itself when the server says that it has expired.

        Returns:
            The second, as `time.time()` has it, when the new one expires; None if it does not.

        Raises:
            Error: The server does not take it; everything stays as it was.
            Disconnected: The client was closed first.
        """
        exchange = Exchange("plugsock", self._refreshed)
        payload = msgspec.json.encode({"token": token})  # as JSON in either format
        async with self._session.opened(Request(b"token", exchange, payload=payload)):
            answer = await exchange.take()
        if self._greeting is not None and not callable(self._greeting.token):
            self._greeting.token = token
        expires: float | None = decode(answer.payload, dict[str, Any], binary=False).get("expires")
        return expires

    def _call(self, exchange: Exchange, args: Any, timeout: float | None, options: bytes = b"") -> Request:
        check_name(exchange.event)
        binary, payload = encode(args, self._format)
        return Request(b"call", exchange, options=options, payload=payload, binary=binary, timeout_s=timeout)

    async def _join(self, topic: Topic, at: str | None) -> None:
        # The topic sees the answer at once, because what was missed comes right behind it.
        exchange = Exchange(topic.name, topic.answered)
        options = b"" if at is None else f"at={at}".encode()
        async with self._session.opened(Request(b"join", exchange, options=options)):
            await exchange.take()

    def _heard(self, frame: ServerFrame, binary: bool) -> None:  # noqa: FBT001 - called by position
        if frame.verb == b"push":
            self._listeners.pushed(frame, binary=binary)
            return
        name, data = frame.token.decode(), decode(frame.payload, Any, binary=binary)
        match name:
            case "permissions":
                self._identified(data)
            case "goodbye":
                self._keeper.come_back_in(data["retry_ms"] / 1000)
                self._session.drain()
            case "token" if self._greeting is not None and callable(self._greeting.token):
                self._refreshing = asyncio.get_running_loop().create_task(
                    self._refresh_from(self._greeting), name="plugsock client shows a new token"
                )
        self._listeners.noticed(name, data)

    async def _refresh_from(self, greeting: Greeting) -> None:
        try:
            token = await greeting.show()
            if token is not None:
                await self.refresh(token)
        except Exception:  # whatever the function raises; the server closes the connection after a while
            log.exception("the client has no new token")

    def _welcomed(self, welcome: dict[str, Any]) -> None:
        self.welcome = welcome
        self._identified(welcome)

    def _refreshed(self, answer: Answer) -> None:
        # At once, so that a notice right behind the answer is not undone.
        if answer.verb == b"ok":
            self._identified(decode(answer.payload, dict[str, Any], binary=answer.binary))

    def _identified(self, said: dict[str, Any]) -> None:
        self.user = said.get("user")
        self.permissions = Permissions(said.get("permissions", []))
