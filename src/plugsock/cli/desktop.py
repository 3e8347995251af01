"""`--open`, and with it what a double click does: serving for somebody who wants to see a page, not an address.

    the data directory is in use by a server of this folder    → its page is shown, and this process ends
    the port is taken by a plugsock                            → the same
    the port is taken by something else                        → the next one that is free, of `PORTS`

A port that somebody has chosen is never replaced by another one.
"""

import http.client
import ssl
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import structs

from plugsock import app
from plugsock.cli import admin, browser
from plugsock.errors import PlugsockError
from plugsock.gateway.http import SERVER
from plugsock.ops.datadir import DirectoryInUse, ServerFile, read_server
from plugsock.ops.output import write_line
from plugsock.settings import Settings

PORTS: Final = 11
"""How many are tried, the default one and those after it: who finds all of them taken has another problem."""

ASK_S: Final = 2.0
"""A server on this machine that has not answered by then is no plugsock."""

APPEAR_S: Final = 20.0
"""A server that has begun a moment ago says by then where it listens: impatient people click twice."""


def serve(settings: Settings, *, is_port_chosen: bool) -> int:
    """Serve and show the start page, or show that of the server that runs already; the exit status.

    Raises:
        PlugsockError: It can't even start.
    """
    try:
        if is_port_chosen:
            return _run(settings)
        return _run_on_first_free(settings)
    except DirectoryInUse as in_use:
        return _join(settings, in_use)


def page_of(url: str) -> str:
    """The start page of a server, by its address: `http://127.0.0.1:8765/` for `ws://0.0.0.0:8765`."""
    scheme, _, place = url.partition("://")
    host, _, port = place.rpartition(":")
    near = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - a browser can't go to everywhere
    return f"{'https' if scheme == 'wss' else 'http'}://{near}:{port}/"


def has_page(page: str) -> bool:
    """Is this address the start page of a plugsock?"""
    where = urlsplit(page)
    host, port = where.hostname or "", where.port
    if where.scheme == "https":
        # Nothing is said or believed but a name: whose certificate that is does not matter.
        context = ssl._create_unverified_context()  # noqa: S323
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=ASK_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ASK_S)
    with closing(connection):
        try:
            connection.request("HEAD", "/")
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        return answer.status == 200 and answer.headers["Server"] == SERVER


def _run(settings: Settings) -> int:
    return app.run(settings, opened=lambda url: browser.show_beside(page_of(url)))


def _run_on_first_free(settings: Settings) -> int:
    ports = range(settings.port, settings.port + PORTS)
    for port in ports:
        here = structs.replace(settings, port=port)
        try:
            return _run(here)
        except app.PortTaken:
            page = page_of(app.address(here.host, port, is_secure=here.tls_cert is not None))
            if has_page(page):
                write_line(sys.stdout, f"port {port} is taken by a plugsock that runs already")
                browser.show(page)
                return 0
            write_line(sys.stdout, f"port {port} is taken by another program")
    raise PlugsockError(f"the ports {ports[0]} to {ports[-1]} are all in use; choose another --port")


def _join(settings: Settings, in_use: DirectoryInUse) -> int:
    """Show the page of the server that holds the data directory, if it serves the same folder and has one."""
    server = _appeared(settings.data, in_use.pid)
    if server is None or not admin.is_same(settings.plugs, Path(server.plugs)) or not has_page(page_of(server.url)):
        raise in_use
    write_line(sys.stdout, f"plugsock serves {settings.plugs} already (process {server.pid})")
    browser.show(page_of(server.url))
    return 0


def _appeared(data: Path, pid: int | None) -> ServerFile | None:
    """What a process says in server.json, as soon as it does."""
    end = time.monotonic() + APPEAR_S
    while time.monotonic() < end:
        server = read_server(data)
        if server is not None and pid in (server.pid, None):
            return server
        time.sleep(0.05)  # another process, which nobody can hear
    return None
