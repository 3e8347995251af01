"""The main function of a worker's process: joins a gateway, runs plugs for it, and ends with it.

join ─ surroundings ─ page ─ loader ─ engine ─ until the gateway says `Stop`, or has gone
"""

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from plugsock.errors import PlugsockError
from plugsock.loader.folders import folders
from plugsock.loader.swap import Loader
from plugsock.ops import log as logs
from plugsock.ops import loop as loops
from plugsock.ops.memory import keep_what_is_freed
from plugsock.ops.output import write_line
from plugsock.ops.shared import Shared
from plugsock.rpc.join import Welcome
from plugsock.rpc.page import SIZE
from plugsock.settings import Settings
from plugsock.worker import pools, surroundings
from plugsock.worker.engine import Engine
from plugsock.worker.joining import join_gateway
from plugsock.worker.keeper import marks_staging, on_loop, report
from plugsock.worker.process import Process

DONE: Final = 0
FAILED: Final = 1


def run(address: str, key: str, *, version: str) -> int:
    """Be a worker; the exit status.

    Whoever calls this must end the process then, and not wait for anything that plugs have started: `os._exit`.

    Args:
        address: Where the gateway lets workers in.
        key: What proves that this one may join.
        version: Of plugsock.
    """
    signal.signal(signal.SIGINT, _leave_it_to_the_gateway)
    try:
        connection, welcome = join_gateway(address, key, version=version)
    except PlugsockError as wrong:
        write_line(sys.stderr, f"plugsock worker: {wrong}")
        return FAILED
    _prepare(welcome)
    # The loop is not closed: that would wait for executors of plugs, and cancel what the engine has ended already.
    return asyncio.Runner(loop_factory=loops.factory()).run(serve(connection, welcome))


async def serve(connection: socket.socket, welcome: Welcome) -> int:
    """Run plugs as the gateway says, until it says `Stop` or has gone; the exit status."""
    loop = asyncio.get_running_loop()
    path = Path(welcome.page)
    page = Shared(path, SIZE)
    process = Process(path.parent, welcome.number, page.view)
    plugs = folders(Path(welcome.plugs), trust=welcome.trust)
    loader = Loader(plugs, run_async=on_loop(loop), report=report, trying=marks_staging(page.view))
    engine = Engine(
        loader, process, _settings(welcome), threads=welcome.threads, page=page.view, outdated=process.outdated
    )
    process.attach(engine)
    loops.on_signal(signal.SIGTERM, process.leave)
    await loop.connect_accepted_socket(lambda: process, connection)
    await engine.start()
    if not await process.over:
        return FAILED  # at once: nobody hears any more what comes of anything
    await engine.stop()
    process.close()
    return DONE


def _prepare(welcome: Welcome) -> None:
    plugs = Path(welcome.plugs)
    logs.configure("json" if welcome.log_format == "json" else "text", dev=welcome.dev, worker=welcome.number)
    surroundings.be_observable()
    surroundings.be_first_to_go()
    surroundings.limit_memory(welcome.memory)
    surroundings.take_what_the_folder_has(plugs, trust=welcome.trust)
    pools.enable()
    surroundings.keep_what_is_loaded()
    keep_what_is_freed()


def _settings(welcome: Welcome) -> Settings:
    plugs = Path(welcome.plugs)
    return Settings(
        plugs=plugs,
        data=plugs.parent,
        dev=welcome.dev,
        fault=welcome.fault,
        poll=welcome.poll,
        max_answer=welcome.max_answer,
    )


def _leave_it_to_the_gateway(_number: int, _frame: object) -> None:
    """Ctrl-C reaches every process of the terminal; caught and not ignored, which programs of plugs would inherit."""
