"""One WebSocket: frames out, frames in."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from plugsock.client.codec import decode, decode_error
from plugsock.errors import Disconnected
from plugsock.wire import header

LONGEST_REASON: Final = 123
"""Bytes of the reason in a close frame (RFC 6455 section 5.5)."""


class Conversation:
    """What is said over one WebSocket.

    Args:
        websocket: The connection.
        heard: Is told every frame but a pong, and whether it is binary.
    """

    def __init__(self, websocket: ClientConnection, heard: Callable[[header.ServerFrame, bool], None]) -> None:
        self._websocket = websocket
        self._heard = heard
        self._pings: deque[asyncio.Future[None]] = deque()

    @property
    def ending(self) -> tuple[int, str]:
        """Code and reason of a WebSocket that has closed; 1006 if it just broke."""
        return int(self._websocket.close_code or 1006), self._websocket.close_reason or ""

    async def say(self, *parts: bytes, binary: bool = False) -> None:
        """Send a frame. It is written before anything is awaited: frames leave in the order in which they were said.

        Raises:
            Disconnected: The connection is closed.
        """
        try:
            await self._websocket.send(header.client_frame(*parts), text=not binary)
        except ConnectionClosed:
            raise Disconnected("The connection is closed", *self.ending) from None

    async def ping(self) -> None:
        """Say `ping` and wait for its pong.

        Raises:
            Disconnected: The connection went first.
        """
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pings.append(pong)
        try:
            await self.say(b"ping")
            await pong
        finally:
            pong.cancel()  # nobody waits for it any more

    async def greet(self, id: bytes, hello: dict[str, Any]) -> dict[str, Any]:
        """Say hello, as the first thing and before `read` runs, so that nothing comes before the caller listens.

        Returns:
            What the welcome says.

        Raises:
            Error: The server refuses.
            Disconnected: The connection went first.
        """
        await self.say(b"hello", id, b"plugsock", msgspec.json.encode(hello))
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
        """Hand out what comes until the connection ends."""
        try:
            with suppress(ConnectionClosed):
                while True:
                    message = await self._websocket.recv()
                    binary = isinstance(message, bytes)
                    frame = header.parse_server(message if isinstance(message, bytes) else message.encode())
                    if frame.verb == b"pong":
                        _resolve(self._pings)
                    else:
                        self._heard(frame, binary)
        except (header.BadFrame, ValueError, RecursionError) as error:  # msgspec raises ValueErrors
            await self._websocket.close(1002, str(error).encode()[:LONGEST_REASON].decode(errors="ignore"))
        finally:
            for pong in self._pings:
                if not pong.done():
                    pong.set_exception(Disconnected("The connection went before the pong came", *self.ending))

    async def close(self) -> None:
        """Say goodbye, and wait a while for that to be answered."""
        await self._websocket.close()


def _resolve(pings: deque[asyncio.Future[None]]) -> None:
    if pings and not (pong := pings.popleft()).done():
        pong.set_result(None)
