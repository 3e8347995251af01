"""The opening handshake: the head of a request in, the response out.

`websockets` decides about the upgrade itself (keys, extensions, subprotocol); everything that HTTP allows and a
WebSocket server must not is refused before.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request as Upgrade
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from plugsock.gateway import http
from plugsock.gateway.access import Access
from plugsock.gateway.head import Head, read_head
from plugsock.gateway.http import Refusal
from plugsock.gateway.pages import Pages, is_public

SUBPROTOCOL: Final = Subprotocol("plugsock.v1")

# Windows of 4 KiB instead of 32: `websockets`' own default, a quarter of the memory for nearly the same ratio.
_DEFLATE: Final = ServerPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=12)

_EXTENSIONS: Final = "sec-websocket-extensions"
_UPGRADE_FIELDS: Final = (
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    _EXTENSIONS,
)


_MAX_ITEMS: Final = 32
"""Items of a list in one field; browsers send one or two. What is longer is not worth the time to read it."""


class Request(Struct, frozen=True, gc=False):
    """What is kept of the request that opened a socket."""

    target: str
    """Path and query, as they came."""
    origin: str | None
    """The page that connected; None for what is no browser."""
    subprotocol: str | None
    headers: dict[str, str] = {}
    """All fields, by their names in lower case; several of one name in commas."""


class Accepted(Struct, frozen=True):
    """A WebSocket is opened with this response."""

    response: bytes
    request: Request
    deflate: PerMessageDeflate | None


class Refused(Struct, frozen=True):
    """A page is the answer, and the end."""

    response: bytes
    status: int
    reason: str
    about: dict[str, str] = {}
    """Header fields that the refusal was about, for the log."""


class Postponed(Struct, frozen=True):
    """A page is the answer, and the end, as soon as it is made."""

    ask: Callable[[Callable[[Refused], None]], None]
    """Calls what it is given with it, perhaps at once."""


class Handshake:
    """Answers the requests of one listener."""

    def __init__(
        self,
        access: Access,
        *,
        ready: Callable[[], bool],
        compression: bool,
        pages: Pages | None = None,
        keeps_headers: Callable[[], bool] = lambda: True,
    ) -> None:
        """Set up the rules.

        Args:
            access: Which hosts and origins are served.
            ready: Are the plugs loaded? Before that, every event would be unknown, so nobody may connect.
            compression: Compress messages for clients that can.
            pages: What browsers are shown; None is nothing.
            keeps_headers: May somebody be asked who they are? Else their header fields are forgotten: a kilobyte each.
        """
        self._pages = pages
        self._keeps_headers = keeps_headers
        self._access = access
        self._ready = ready
        # One for all: accepting has no state beyond what is read right after it.
        self._protocol = ServerProtocol(
            extensions=[_DEFLATE] if compression else None,
            subprotocols=[SUBPROTOCOL],
            select_subprotocol=_select_subprotocol,
        )

    def answer(self, data: bytes) -> Accepted | Refused | Postponed:
        """Answer a request, given its whole head; it never raises."""
        body = not data.startswith(b"HEAD ")
        head = None
        try:
            head = read_head(data)
            return self._answer(head)
        except Refusal as refusal:
            return refused(refusal, head, body=body)

    def _answer(self, head: Head) -> Accepted | Refused | Postponed:
        if head.method not in ("GET", "HEAD"):
            raise Refusal(405, "Only GET is answered.", (("Allow", "GET, HEAD"),))
        _check_no_body(head)
        path, is_page = _path(head), not any("websocket" in value.lower() for value in head.all("upgrade"))
        is_for_all = is_page and is_public(path)
        self._access.check(head.all("host"), () if is_for_all else head.all("origin"))
        if not head.target.startswith("/"):
            raise Refusal(400, "The target of the request is no path.")
        return self._show(head, path) if is_page else self._upgrade(head)

    def _show(self, head: Head, path: str) -> Refused | Postponed:
        origin = next(iter(head.all("origin")), "")
        page = self._pages.find(path, head.all("host")[0], origin) if self._pages else None
        if page is None:
            raise http.find(path, ready=self._ready())
        if isinstance(page, http.Later):
            later = page.ask
            return Postponed(lambda then: later(lambda found: then(self._shown(head, found))))
        return self._shown(head, page)

    def _shown(self, head: Head, page: http.Page | Refusal) -> Refused:
        if isinstance(page, Refusal):
            return refused(page, head, body=head.method != "HEAD")
        status = 304 if page.tag and any(page.tag in value for value in head.all("if-none-match")) else 200
        return Refused(http.response(status, page, body=status == 200 and head.method != "HEAD"), status, "")

    def _upgrade(self, head: Head) -> Accepted:
        versions = head.all("sec-websocket-version")
        if len(versions) == 1 and versions[0] != "13":
            raise http.upgrade_required("Only version 13 of WebSocket is spoken.")
        if not self._ready():
            raise http.not_ready()
        protocol = self._protocol
        response = protocol.accept(Upgrade(head.target, _upgrade_headers(head), head.method))
        if response.status_code != 101:
            status = response.status_code if response.status_code < 500 else 400
            raise Refusal(status, f"The WebSocket handshake is malformed: {protocol.handshake_exc}.")
        origins = head.all("origin")
        headers = {name: ", ".join(values) for name, values in head.fields.items()} if self._keeps_headers() else {}
        request = Request(head.target, origins[0] if origins else None, protocol.subprotocol, headers)
        deflate = next((each for each in protocol.extensions if isinstance(each, PerMessageDeflate)), None)
        return Accepted(response.serialize(), request, deflate)


def refused(refusal: Refusal, head: Head | None = None, *, body: bool = True) -> Refused:
    """Build the response to a request that is refused."""
    response = http.response(refusal.status, http.text_page(refusal.text, refusal.fields), body=body)
    about = {name: ", ".join(values) for name in ("host", "origin") if head and (values := head.all(name))}
    return Refused(response, refusal.status, refusal.text, about)


def _path(head: Head) -> str:
    return head.target.partition("?")[0]


def _check_no_body(head: Head) -> None:
    if "transfer-encoding" in head.fields or any(length != "0" for length in head.all("content-length")):
        raise Refusal(400, "A request with a body is not accepted.")


def _upgrade_headers(head: Head) -> Headers:
    headers = Headers()
    for name in _UPGRADE_FIELDS:
        values = head.all(name)
        if sum(value.count(",") + 1 for value in values) > _MAX_ITEMS:
            if name == _EXTENSIONS:
                continue  # declined, as offers may be
            raise Refusal(400, f"The field {name} is too long.")
        for value in values:
            headers[name] = value
    return headers


def _select_subprotocol(_protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
