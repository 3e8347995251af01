"""What a client can say on an open connection, and what comes back."""

# ruff: noqa: ASYNC109 - a timeout is a word of the protocol: the server keeps the time

import asyncio
import logging
import weakref
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final, TypeVar, overload

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from plugsock.client.codec import Format, decode, decode_error, encode
from plugsock.client.exchange import Answer, Exchange
from plugsock.client.pushes import Push, Pushes
from plugsock.errors import Disconnected, Error, PlugsockError
from plugsock.wire import header

T = TypeVar("T")

CREDIT: Final = 32
"""Items of a stream that may be under way when nothing else is said (docs/protocol.md)."""

log = logging.getLogger("plugsock.client")


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
        self._websocket = websocket
        self._format = format
        self._last_id = 0
        self._open: dict[bytes, Exchange] = {}
        self._refreshes: set[bytes] = set()
        self._pings: deque[asyncio.Future[None]] = deque()
        self._callbacks: defaultdict[str, list[Callable[[Any], object]]] = defaultdict(list)
        self._notice_callbacks: list[Callable[[str, Any], object]] = []
        self._is_lost = False
        self._pushes: weakref.WeakSet[Pushes] = weakref.WeakSet()

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
                    await self._say(b"more", exchange.id, b"%d" % consumed)
                    consumed = 0
            if answer.payload:
                yield decode(answer.payload, type, binary=answer.binary)

    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call a plain function with the data of every push of this event, before anything that came after it.

        Returns:
            A function that ends it.
        """
        callbacks = self._callbacks[event]
        callbacks.append(callback)
        return lambda: callbacks.remove(callback)

    def on_notice(self, callback: Callable[[str, Any], object]) -> Callable[[], None]:
        """Call a plain function with name and data of every notice: `plugs`, `permissions`, `token`, `goodbye`.

        Returns:
            A function that ends it.
        """
        self._notice_callbacks.append(callback)
        return lambda: self._notice_callbacks.remove(callback)

    def pushes(self, *, limit: int = 1024) -> Pushes:
        """Collect every push from now on, for `async for push in socket.pushes()`."""
        pushes = Pushes(limit)
        if self._is_lost:
            pushes.lose(self._websocket.close_code or 1006, self._websocket.close_reason or "")
        self._pushes.add(pushes)
        return pushes

    async def ping(self) -> float:
        """Ask whether the server is there, through everything that a call goes through; returns the seconds it took."""
        loop = asyncio.get_running_loop()
        pong: asyncio.Future[None] = loop.create_future()
        began = loop.time()
        self._pings.append(pong)
        await self._say(b"ping")
        await pong
        return loop.time() - began

    async def refresh(self, token: str) -> float | None:
        """Show a new token of the same user, before or soon after the old one expires.

        Returns:
            The second, as `time.time()` has it, when the new one expires; None if it does not.

        Raises:
            Error: The server does not take it; everything stays as it was.
            Disconnected: The connection went first.
        """
        payload = msgspec.json.encode({"token": token})  # as JSON in either format
        async with self._exchange(b"token", "plugsock", payload) as exchange:
            self._refreshes.add(exchange.id)
            try:
                answer = await exchange.take()
            finally:
                self._refreshes.discard(exchange.id)
        expires: float | None = decode(answer.payload, dict[str, Any], binary=False).get("expires")
        return expires

    async def greet(self, token: str | None) -> None:
        """Open a session: the first thing said, before `read` runs, so that nothing comes before the caller listens."""
        hello = {"v": 1, "format": self._format} | ({} if token is None else {"token": token})
        id = self._next_id()
        await self._say(b"hello", id, b"plugsock", msgspec.json.encode(hello))
        frame = None
        try:
            while frame is None or frame.verb not in {b"welcome", b"error"}:  # a broadcast may come first
                frame = header.parse_server(await self._websocket.recv(decode=False))
        except ConnectionClosed:
            raise self._disconnected("The server closed the connection instead of a welcome") from None
        except header.BadFrame as error:
            raise Disconnected(f"The server speaks another protocol: {error}") from None
        if frame.verb == b"error":
            raise decode_error(frame.payload, binary=False)
        self.welcome = decode(frame.payload, dict[str, Any], binary=False)
        self._identified(self.welcome)

    async def read(self) -> None:
        """Hand out what comes until the connection ends, then end everything that is open."""
        try:
            with suppress(ConnectionClosed):
                while True:
                    message = await self._websocket.recv()
                    binary = isinstance(message, bytes)
                    self._receive(message if isinstance(message, bytes) else message.encode(), binary=binary)
        except (header.BadFrame, msgspec.DecodeError) as error:
            await self._websocket.close(1002, str(error))
        finally:
            self._lose()

    def _calling(self, event: str, args: Any, options: bytes) -> AbstractAsyncContextManager[Exchange]:
        if not header.NAME.fullmatch(event.encode()):
            raise Error("bad_frame", f"{event!r} can't be the name of an event")
        binary, payload = encode(args, self._format)
        return self._exchange(b"call", event, payload, options=options, binary=binary)

    @asynccontextmanager
    async def _exchange(
        self, verb: bytes, name: str, payload: bytes, *, options: bytes = b"", binary: bool = False
    ) -> AsyncIterator[Exchange]:
        exchange = Exchange(self._next_id(), name)
        self._open[exchange.id] = exchange
        try:
            await self._say(verb, exchange.id, name.encode() + options, payload, binary=binary)
            yield exchange
        finally:
            if self._open.pop(exchange.id, None):  # the caller left before the end
                with suppress(Disconnected):
                    await self._say(b"cancel", exchange.id)

    async def _say(self, *parts: bytes, binary: bool = False) -> None:
        # The frame is written before anything is awaited: frames leave in the order in which their ids were made.
        try:
            await self._websocket.send(header.client_frame(*parts), text=not binary)
        except ConnectionClosed:
            raise self._disconnected("The connection is closed") from None

    def _next_id(self) -> bytes:
        self._last_id += 1
        return b"%d" % self._last_id

    def _receive(self, message: bytes, *, binary: bool) -> None:
        frame = header.parse_server(message)
        match frame.verb:
            case b"ok" | b"error" | b"item":
                self._answered(frame, binary=binary)
            case b"push":
                self._pushed(frame, binary=binary)
            case b"notice":
                self._noticed(frame.token.decode(), decode(frame.payload, Any, binary=binary))
            case b"pong":
                _resolve(self._pings)

    def _answered(self, frame: header.ServerFrame, *, binary: bool) -> None:
        id = frame.token
        if id == b"0":  # the server could not read the id in its place, and says whose it may have been
            error = decode(frame.payload, dict[str, Any], binary=binary)
            id = str(error.get("id", "")).encode()
        if frame.verb == b"ok" and id in self._refreshes:  # here, so that a notice behind it is not undone
            self._identified(decode(frame.payload, dict[str, Any], binary=binary))
        exchange = self._open.get(id) if frame.verb == b"item" else self._open.pop(id, None)
        if exchange:
            exchange.put(Answer(frame.verb, frame.payload, binary))
        elif frame.token == b"0":
            log.warning("the server could not read a frame: %r", frame.payload)

    def _noticed(self, name: str, data: Any) -> None:
        if name == "permissions":
            self._identified(data)
        for callback in tuple(self._notice_callbacks):
            _guarded(callback, name, data)

    def _identified(self, said: dict[str, Any]) -> None:
        self.user = said.get("user")
        self.permissions = said.get("permissions", [])

    def _pushed(self, frame: header.ServerFrame, *, binary: bool) -> None:
        event = frame.event.partition(b"?")[0].decode()
        topic = None if frame.token == b"-" else frame.token.decode()
        data = decode(frame.payload, Any, binary=binary)
        for callback in tuple(self._callbacks.get(event, ())):
            _guarded(callback, data)
        for pushes in tuple(self._pushes):
            pushes.put(Push(topic, event, data))

    def _lose(self) -> None:
        self._is_lost = True
        code, reason = self._websocket.close_code or 1006, self._websocket.close_reason or ""
        for exchange in self._open.values():
            exchange.lose(code, reason)
        self._open.clear()
        for pushes in self._pushes:
            pushes.lose(code, reason)
        for pong in self._pings:
            if not pong.done():
                pong.set_exception(self._disconnected("The connection went before the pong came"))

    def _disconnected(self, message: str) -> Disconnected:
        return Disconnected(message, self._websocket.close_code or 1006, self._websocket.close_reason or "")


def _options(*, timeout: float | None, credit: int = CREDIT) -> bytes:
    if credit < 1:
        raise ValueError(f"credit={credit} must be at least 1")
    parts = [] if timeout is None else [f"timeout={max(timeout, 0.001):.3f}"]
    if credit != CREDIT:
        parts.append(f"credit={credit}")
    return f"?{'&'.join(parts)}".encode() if parts else b""


def _resolve(pings: deque[asyncio.Future[None]]) -> None:
    if pings and not (pong := pings.popleft()).done():
        pong.set_result(None)


def _guarded(callback: Callable[..., object], *args: Any) -> None:
    # A callback that raises must not end the connection for everybody else who waits on it.
    try:
        callback(*args)
    except Exception:
        log.exception("a callback raised")
