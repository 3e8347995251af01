"""Frames out and in: which id is whose, and who waits for what is said of it."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from plugsock.client.codec import decode, decode_error
from plugsock.client.exchange import Answer, Asker
from plugsock.errors import Disconnected
from plugsock.wire import header

GOES_ON: Final = {b"item", b"patch", b"fault"}
"""Verbs that name an id without ending it."""

log: Final = logging.getLogger("plugsock.client")


class Conversation:
    """What is said over one WebSocket.

    Args:
        websocket: The connection.
        heard: Is told every frame that answers nobody: a `push` or a `notice`, and whether it is binary.
    """

    def __init__(self, websocket: ClientConnection, heard: Callable[[header.ServerFrame, bool], None]) -> None:
        self._websocket = websocket
        self._heard = heard
        self._last_id = 0
        self._open: dict[bytes, Asker] = {}
        self._pings: deque[asyncio.Future[None]] = deque()

    @property
    def ending(self) -> tuple[int, str]:
        """Code and reason of a WebSocket that has closed; 1006 if it just broke."""
        return self._websocket.close_code or 1006, self._websocket.close_reason or ""

    def next_id(self) -> bytes:
        """An id for the next frame; it is to be said before anything is awaited, because ids grow on the wire."""
        self._last_id += 1
        return b"%d" % self._last_id

    async def say(self, *parts: bytes, binary: bool = False) -> None:
        """Send a frame. It is written before anything is awaited: frames leave in the order in which they were said.

        Raises:
            Disconnected: The connection is closed.
        """
        try:
            await self._websocket.send(header.client_frame(*parts), text=not binary)
        except ConnectionClosed:
            raise Disconnected("The connection is closed", *self.ending) from None

    @asynccontextmanager
    async def opened(
        self, verb: bytes, asker: Asker, *, options: bytes = b"", payload: bytes = b"", binary: bool = False
    ) -> AsyncIterator[None]:
        """Say a frame that opens an id, and let its asker hear the answers; leaving before the last cancels it."""
        self._open[asker.id] = asker
        try:
            await self.say(verb, asker.id, asker.event.encode() + options, payload, binary=binary)
            yield
        finally:
            if self._open.pop(asker.id, None):
                with suppress(Disconnected):
                    await self.say(b"cancel", asker.id)

    async def ping(self) -> None:
        """Say `ping` and wait for its pong."""
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pings.append(pong)
        await self.say(b"ping")
        await pong

    async def greet(self, hello: dict[str, Any]) -> dict[str, Any]:
        """Say hello, as the first thing and before `read` runs, so that nothing comes before the caller listens.

        Returns:
            What the welcome says.
        """
        await self.say(b"hello", self.next_id(), b"plugsock", msgspec.json.encode(hello))
        frame = None
        try:
            while frame is None or frame.verb not in {b"welcome", b"error"}:  # a broadcast may come first
                frame = header.parse_server(await self._websocket.recv(decode=False))
        except ConnectionClosed:
            raise Disconnected("The server closed the connection instead of a welcome", *self.ending) from None
        except header.BadFrame as error:
            raise Disconnected(f"The server speaks another protocol: {error}") from None
        if frame.verb == b"error":
            raise decode_error(frame.payload, binary=False)
        welcome: dict[str, Any] = decode(frame.payload, dict[str, Any], binary=False)
        return welcome

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

    def _receive(self, message: bytes, *, binary: bool) -> None:
        frame = header.parse_server(message)
        match frame.verb:
            case b"ok" | b"error" | b"item" | b"patch" | b"fault":
                self._answered(frame, binary=binary)
            case b"push" | b"notice":
                self._heard(frame, binary)
            case b"pong":
                _resolve(self._pings)

    def _answered(self, frame: header.ServerFrame, *, binary: bool) -> None:
        id = frame.token
        if id == b"0":  # the server could not read the id in its place, and says whose it may have been
            error = decode(frame.payload, dict[str, Any], binary=binary)
            id = str(error.get("id", "")).encode()
        asker = self._open.get(id) if frame.verb in GOES_ON else self._open.pop(id, None)
        if asker:
            asker.put(Answer(frame.verb, frame.payload, binary))
        elif frame.token == b"0":
            log.warning("the server could not read a frame: %r", frame.payload)

    def _lose(self) -> None:
        for asker in self._open.values():
            asker.lose(*self.ending)
        self._open.clear()
        for pong in self._pings:
            if not pong.done():
                pong.set_exception(Disconnected("The connection went before the pong came", *self.ending))


def _resolve(pings: deque[asyncio.Future[None]]) -> None:
    if pings and not (pong := pings.popleft()).done():
        pong.set_result(None)
