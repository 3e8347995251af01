"""What plugs look like, for whoever builds the other side: `/schema.json`, `/asyncapi.json` and `/types.d.ts`.

Only workers know, so one of them is asked, and what it says is kept until the plugs change. They tell more of the inside
than clients need, so they are served in development alone.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, TypeAlias

from msgspec import Struct

from plugsock.gateway import http
from plugsock.gateway.routes import Routes
from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import Document, DocumentName
from plugsock.rpc.link import Link

log = get_logger()

JSON: Final = "application/json"

PATHS: Final[Mapping[str, tuple[DocumentName, str]]] = {
    "/schema.json": ("schema", JSON),
    "/asyncapi.json": ("asyncapi", JSON),
    "/types.d.ts": ("types", "text/plain; charset=utf-8"),
}
"""Where each is, and its media type; TypeScript has none that browsers show."""

Then: TypeAlias = Callable[[http.Page | http.Refusal], None]


class _Asked(Struct, eq=False):
    name: DocumentName
    url: str
    table: Any
    """What is served, as `Routes` has it: another one after each swap."""
    then: list[Callable[[Document], None]]

    def is_for(self, name: DocumentName, url: str, table: Any) -> bool:
        """Was it asked for by the same words, of the same plugs?"""
        return (self.name, self.url) == (name, url) and self.table is table


class Documents:
    """What was told of the plugs that are served now.

    Attributes:
        link: To those who know.
    """

    link: Link

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._numbers = count(1)
        self._asked: dict[int, _Asked] = {}
        self._kept: dict[DocumentName, tuple[_Asked, Document]] = {}
        self._said: set[Problem] = set()

    def find(self, path: str, url: str, fields: http.Fields) -> http.Later | None:
        """What is found at a path, which may have to be made first.

        Args:
            path: Without its query.
            url: Where the browser reaches the server: `ws://127.0.0.1:8765`.
            fields: Further header fields.
        """
        if path not in PATHS:
            return None
        name, type = PATHS[path]
        return http.Later(lambda then: self._get(name, url, lambda document: then(_page(document, type, fields))))

    def told(self, number: int, document: Document) -> None:
        """See `rpc.link.Sink.documented`."""
        asked = self._asked.pop(number, None)
        if asked is None:
            return
        for problem in sorted(set(document.problems) - self._said):
            log.warning(problem.message, place=f"{problem.file}:{problem.line}")
        self._said.update(document.problems)
        if document.content and asked.table is self._routes.by_name:
            self._kept[asked.name] = asked, document
        for then in asked.then:
            then(document)

    def _get(self, name: DocumentName, url: str, then: Callable[[Document], None]) -> None:
        table = self._routes.by_name
        kept = self._kept.get(name)
        if kept is not None and kept[0].is_for(name, url, table):
            then(kept[1])
            return
        under_way = next((each for each in self._asked.values() if each.is_for(name, url, table)), None)
        if under_way is not None:
            under_way.then.append(then)
            return
        number = next(self._numbers)
        self._asked[number] = _Asked(name, url, table, [then])
        self.link.document(number, name, url)


def _page(document: Document, type: str, fields: http.Fields) -> http.Page | http.Refusal:
    if not document.content:
        text = "No worker could tell what the plugs look like; the server's log may say why."
        return http.Refusal(503, text, (("Retry-After", "1"),))
    return http.Page(type, document.content, fields, tag=http.tag(document.content))
