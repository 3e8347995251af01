"""Talking as a client to a server that a test speaks itself."""

import asyncio
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve


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


async def outcome(awaitable):
    """The result, or the exception, so that a failed call does not cancel its neighbours."""
    try:
        return await awaitable
    except Exception as error:
        return error


async def everything_received(socket, peer):
    """What the server says before a pong has been handed out once the pong is there."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(socket.ping())
        await peer.hears("ping")
        await peer.says("pong")
