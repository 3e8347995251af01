"""Talking to a server, which need not be there, be trusted, or answer."""

import asyncio
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from plugsock.cli import style
from plugsock.client import Client, connect
from plugsock.errors import Disconnected, PlugsockError
from plugsock.model import Raw

T = TypeVar("T")

GRACE_S: Final = 1.0
"""The server keeps the time of a call, in steps of 50 ms; whoever has heard nothing so long after it never will."""

QUIET_S: Final = 5.0
"""Seconds without an item after which the server is asked whether it is there at all."""

PONG_S: Final = 30.0
"""Seconds it then has. A pong needs no plug, so a call that may take an hour is waited for, and a dead server is not."""

OPEN_S: Final = 10.0
CLOSE_S: Final = 1.0

NO_ANSWER: Final = "the server does not answer: does a plug block it?"


async def talk(
    url: str, token: str | None, event: str, arguments: Raw | None, timeout_s: float | None, *, rich: bool
) -> None:
    """Call an event and print each item that comes back.

    Args:
        url: The server.
        token: Who calls.
        event: What is called.
        arguments: Its payload.
        timeout_s: Seconds for an item; None leaves them to the server.
        rich: In colours?

    Raises:
        Error: The server's answer is one.
        PlugsockError: There is no server, or it gives no answer; the text says what to do.
    """
    open_s = OPEN_S if timeout_s is None else min(OPEN_S, timeout_s + GRACE_S)
    async with (
        reaching(url, token, open_s) as socket,
        aclosing(socket.stream(event, arguments, type=Raw, timeout=timeout_s)) as items,
    ):
        while (item := await patiently(socket, next_of(items), timeout_s)) is not None:
            style.json_line(item.decode("utf-8", "replace"), rich=rich)


@asynccontextmanager
async def reaching(
    url: str, token: str | None, open_s: float = OPEN_S, *, comes_back: bool = False
) -> AsyncIterator[Client]:
    """Connect to a server, and come back to it whenever the connection goes, if that is wanted.

    Raises:
        Error: It does not let this user in.
        PlugsockError: There is none; the text says what to do.
    """
    async with AsyncExitStack() as stack:
        opening = connect(url, token, reconnect=comes_back, open_timeout_s=open_s, close_timeout_s=CLOSE_S)
        try:
            socket = await stack.enter_async_context(opening)
        except Disconnected as lost:
            raise _explained(url, lost) from lost
        yield socket


async def patiently(socket: Client, waiting: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
    """Wait for something from a server, so many seconds, or as long as it is there.

    Raises:
        PlugsockError: It does not answer.
    """
    taking = asyncio.get_running_loop().create_task(waiting)
    try:
        if timeout_s is None:
            await _while_it_is_there(socket, taking)
        elif not (await asyncio.wait({taking}, timeout=timeout_s + GRACE_S))[0]:
            raise PlugsockError(NO_ANSWER)
        return await taking
    finally:
        taking.cancel()
        await asyncio.wait({taking})  # a generator that still runs can't be closed


async def next_of(items: AsyncIterator[Raw]) -> Raw | None:
    """The next item, or None at the end."""
    return await anext(items, None)


async def _while_it_is_there(socket: Client, taking: asyncio.Task[Any]) -> None:
    """Wait for a task as long as the server answers pings, or is waited for by the client itself."""
    while not (await asyncio.wait({taking}, timeout=QUIET_S))[0]:
        try:
            async with asyncio.timeout(PONG_S):
                with suppress(Disconnected):
                    await socket.ping()
        except TimeoutError:
            raise PlugsockError(NO_ANSWER) from None


def _explained(url: str, lost: Disconnected) -> PlugsockError:
    """Why there is no connection, as somebody at a prompt can mend it."""
    match lost.__cause__:
        case TimeoutError():
            return PlugsockError(NO_ANSWER)
        case ssl.SSLCertVerificationError(verify_message=reason):
            return PlugsockError(
                f"the certificate of {url} can't be verified ({reason.rstrip('.')}): name the server as the certificate"
                " does (--url wss://localhost:PORT), and trust it with SSL_CERT_FILE=cert.pem"
            )
        case sockets.gaierror() | ssl.SSLError():
            return lost
        case OSError():
            return PlugsockError(f"no server answers at {url}; start one with `plugsock`, or name its --url")
    return lost
