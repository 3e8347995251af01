"""A client that hears every frame, and that can stop reading."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from support.bare_socket import BareSocket
from support.server import LIMIT_S, Server


class Ear:
    """One connection.

    Attributes:
        heard: Every frame that came, in order.
        is_over: Nothing more comes.
        code: The close code, if there was one.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_over = False
        self.code: int | None = None
        self._bare = BareSocket(self._hear, self._end)
        self._news = asyncio.Event()
        self._pongs = 0

    async def connect(self, port: int, *, narrow: bool = False) -> None:
        """Connect, over a network that holds little if that is asked for."""
        loop = asyncio.get_running_loop()
        own = socket.socket()
        own.setblocking(False)
        if narrow:  # the system takes some ten KiB for it while it does not read, instead of several MiB
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(own, ("127.0.0.1", port))
        self._transport, _ = await loop.create_connection(lambda: self._bare, sock=own)

    def says(self, *frames: str) -> None:
        """Send frames."""
        for frame in frames:
            self._bare.send(frame.encode(), binary=False)

    async def ask(self, frame: str) -> Any:
        """Send a frame that is answered: `ok` and the result, or the code of its error."""
        _, id, _ = f"{frame} ".split(" ", 2)
        return await self.answer(id, frame)

    async def answer(self, id: str, *frames: str) -> Any:
        """Wait for the one answer with an id: `ok` and the result, or the code of its error."""
        self.says(*frames)
        found = await self.until(lambda: [each for each in self.heard if is_answer(each, id)])
        verb, _, rest = found[0].partition(" ")
        payload = rest.partition(" ")[2]
        data = json.loads(payload) if payload else None
        return data["code"] if verb == "error" else data

    async def ping(self) -> None:
        """Wait until all that was said before was heard, and all that was sent before has come."""
        self._pongs += 1
        self.says("ping")
        await self.until(lambda: self.heard.count("pong") == self._pongs)

    async def until(self, ready: Callable[[], Any]) -> Any:
        """Wait until a look at what was heard is true, and return it."""
        async with asyncio.timeout(LIMIT_S):
            while not (found := ready()):
                assert not self.is_over, self.code
                await self._news.wait()
                self._news.clear()
        return found

    async def over(self) -> int | None:
        """Wait until nothing more comes; the close code."""
        async with asyncio.timeout(LIMIT_S):
            while not self.is_over:
                await self._news.wait()
                self._news.clear()
        return self.code

    def stop(self) -> None:
        """Read no more."""
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def close(self) -> None:
        """Hang up."""
        self._bare.close()

    def _hear(self, _binary: bool, message: bytes) -> None:  # noqa: FBT001 - see BareSocket
        self.heard.append(message.decode())
        self._news.set()

    def _end(self, code: int | None) -> None:
        self.is_over, self.code = True, code
        self._news.set()


def is_answer(frame: str, id: str) -> bool:
    """Does a frame end what has this id?"""
    return frame.split(" ")[:2] in (["ok", id], ["error", id], ["welcome", id])


@asynccontextmanager
async def ears(server: Server, count: int = 1, *, narrow: bool = False) -> AsyncIterator[list[Ear]]:
    """So many clients that are connected."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(count):
            ear = Ear()
            stack.callback(ear.close)
            await ear.connect(server.port, narrow=narrow)
            opened.append(ear)
        yield opened
