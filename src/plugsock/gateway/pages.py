"""The start page: for people who open a server in their browser to see what it serves, and to try it.

The page's files are read once, when the server starts. Whatever a plug says about itself reaches the page as JSON, and
the page writes it as text; its policy forbids everything that it does not need itself.
"""

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from plugsock.gateway import http
from plugsock.gateway.routes import Routes
from plugsock.model import Announcement, Kind

STATIC: Final = Path(__file__).parent.parent / "static"

EVENTS: Final = "/events.json"
"""Where the page finds out what is served."""

_START: Final = "/start.html"
"""What is shown at `/`."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class Listed(Struct, frozen=True):
    """One event, as the page shows it: nothing of the machine, such as where its file lies."""

    event: str
    kind: Kind
    input: str
    output: str
    doc: str
    origin: str
    revision: str


class Listing(Struct, frozen=True):
    """What can be called."""

    events: list[Listed]


class Pages:
    """The pages of one listener."""

    def __init__(self, routes: Routes, *, ready: Callable[[], bool], secure: bool, everywhere: bool) -> None:
        """Read the page's files.

        Args:
            routes: What is served.
            ready: Are the plugs loaded?
            secure: Does the server speak TLS?
            everywhere: Are they for those too who call the server by a name that not only this machine has? A proxy
                connects from this machine, and hands on the name that the whole world uses.

        Raises:
            OSError: plugsock is not completely installed.
        """
        self._routes = routes
        self._ready = ready
        self._everywhere = everywhere
        self._scheme = "wss" if secure else "ws"
        files = (file for file in STATIC.iterdir() if file.suffix in _TYPES)
        self._files = {f"/{file.name}": (_TYPES[file.suffix], file.read_bytes()) for file in files}
        self._files["/"] = self._files.pop(_START)

    def find(self, path: str, host: str) -> http.Page | None:
        """What is found at a path (without its query), for a browser that calls the server `host`.

        Raises:
            Refusal: The plugs are still being loaded (503).
        """
        if not self._everywhere and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return None
        if path == EVENTS:
            if not self._ready():
                raise http.not_ready()
            return http.Page("application/json", self._list(), self._policy(host))
        if path in self._files:
            type, content = self._files[path]
            return http.Page(type, content, self._policy(host))
        return None

    def _list(self) -> bytes:
        return msgspec.json.encode(
            Listing([_listed(each) for each in self._routes.announcements() if not each.is_hidden])
        )

    def _policy(self, host: str) -> http.Fields:
        """What the page may do: load its own files, and talk to its own server."""
        # Not every browser counts the page's own WebSocket as 'self', and none has a word for an IPv6 address there.
        socket = "" if host.startswith("[") else f" {self._scheme}://{host}"
        return (
            ("Content-Security-Policy", f"{_POLICY}; connect-src 'self'{socket}"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "no-referrer"),
        )


def is_loopback(host: str) -> bool:
    """Is this what only this machine calls itself: `localhost`, or an address that no other machine can connect to?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _listed(each: Announcement) -> Listed:
    return Listed(each.event, each.kind, each.input, each.output, each.doc, each.origin, each.revision)
