"""The admin socket: what a command of the same user may ask of a running server."""

import asyncio
import hmac
import os
from collections.abc import Callable
from typing import Final

from plugsock.gateway.gateway import Gateway
from plugsock.ops.datadir import DataDirectory
from plugsock.ops.log import get_logger
from plugsock.rpc import admin

log = get_logger()

REQUEST_S: Final = 10.0
"""A command that has said nothing for so long is hung up on."""


class Admin:
    """Answers the commands that come in over the admin socket."""

    def __init__(self, gateway: Gateway, data: DataDirectory, url: str, stop: Callable[[], None]) -> None:
        self._gateway = gateway
        self._data = data
        self._url = url
        self._stop = stop
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take requests from now on."""
        listening = self._data.listen()
        open_server = asyncio.start_unix_server if self._data.admin.path else asyncio.start_server
        self._server = await open_server(self._talk, sock=listening, limit=admin.REQUEST_LIMIT)

    async def close(self) -> None:
        """Take none any more."""
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await asyncio.wait_for(reader.readline(), REQUEST_S):
                writer.write(admin.encode(await self._answer(line)))
                await writer.drain()
        except (ValueError, OSError, TimeoutError) as error:  # a line over the limit, a caller that went or slept
            log.debug("admin socket closed", reason=str(error))
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> admin.Reply:
        try:
            request = admin.decode_request(line)
        except ValueError as error:
            return admin.Refused(message=str(error))
        if not hmac.compare_digest(request.key.encode(), self._data.admin.key.encode()):
            return admin.Refused(message="The key is not this server's.")
        if isinstance(request, admin.Stop):
            self._stop()
            return admin.Stopping()
        await self._gateway.ready.wait()  # before that nobody can say what is served
        return self._list() if isinstance(request, admin.List) else await self._swap()

    def _list(self) -> admin.Listing:
        routes = self._gateway.routes
        return admin.Listing(url=self._url, pid=os.getpid(), events=routes.announcements(), problems=routes.problems)

    async def _swap(self) -> admin.Swapped:
        change = await self._gateway.swaps.look()
        routes = self._gateway.routes
        gone = [event for event in change.changed if event.encode() not in routes.by_name]
        changed = [event for event in change.changed if event not in gone]
        return admin.Swapped(changed=changed, gone=gone, problems=routes.problems)
