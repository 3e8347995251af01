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
from plugsock.gateway.documents import PATHS, Documents
from plugsock.gateway.routes import Routes
from plugsock.model import Announcement, Kind

STATIC: Final = Path(__file__).parent.parent / "static"

EVENTS: Final = "/events.json"
"""Where the page finds out what is served."""

PUBLIC: Final = frozenset({"/plugsock.js", "/plugsock-mock.js"})
"""The JavaScript client, which pages from anywhere may load: whoever may connect is another question."""

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
    has_documents: bool
    """Is there what tells machines what they look like?"""


class Pages:
    """The pages of one listener."""

    def __init__(
        self,
        routes: Routes,
        *,
        ready: Callable[[], bool],
        secure: bool,
        everywhere: bool,
        documents: Documents | None = None,
        static: Path = STATIC,
    ) -> None:
        """Read the page's files.

        Args:
            routes: What is served.
            ready: Are the plugs loaded?
            secure: Does the server speak TLS?
            everywhere: Are they for those too who call the server by a name that not only this machine has? A proxy
                connects from this machine, and hands on the name that the whole world uses.
            documents: What plugs look like, for developers; None for nobody.
            static: The folder of the page's files.

        Raises:
            OSError: plugsock is not completely installed.
        """
        self._routes = routes
        self._ready = ready
        self._everywhere = everywhere
        self._documents = documents
        self._scheme = "wss" if secure else "ws"
        files = (file for file in static.iterdir() if file.suffix in _TYPES)
        self._files = {f"/{file.name}": (_TYPES[file.suffix], file.read_bytes()) for file in files}
        self._files["/"] = self._files.pop(_START)
        self._public = {path: _public(*self._files.pop(path)) for path in PUBLIC if path in self._files}

    def find(self, path: str, host: str, origin: str = "") -> http.Page | http.Later | None:
        """What is found at a path (without its query), for a browser that calls the server `host`.

        Args:
            path: Without its query.
            host: As the request has it.
            origin: Of the page that asks, which may connect; empty where the browser does not say.

        Raises:
            Refusal: The plugs are still being loaded (503).
        """
        if not self._everywhere and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return None
        if path == EVENTS:
            if not self._ready():
                raise http.not_ready()
            return http.Page("application/json", self._list(), self._policy(host))
        if path in self._public:
            return self._public[path]
        if self._documents is not None and path in PATHS:
            if not self._ready():
                raise http.not_ready()
            return self._documents.find(path, f"{self._scheme}://{host}", (*self._policy(host), *_shared_with(origin)))
        if path in self._files:
            type, content = self._files[path]
            return http.Page(type, content, self._policy(host))
        return None

    def _list(self) -> bytes:
        events = [_listed(each) for each in self._routes.announcements() if not each.is_hidden]
        return msgspec.json.encode(Listing(events, self._documents is not None))

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


def is_public(path: str) -> bool:
    """Is what is found at this path for pages of any origin?"""
    return path in PUBLIC


def is_loopback(host: str) -> bool:
    """Is this what only this machine calls itself: `localhost`, or an address that no other machine can connect to?"""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _shared_with(origin: str) -> http.Fields:
    """Let a page of another origin read it that may connect, too: the one that somebody is working on."""
    return (("Vary", "Origin"), *((("Access-Control-Allow-Origin", origin),) if origin else ()))


def _public(type: str, content: bytes) -> http.Page:
    """A script that is the same for everybody; a browser asks each time whether it has changed, as after an upgrade."""
    fields = (("Access-Control-Allow-Origin", "*"), ("Cross-Origin-Resource-Policy", "cross-origin"))
    return http.Page(type, content, fields, tag=http.tag(content))


def _listed(each: Announcement) -> Listed:
    return Listed(each.event, each.kind, each.input, each.output, each.doc, each.origin, each.revision)
