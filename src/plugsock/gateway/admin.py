"""The admin socket: what a command of the same user may ask of a running server."""

import asyncio
import hmac
import os
from collections.abc import Callable
from typing import Final, Protocol

from plugsock.errors import PlugsockError
from plugsock.gateway.gateway import Gateway
from plugsock.gateway.present import present
from plugsock.ops.datadir import DataDirectory
from plugsock.ops.log import get_logger
from plugsock.rpc import admin

log = get_logger()

REQUEST_S: Final = 10.0
"""A command that has said nothing for so long is hung up on."""


class Workforce(Protocol):
    """The workers, as far as commands ask for them."""

    def rows(self) -> list[admin.WorkerRow]:
        """What is known of each."""

    async def reload(self) -> int:
        """Replace all that the server has started, and say how many those were when none of them takes calls any more.

        Raises:
            PlugsockError: It can't be done, or was not done within a minute.
        """

    def join(self) -> tuple[str, str]:
        """Where a worker connects that was started by hand, and the key that it shows there.

        Raises:
            PlugsockError: None can.
        """


class Admin:
    """Answers the commands that come in over the admin socket."""

    def __init__(
        self, gateway: Gateway, data: DataDirectory, url: str, stop: Callable[[], None], workers: Workforce
    ) -> None:
        self._gateway = gateway
        self._identities = gateway.identities
        self._data = data
        self._url = url
        self._stop = stop
        self._workers = workers
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
        try:
            return await self._do(request)
        except PlugsockError as error:
            return admin.Refused(message=str(error))

    async def _do(self, request: admin.Asked) -> admin.Reply:
        """Do what is asked.

        Raises:
            PlugsockError: It can't be done.
        """
        match request:
            case admin.List():
                return await self._list()
            case admin.Swap():
                return await self._swap(allow_open=request.allow_open)
            case admin.Ps():
                return admin.Processes(workers=self._workers.rows())
            case admin.Reload():
                return admin.Reloaded(workers=await self._workers.reload())
            case admin.Join():
                address, key = self._workers.join()
                return admin.JoinAddress(address=address, key=key)
            case admin.Grant(user=user, permission=permission):
                reach = await self._identities.grant(user, permission)
                return admin.Granted(reach=reach, standing=self._identities.grants.standing(user, permission))
            case admin.Revoke(user=user, permission=permission):
                return admin.Revoked(reach=await self._identities.revoke(user, permission))
            case admin.Kick(user=user, code=code, reason=reason):
                return admin.Kicked(sockets=self._identities.kick(user, code, reason))
            case admin.Who():
                return present(self._gateway)
            case admin.Stop():
                self._stop()
                return admin.Stopping()

    async def _list(self) -> admin.Listing:
        await self._gateway.ready.wait()  # before that nobody can say what is served
        routes = self._gateway.routes
        return admin.Listing(url=self._url, pid=os.getpid(), events=routes.announcements(), problems=routes.problems)

    async def _swap(self, *, allow_open: bool) -> admin.Swapped:
        await self._gateway.ready.wait()
        change = await self._gateway.swaps.look(allow_open=allow_open)
        routes = self._gateway.routes
        gone = [event for event in change.changed if event.encode() not in routes.by_name]
        changed = [event for event in change.changed if event not in gone]
        return admin.Swapped(changed=changed, gone=gone, problems=routes.problems)
