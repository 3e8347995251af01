"""The worker processes of a server that runs: who they are, what becomes of them, and plugs that say where they run."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import psutil

from plugsock.ops.datadir import ServerFile, read_server
from plugsock.rpc import admin
from plugsock.rpc.admin import Processes, Reload, WorkerRow
from support import executable
from support.server import LIMIT_S, Server

POLL_S: Final = 0.02
"""Nobody is told when a process ends that is no child of one's own, so it has to be looked for."""

PID: Final = """
import os
from plugsock import plug

@plug(idempotent=True)
async def pid() -> int:
    return os.getpid()
"""


def address(server: Server) -> ServerFile:
    """What the server says about itself to commands on this machine."""
    found = read_server(server.folder.parent / ".plugsock")
    assert found is not None
    return found


async def ask(server: Server, request: admin.Asked) -> admin.Reply:
    """Say something over the admin socket, as the commands do."""
    reader, writer = await asyncio.open_unix_connection(address(server).admin.path, limit=1 << 24)
    try:
        writer.write(admin.encode(request))
        return admin.decode_reply(await asyncio.wait_for(reader.readline(), LIMIT_S))
    finally:
        writer.close()


async def ps(server: Server) -> list[WorkerRow]:
    """The workers, as `plugsock ps` shows them."""
    reply = await ask(server, admin.Ps())
    assert isinstance(reply, Processes)
    return reply.workers


async def ready(server: Server, crew: str = "") -> dict[int, int]:
    """The workers of a set that take calls: pid by number."""
    return {row.number: row.pid for row in await ps(server) if row.state == "ready" and row.set == crew}


async def come(server: Server, count: int, *, without: Collection[int] = (), crew: str = "") -> set[int]:
    """Wait until a set has so many workers that take calls, none of them one of these processes; their pids."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            pids = set((await ready(server, crew)).values())
            if len(pids) == count and not pids & set(without):
                return pids
            await asyncio.sleep(POLL_S)


async def reload(server: Server) -> None:
    """Replace every worker, and wait until that is done."""
    await ask(server, Reload())


def family(server: Server) -> list[psutil.Process]:
    """Every process that the server has started, and those that they have started."""
    return executable.processes(server.pid)


def zombies(server: Server) -> list[psutil.Process]:
    """Processes of the server that have ended and that nobody has asked how."""
    return [process for process in family(server) if not is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Does it still do something?"""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(holds: Callable[[], bool], *, limit_s: float = LIMIT_S) -> None:
    """Wait until something is so that nobody would tell."""
    async with asyncio.timeout(limit_s):
        while not holds():  # noqa: ASYNC110 - see POLL_S
            await asyncio.sleep(POLL_S)


async def ended(pids: Collection[int], *, limit_s: float = LIMIT_S) -> None:
    """Wait until none of these processes is left."""
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    await until(lambda: not any(map(is_alive, processes)), limit_s=limit_s)
