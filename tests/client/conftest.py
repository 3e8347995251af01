import asyncio
from contextlib import asynccontextmanager

import pytest

from plugsock.client import connect
from support.conversing import listening


@pytest.fixture
def talk():
    """`async with talk() as (socket, peer)`: an anonymous client and the server that it talks to."""

    @asynccontextmanager
    async def talk(**options):
        async with listening() as (url, peer), connect(url, hello=False, **options) as socket:
            yield socket, await peer

    return talk


@pytest.fixture
async def tasks():
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
async def server():
    """The address of a server, and a future of the peer that answers there."""
    async with listening() as found:
        yield found
