"""The composition root: builds a server bottom-up, and stops it top-down.

    data directory ─ gateway ─ inline worker (loader) ─ listener ─ admin socket

It is the one place that knows both the gateway and the worker.
"""

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from plugsock import __version__
from plugsock.errors import PlugsockError
from plugsock.gateway.access import Access
from plugsock.gateway.admin import Admin
from plugsock.gateway.drain import CLOSING, Drain
from plugsock.gateway.gateway import Gateway
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener, tls_context
from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.model import Problem
from plugsock.ops.datadir import DataDirectory
from plugsock.ops.log import get_logger
from plugsock.ops.output import write_line
from plugsock.settings import Settings
from plugsock.wire import codes
from plugsock.worker.inline import InlineLink
from plugsock.worker.keeper import on_loop

log = get_logger()

HERE: Final = Path(__file__).parent

PATIENCE_S: Final = 2.0
"""When loading the plugs takes longer, somebody may wonder why nobody can connect."""

EVENTS_SHOWN: Final = 12
"""When it starts; `plugsock list` shows them all."""


def folders(plugs: Path, *, trust: bool) -> list[Folder]:
    """The folders that are served: the user's own, and below it the default plugs that come with plugsock.

    Args:
        plugs: The user's own.
        trust: Load it even if others can write to it; the default plugs are trusted like plugsock's own code.
    """
    mine = Folder(plugs, "plugs", "folder", is_trusted=trust)
    default = HERE / "embedded"
    if not default.is_dir():
        default = HERE.parent.parent / "plugs"  # in a clone, where nothing was built
    if not default.is_dir() or (plugs.exists() and default.samefile(plugs)):
        return [mine]
    return [mine, Folder(default, "plugsock_embedded", "embedded", is_trusted=True)]


def run(settings: Settings) -> int:
    """Serve until a signal ends it; the exit status.

    Raises:
        PlugsockError: It can't even start: the port is taken, another server holds the data directory.
    """
    gc.freeze()  # what is loaded by now stays: a full collection after a swap takes 1 ms instead of 5 without it
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(Server(settings).serve())
    return 0


class Server:
    """One server, from the first file that it opens to the last socket that it closes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._drain: Drain | None = None

    async def serve(self) -> None:
        """Serve until `stop`."""
        settings = self._settings
        _on_signals(self.stop)
        async with AsyncExitStack() as stack:
            data = DataDirectory(settings.data)
            stack.callback(data.close)
            gateway = Gateway(settings)
            plugs = folders(settings.plugs, trust=settings.trust)
            loader = Loader(plugs, run_async=on_loop(asyncio.get_running_loop()), report=_report)
            worker = InlineLink(loader, gateway, settings)
            gateway.attach(worker)
            stack.push_async_callback(worker.stop)
            listener = _listener(settings, gateway)
            await _listen(listener, settings)
            stack.push_async_callback(listener.close, codes.DRAIN, CLOSING)
            url = _url(listener, settings)
            admin = Admin(gateway, data, url, self.stop)
            await admin.start()
            stack.push_async_callback(admin.close)
            data.publish(url, settings.plugs)
            patience = asyncio.get_running_loop().call_later(
                PATIENCE_S, log.warning, "the plugs are still being loaded"
            )
            await self._unless_stopped(worker.start())
            patience.cancel()
            if not self._stop.is_set():
                _introduce(url, settings, gateway)
                await self._stop.wait()
            listener.stop()
            self._drain = Drain(gateway)
            await self._drain.run(settings.drain_s)

    def stop(self) -> None:
        """End gracefully; said again, at once."""
        if self._drain is not None:
            self._drain.hurry()
        self._stop.set()

    async def _unless_stopped(self, starting: Awaitable[None]) -> None:
        """Wait for something, but no longer than until `stop`."""
        start = asyncio.ensure_future(starting)  # noqa: TID251 - owned by this very function
        stop = asyncio.ensure_future(self._stop.wait())  # noqa: TID251
        await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if start.done():
            start.result()
        else:
            start.cancel()
            with suppress(asyncio.CancelledError):
                await start


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop's maker: uvloop's, which halves the cost of a message, wherever there is one."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - does not exist on Windows

    return uvloop.new_event_loop


def _on_signals(stop: Callable[[], None]) -> None:
    """Stop gracefully on Ctrl-C and SIGTERM, and at once on the second."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows: handlers run between two bytecodes of the main thread
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _report(problem: Problem) -> None:
    """Log what an `on_unload` raised: the plug that it belongs to is gone, so no list shows it."""
    log.error(problem.message, place=f"{problem.file}:{problem.line}")


def _listener(settings: Settings, gateway: Gateway) -> Listener:
    try:
        tls = tls_context(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
    except OSError as error:
        raise PlugsockError(f"{settings.tls_cert}: the certificate or its key can't be used: {error}") from error
    access = Access(
        settings.host, secure=tls is not None, allow_host=settings.allow_host, allow_origin=settings.allow_origin
    )
    handshake = Handshake(access, ready=gateway.ready.is_set, compression=settings.compression)
    return Listener(handshake, Limits.of(settings), gateway.converse, tls=tls)


async def _listen(listener: Listener, settings: Settings) -> None:
    try:
        await listener.start(settings.host, settings.port)
    except UnicodeError as error:
        raise PlugsockError(f"{settings.host}: this is no host name") from error
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            raise PlugsockError(f"{where} is in use; choose another --port") from error
        raise PlugsockError(f"plugsock can't listen on {where}: {error.strerror or error}") from error


def _url(listener: Listener, settings: Settings) -> str:
    host, port = listener.addresses[0]
    return f"{'wss' if settings.tls_cert else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}"


def _introduce(url: str, settings: Settings, gateway: Gateway) -> None:
    """Say in a few plain lines what somebody who has just started a server wants to know."""
    events = [announcement.event for announcement in gateway.routes.announcements()]
    shown = ", ".join(events[:EVENTS_SHOWN]) + (", …" if len(events) > EVENTS_SHOWN else "")
    for line in (
        f"plugsock {__version__} listens on {url}",
        f"watching {settings.plugs}",
        "inline: a plug that blocks stops the server",
        f"{len(events)} event{'s' * (len(events) != 1)}: {shown or 'save a plug into the folder, it answers at once'}",
    ):
        write_line(sys.stdout, line)
