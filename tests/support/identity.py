"""An authenticator whose tokens say who somebody is, and a connection on which a test says and hears every frame."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from support.server import LIMIT_S, Server

AUTH = '''
import time
from plugsock import Hello, User, authenticate

MAY = {
    "ada": frozenset({"orders.read", "orders.write", "shops.read:berlin", "notes.*"}),
    "bob": frozenset({"orders.read"}),
    "eve": frozenset(),
    "root": frozenset({"*"}),
}

@authenticate
async def who(hello: Hello) -> User | None:
    """A token is a name, and behind a `/` the seconds for which it is good; in a cookie it is the same."""
    name, _, seconds = (hello.token or hello.cookies.get("session") or "").partition("/")
    if name not in MAY:
        return None
    return User(name, MAY[name], time.time() + float(seconds) if seconds else None)
'''

ME = """
from plugsock import Socket, User, plug

@plug
async def me(socket: Socket) -> str | None:
    return socket.user and socket.user.id

@plug
def mine(user: User) -> list[str]:
    return [user.id, *sorted(user.permissions)]
"""


class Line:
    """A connection without a client: what is said and heard on it are frames, as texts."""

    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket

    async def says(self, *frames: str) -> None:
        """Send frames, one right behind the other."""
        for frame in frames:
            await self._websocket.send(frame)

    async def hears(self) -> tuple[str, Any]:
        """The next frame: its header, and its payload decoded."""
        async with asyncio.timeout(LIMIT_S):
            frame = str(await self._websocket.recv())
        verb, _, rest = frame.partition(" ")
        token, _, payload = rest.partition(" ")
        if verb == "push":
            event, _, payload = payload.partition(" ")
            token = f"{token} {event}"
        return f"{verb} {token}".rstrip(), json.loads(payload) if payload else None

    async def asks(self, frame: str) -> Any:
        """Send a frame and take the next one as its answer: `ok` and the result, or the code of its error."""
        await self.says(frame)
        head, data = await self.hears()
        return data["code"] if head.startswith("error") else data

    async def ended(self) -> tuple[list[tuple[str, Any]], int | None]:
        """All that comes until the server closes the connection, and the code with which it does."""
        heard = []
        try:
            while True:
                heard.append(await self.hears())
        except ConnectionClosed:
            return heard, self._websocket.close_code


@asynccontextmanager
async def line(server: Server, token: str | None = None, **headers: str) -> AsyncIterator[Line]:
    """Open a connection; with a token, say hello and expect a welcome."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    async with open_websocket(server.url, additional_headers=fields, compression=None) as websocket:
        opened = Line(websocket)
        if token is not None:
            await opened.says(hello(token))
            head, _ = await opened.hears()
            assert head == "welcome 1"
        yield opened


def hello(token: str | None = None, **more: Any) -> str:
    """The frame that opens a session."""
    return f"hello 1 plugsock {json.dumps({**more} if token is None else {'token': token, **more})}"
