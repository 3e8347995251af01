"""How a client begins and ends."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from plugsock.client.backoff import Backoff
from plugsock.client.client import Client
from plugsock.client.codec import Format
from plugsock.client.greeting import Greeting, Token
from plugsock.errors import Disconnected

SUBPROTOCOL: Final = Subprotocol("plugsock.v1")

MAX_MESSAGE: Final = 16 * 1024 * 1024 + 1024
"""Bytes of a frame from the server: its own limit for an answer, and room for the header."""

PING_S: Final = 20.0
PONG_S: Final = 20.0
"""A server that has gone without a word is noticed after both; these are also what `websockets` would take."""


@asynccontextmanager
async def connect(
    url: str,
    token: Token = None,
    *,
    reconnect: bool = True,
    wait: float = 0.0,
    format: Format = "json",
    hello: bool = True,
    mock: Sequence[str] = (),
    shapes: str = "",
    compression: bool = False,
    tls: ssl.SSLContext | None = None,
    backoff: Backoff | None = None,
    open_timeout_s: float = 10.0,
    close_timeout_s: float = 10.0,
    max_message: int = MAX_MESSAGE,
) -> AsyncIterator[Client]:
    """Connect to a server until the end of the block, and come back whenever the connection goes.

    Args:
        url: Where the server listens: `ws://127.0.0.1:8765` or `wss://…`.
        token: Who you are, for a server that asks; a function, plain or async, is asked whenever a token is needed.
        reconnect: Come back by itself. Without, everything ends with `Disconnected` when the connection goes.
        wait: Seconds for which the first connection is tried again and again; by default it is tried once.
        format: How payloads are encoded, both ways.
        hello: Open a session with a `hello` frame; without one the client is anonymous, and does not come back.
        mock: Events that a server in `--dev` shall answer with made-up values: `["orders.*"]`.
        shapes: The hash of the shapes that the program was written for, which the server's owner can look at.
        compression: Offer permessage-deflate.
        tls: Certificates to trust, for `wss://`; default: the system's.
        backoff: How long to wait before coming back.
        open_timeout_s: Seconds for everything until a connection can be used.
        close_timeout_s: Seconds for the server to say goodbye, at the end of the block.
        max_message: Bytes of the largest message that is read.

    Raises:
        Disconnected: The server can't be reached, or is not one that speaks this protocol.
        Error: The server refused the `hello`: `unauthorized`, or `overloaded` if it can't find out who you are now.
    """
    trust: dict[str, Any] = {} if tls is None else {"ssl": tls}  # ssl=None would forbid wss://
    opens = partial(
        _open,
        url,
        compression="deflate" if compression else None,
        open_timeout=open_timeout_s,
        close_timeout=close_timeout_s,
        max_size=max_message,
        **trust,
    )
    greeting = Greeting(format, token, mock, shapes) if hello else None
    back = (backoff or Backoff()) if reconnect and hello else None
    client = Client(opens, format, greeting, back, open_timeout_s)
    await client.begin(wait)
    try:
        yield client
    finally:
        await client.close()


async def _open(url: str, **options: Any) -> ClientConnection:
    try:
        return await open_websocket(
            url, subprotocols=[SUBPROTOCOL], ping_interval=PING_S, ping_timeout=PONG_S, **options
        )
    except (OSError, ValueError, WebSocketException) as error:  # ValueError: a port or name that can be none
        raise Disconnected(f"No connection to {url}: {error or type(error).__name__}") from error
