"""How a connection begins and ends."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from plugsock.client.codec import Format
from plugsock.client.socket import ClientSocket
from plugsock.errors import Disconnected

SUBPROTOCOL: Final = Subprotocol("plugsock.v1")

MAX_MESSAGE: Final = 16 * 1024 * 1024 + 1024
"""Bytes of a frame from the server: its own limit for an answer, and room for the header."""


@asynccontextmanager
async def connect(
    url: str,
    token: str | None = None,
    *,
    format: Format = "json",
    hello: bool = True,
    compression: bool = False,
    tls: ssl.SSLContext | None = None,
    open_timeout_s: float = 10.0,
    close_timeout_s: float = 10.0,
    max_message: int = MAX_MESSAGE,
) -> AsyncIterator[ClientSocket]:
    """Open a connection to a server and close it at the end of the block.

    Args:
        url: Where the server listens: `ws://127.0.0.1:8765` or `wss://…`.
        token: Who you are, for a server that asks.
        format: How payloads are encoded, both ways.
        hello: Open a session with a `hello` frame; without one the socket is anonymous.
        compression: Offer permessage-deflate.
        tls: Certificates to trust, for `wss://`; default: the system's.
        open_timeout_s: Seconds for everything until the socket can be used.
        close_timeout_s: Seconds for the server to say goodbye, at the end of the block.
        max_message: Bytes of the largest message that is read.

    Raises:
        Disconnected: The server can't be reached, or is not one that speaks this protocol.
        Error: The server refused the `hello`: `unauthorized`, or `overloaded` if it can't find out who you are now.
    """
    trust: dict[str, Any] = {} if tls is None else {"ssl": tls}  # ssl=None would forbid wss://
    try:
        websocket = await open_websocket(
            url,
            subprotocols=[SUBPROTOCOL],
            compression="deflate" if compression else None,
            open_timeout=open_timeout_s,
            close_timeout=close_timeout_s,
            max_size=max_message,
            **trust,
        )
    except (OSError, ValueError, WebSocketException) as error:  # ValueError: a port or name that can be none
        raise Disconnected(f"No connection to {url}: {error or type(error).__name__}") from error
    socket = ClientSocket(websocket, format)
    try:
        if hello:
            await _greet(socket, token, open_timeout_s)
        # No TaskGroup: it would wrap what the caller's block raises in an exception group.
        reader = asyncio.get_running_loop().create_task(socket.read(), name=f"plugsock client {url}")
        try:
            yield socket
        finally:
            await websocket.close()
            await reader
    finally:
        await websocket.close()


async def _greet(socket: ClientSocket, token: str | None, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await socket.greet(token)
    except TimeoutError as error:
        raise Disconnected(f"The server did not answer hello within {timeout_s:g} s") from error
