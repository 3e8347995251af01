"""The little HTTP that is spoken: short pages, each of which ends its connection."""

from email.utils import formatdate
from http import HTTPStatus

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


def page(status: int, text: str, fields: Fields = (), *, body: bool = True) -> bytes:
    """Build a page of plain text; without the `body` it answers HEAD."""
    content = f"{text}\n".encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(content)}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Connection: close",
        *(f"{name}: {value}" for name, value in fields),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (content if body else b"")


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
