import asyncio
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from plugsock.client import connect


class Peer:
    """The server's side of one conversation, spoken by the test, word for word."""

    def __init__(self, websocket):
        self.websocket = websocket

    async def hears(self, expected):
        assert await self.websocket.recv() == expected

    async def says(self, *frames):
        for frame in frames:
            await self.websocket.send(frame)


@asynccontextmanager
async def listening():
    """A server that takes one connection: its address, and the peer once somebody has come."""
    peer = asyncio.get_running_loop().create_future()

    async def handle(websocket):
        if not peer.done():
            peer.set_result(Peer(websocket))
        await websocket.wait_closed()

    async with serve(handle, "127.0.0.1", 0, subprotocols=["plugsock.v1"]) as server:
        host, port = server.sockets[0].getsockname()
        yield f"ws://{host}:{port}", peer


@pytest.fixture
def talk():
    """`async with talk() as (socket, peer)`: an anonymous client and the server that it talks to."""

    @asynccontextmanager
    async def talk(**options):
        async with listening() as (url, peer), connect(url, hello=False, **options) as socket:
            yield socket, await peer

    return talk


@pytest.fixture
async def server():
    """The address of a server, and a future of the peer that answers there."""
    async with listening() as found:
        yield found
