"""What the gateway wants to be told of the plugs, which workers alone have: any of them that serves what is committed."""

from collections.abc import Sequence
from typing import Final

from plugsock.pool.member import Member
from plugsock.rpc.frames import Document, DocumentName
from plugsock.rpc.link import Sink

NOTHING: Final = Document(b"", [])


class Documents:
    """The documents that were asked for and have not come.

    Args:
        sink: The gateway.
        members: All workers there are; it changes.
    """

    def __init__(self, sink: Sink, members: Sequence[Member]) -> None:
        self._sink = sink
        self._members = members
        self._open: dict[int, Member] = {}

    def ask(self, number: int, name: DocumentName, url: str) -> None:
        """See `rpc.link.Link.document`: the worker that has the least to do is asked."""
        member = min((each for each in self._members if each.votes), key=lambda each: len(each.open), default=None)
        if member is None:
            self._sink.documented(number, NOTHING)
            return
        self._open[number] = member
        member.link.document(number, name, url)

    def told(self, member: Member, number: int, document: Document) -> None:
        """A worker has answered; what it was not asked is nobody's business."""
        if self._open.get(number) is member:
            del self._open[number]
            self._sink.documented(number, document)

    def forget(self, member: Member) -> None:
        """A worker has ended. No other is asked in its place, because that may be why it has ended."""
        for number in [number for number, asked in self._open.items() if asked is member]:
            del self._open[number]
            self._sink.documented(number, NOTHING)
