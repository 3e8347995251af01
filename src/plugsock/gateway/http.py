"""The little HTTP that is spoken: short pages, each of which ends its connection."""

from collections.abc import Callable
from email.utils import formatdate
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from msgspec import Struct

SERVER: Final = "plugsock"
"""What every page says of who has built it, so that it can be told from any other server on the same port."""

Fields = tuple[tuple[str, str], ...]


class Refusal(Exception):
    """A request that is answered with a page instead of a WebSocket.

    Attributes:
        status: The HTTP status.
        text: One sentence for whoever sent the request.
        fields: Further header fields.
    """

    def __init__(self, status: int, text: str, fields: Fields = ()) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text
        self.fields = fields


class Page(Struct, frozen=True):
    """What a browser is shown."""

    type: str
    """Its media type."""
    content: bytes
    fields: Fields = ()
    """Further header fields."""
    tag: str = ""
    """The same for the same content, so that a browser may keep it and ask whether it still is; empty if it may not."""


class Later(Struct, frozen=True):
    """A page that has to be made first."""

    ask: Callable[[Callable[[Page | Refusal], None]], None]
    """Calls what it is given with it, perhaps at once."""


def tag(content: bytes) -> str:
    """What a browser knows a content by."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def text_page(text: str, fields: Fields = ()) -> Page:
    """Make a page of plain text."""
    return Page("text/plain; charset=utf-8", f"{text}\n".encode(), fields)


def response(status: int, page: Page, *, body: bool = True) -> bytes:
    """Build a response; without the `body` it answers HEAD, and who has that page already (304)."""
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Server: {SERVER}",
        f"Content-Type: {page.type}",
        f"Content-Length: {len(page.content)}",
        "X-Content-Type-Options: nosniff",
        *(("Cache-Control: no-cache", f"ETag: {page.tag}") if page.tag else ("Cache-Control: no-store",)),
        "Connection: close",
        *(f"{name}: {value}" for name, value in page.fields),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (page.content if body else b"")


def find(path: str, *, ready: bool) -> Refusal:
    """Say what is found at a path (without its query): nothing is ever looked up on disk."""
    if path == "/healthz":
        return Refusal(200, "ok") if ready else not_ready()
    if path == "/":
        return upgrade_required("This is a WebSocket server: connect with a WebSocket client.")
    return Refusal(404, "There is nothing here.")


def not_ready() -> Refusal:
    """Say that the plugs are still being loaded."""
    return Refusal(503, "The plugs are still being loaded.", (("Retry-After", "1"),))


def upgrade_required(text: str) -> Refusal:
    """Say that only WebSocket of version 13 is spoken."""
    return Refusal(426, text, (("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")))
