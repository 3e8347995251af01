"""The composition root: builds a server bottom-up, and stops it top-down.

    data directory ─ gateway ─ workers ─ listener ─ admin socket

It is the one place that knows both the gateway and the workers.
"""

import asyncio
import errno
import functools
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

from plugsock import __version__
from plugsock.errors import PlugsockError
from plugsock.frozen import IS_FROZEN, executable, launcher, unpacked
from plugsock.gateway.access import Access
from plugsock.gateway.admin import Admin
from plugsock.gateway.drain import CLOSING, Drain
from plugsock.gateway.gateway import Gateway
from plugsock.gateway.handshake import Handshake
from plugsock.gateway.limits import Limits
from plugsock.gateway.listener import Listener, tls_context
from plugsock.gateway.pages import Pages, is_loopback
from plugsock.ops import loop as loops
from plugsock.ops.datadir import DataDirectory
from plugsock.ops.log import get_logger
from plugsock.ops.memory import keep_what_is_freed
from plugsock.ops.output import counted, write_line
from plugsock.ops.tasks import Tasks
from plugsock.pool.cores import cores
from plugsock.pool.sizes import INLINE, parse
from plugsock.pool.workforce import Workforce
from plugsock.settings import Settings
from plugsock.wire import codes

if TYPE_CHECKING:
    from plugsock.inline import Inline

log = get_logger()

PATIENCE_S: Final = 2.0
"""When loading the plugs takes longer, somebody may wonder why nobody can connect."""

_TAKEN: Final = {errno.EADDRINUSE} if sys.platform != "win32" else {errno.EADDRINUSE, errno.EACCES}
"""What listening on a port says that is taken; on Windows also on one that the system keeps for itself."""

EVENTS_SHOWN: Final = 12
"""When it starts; `plugsock list` shows them all."""

LOOK_S: Final = 2.0
"""How often it is looked whether the executable is still the one that was started."""


class PortTaken(PlugsockError):
    """Something else listens there already."""


def run(settings: Settings, *, opened: Callable[[str], None] = lambda _: None) -> int:
    """Serve until a signal ends it; the exit status.

    Args:
        settings: What is served, and how.
        opened: Hears the server's address once everybody may connect; must not block.

    Raises:
        PortTaken: The port is taken.
        DirectoryInUse: Another server holds the data directory.
        PlugsockError: It can't even start, for another reason.
    """
    keep_what_is_freed()
    gc.freeze()  # what is loaded by now stays: a full collection after a swap takes 1 ms instead of 5 without it
    with asyncio.Runner(loop_factory=loops.factory()) as runner:
        runner.run(Server(settings, opened).serve())
    return 0


class Server:
    """One server, from the first file that it opens to the last socket that it closes."""

    def __init__(self, settings: Settings, opened: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._opened = opened
        self._stop = asyncio.Event()
        self._open = asyncio.Event()
        self._drain: Drain | None = None
        self._echoes = launcher.Echoes()
        self._may_drain = True

    async def serve(self) -> None:
        """Serve until `stop`."""
        settings = self._settings
        self._listen_to_signals()
        async with AsyncExitStack() as stack:
            data = DataDirectory(settings.data)
            stack.callback(data.close)
            gateway = Gateway(settings)
            workers = _workers(settings, gateway, data)
            gateway.attach(workers.link)
            stack.push_async_callback(workers.stop)
            listener = _listener(settings, gateway, self._open.is_set)
            await _listen(listener, settings)
            stack.push_async_callback(listener.close, codes.DRAIN, CLOSING)
            url = _url(listener, settings)
            admin = Admin(gateway, data, url, self.stop, workers)
            await admin.start()
            stack.push_async_callback(admin.close)
            patience = asyncio.get_running_loop().call_later(
                PATIENCE_S, log.warning, "the plugs are still being loaded"
            )
            await workers.start()
            data.publish(url, settings.plugs)
            await self._unless_stopped(_loaded(gateway, workers))
            patience.cancel()
            if not self._stop.is_set():
                self._open.set()
                _introduce(url, settings, gateway, workers)
                self._opened(url)
                if IS_FROZEN:
                    tasks = Tasks("server")
                    stack.push_async_callback(tasks.stop)
                    tasks.spawn("executable", _say_when_replaced())
                    unpacked.sweep_in_background()
                await self._stop.wait()
            listener.stop()
            self._drain = Drain(gateway)
            await self._drain.run(settings.drain_s if self._may_drain else 0.0)

    def stop(self) -> None:
        """End gracefully; said again, at once."""
        if self._drain is not None:
            self._drain.hurry()
        self._stop.set()

    def leave(self) -> None:
        """End at once."""
        self._may_drain = False
        self.stop()

    def _listen_to_signals(self) -> None:
        """Stop gracefully on the first, and at once on the second; at once too if nobody forwards them any more."""
        for number in (signal.SIGINT, signal.SIGTERM):
            loops.on_signal(number, functools.partial(self._hear, number))
        loop = asyncio.get_running_loop()
        launcher.when_gone(functools.partial(loop.call_soon_threadsafe, self.leave))

    def _hear(self, number: int) -> None:
        if not self._echoes.has(number, asyncio.get_running_loop().time()):
            self.stop()

    async def _unless_stopped(self, starting: Awaitable[object]) -> None:
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


async def _say_when_replaced() -> None:
    """Tell whoever has put another executable in the place of this one what that does."""
    while not executable.is_replaced():  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(LOOK_S)
    log.warning(executable.REPLACED, place=sys.executable)


def _workers(settings: Settings, gateway: Gateway, data: DataDirectory) -> "Workforce | Inline":
    """Who runs the plugs."""
    if parse(settings.workers, cores()) == INLINE:
        from plugsock.inline import Inline  # noqa: PLC0415 - with all that runs plugs: 70 ms that other servers don't need

        return Inline(gateway, settings)
    return Workforce(gateway, settings, data, __version__)


async def _loaded(gateway: Gateway, workers: "Workforce | Inline") -> None:
    """Wait until the plugs are served, by as many workers as there must be."""
    await gateway.ready.wait()
    await workers.manned()


def _listener(settings: Settings, gateway: Gateway, is_open: Callable[[], bool]) -> Listener:
    try:
        tls = tls_context(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
    except OSError as error:
        raise PlugsockError(f"{settings.tls_cert}: the certificate or its key can't be used: {error}") from error
    access = Access(
        settings.host, secure=tls is not None, allow_host=settings.allow_host, allow_origin=settings.allow_origin
    )
    everywhere = settings.dev or settings.open
    has_page = everywhere or is_loopback(settings.host)
    pages = None
    if has_page:
        documents = gateway.documents if settings.dev else None
        pages = Pages(gateway.routes, ready=is_open, secure=tls is not None, everywhere=everywhere, documents=documents)
    handshake = Handshake(
        access, ready=is_open, compression=settings.compression, pages=pages, keeps_headers=gateway.identities.asks
    )
    return Listener(handshake, Limits.of(settings), gateway.converse, tls=tls)


async def _listen(listener: Listener, settings: Settings) -> None:
    try:
        await listener.start(settings.host, settings.port)
    except UnicodeError as error:
        raise PlugsockError(f"{settings.host}: this is no host name") from error
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        if error.errno in _TAKEN:
            raise PortTaken(f"{where} is in use; choose another --port") from error
        raise PlugsockError(f"plugsock can't listen on {where}: {error.strerror or error}") from error


def _url(listener: Listener, settings: Settings) -> str:
    host, port = listener.addresses[0]
    return address(host, port, is_secure=settings.tls_cert is not None)


def address(host: str, port: int, *, is_secure: bool) -> str:
    """The address of a server: `ws://127.0.0.1:8765`."""
    return f"{'wss' if is_secure else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}"


def _introduce(url: str, settings: Settings, gateway: Gateway, workers: "Workforce | Inline") -> None:
    """Say in a few plain lines what somebody who has just started a server wants to know."""
    events = [each.event for each in gateway.routes.announcements() if not each.is_hidden]
    shown = ", ".join(events[:EVENTS_SHOWN]) + (", …" if len(events) > EVENTS_SHOWN else "")
    mocked = [f"made-up answers for {', '.join(settings.mock)}"] if settings.mock else []
    for line in (
        f"plugsock {__version__} listens on {url}",
        f"watching {settings.plugs}",
        workers.introduce(),
        *mocked,
        f"{counted(len(events), 'event')}: {shown or 'save a plug into the folder, it answers at once'}",
    ):
        write_line(sys.stdout, line)
