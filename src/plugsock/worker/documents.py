"""What the plugs look like from outside, told when the gateway asks: to whoever builds the other side, in development.

It is made in a thread of its own, while calls go on, and what it takes is imported when somebody asks for the first time.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from plugsock.loader.catalog import Catalog
from plugsock.model import Problem
from plugsock.ops.log import get_logger
from plugsock.ops.tasks import Tasks
from plugsock.rpc.frames import Document, DocumentName
from plugsock.rpc.link import Sink
from plugsock.worker.threads import in_thread

log = get_logger()


class Documents:
    """Answers `Link.document`.

    Args:
        sink: Is told.
        catalog: What is committed now.
    """

    def __init__(self, sink: Sink, catalog: Callable[[], Catalog]) -> None:
        self._sink = sink
        self._catalog = catalog
        self._tasks = Tasks("documents")

    def ask(self, number: int, name: DocumentName, url: str) -> None:
        """See `rpc.link.Link.document`."""
        self._tasks.spawn(f"tell {name}", self._tell(number, partial(made, self._catalog(), name, url)))

    async def stop(self) -> None:
        """Tell nothing more."""
        await self._tasks.stop()

    async def _tell(self, number: int, make: Callable[[], Document]) -> None:
        try:
            document = await in_thread("plugsock-document", make)
        except Exception:  # of whatever authors have written, which is read here
            log.exception("what the plugs look like can't be told")
            document = Document(b"", [])
        self._sink.documented(number, document)


def made(catalog: Catalog, name: DocumentName, url: str) -> Document:
    """Make a document, as the commands `schema` and `types` print it.

    Args:
        catalog: What it is about.
        name: In what words.
        url: Where clients reach the server: `ws://127.0.0.1:8765`.
    """
    from plugsock.shapes import asyncapi, describe, events, schema, typescript  # noqa: PLC0415 - most servers need none

    shapes = events.read(catalog)
    if name == "types":
        return Document(typescript.declarations(shapes).encode(), [])
    described = describe.describe(shapes.events)
    if name == "schema":
        return _json(schema.document(shapes, described), described.problems)
    protocol, _, host = url.partition("://")
    return _json(asyncapi.document(shapes, described, host=host, is_secure=protocol == "wss"), described.problems)


def _json(document: object, problems: list[Problem]) -> Document:
    return Document(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n", problems)
