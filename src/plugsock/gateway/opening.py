"""The first phase of a TCP connection: until its one request has been answered."""

import asyncio
from typing import Final, cast

from plugsock.gateway.connection import Connection
from plugsock.gateway.context import Context, remote
from plugsock.gateway.handshake import Accepted, Postponed, Refused, refused
from plugsock.gateway.head import END, check_size
from plugsock.gateway.http import Refusal
from plugsock.gateway.linger import Linger
from plugsock.gateway.outbox import long_frame
from plugsock.ops.log import get_logger
from plugsock.wire import codes
from plugsock.wire.close import close_payload
from plugsock.wire.frames import CLOSE

_log = get_logger()

_NEVER_IN_A_HEAD: Final = (b"\0", b"\n\n")
"""Seen before the end of a head, they say that none will come: TLS on a plain port, lines without a carriage return."""

_TOO_MANY: Final = b"".join(
    long_frame(CLOSE, close_payload(codes.TOO_MANY_CONNECTIONS, codes.MEANINGS[codes.TOO_MANY_CONNECTIONS]), None)
)
"""Said after the handshake, because a browser tells a page nothing of a handshake that was refused."""


class Opening(asyncio.Protocol):
    """Collects the head of a request, answers it, and gives its place to a `Connection` or a `Linger`.

    Attributes:
        stands: TCP stands, and TLS if there is any.
    """

    __slots__ = ("_context", "_received", "_transport", "_waits", "due", "stands")

    _transport: asyncio.Transport

    def __init__(self, context: Context, due: float) -> None:
        """Expect a request, whole, until `due` on the loop's clock."""
        self._context = context
        self._received = b""
        self._waits = False
        """The whole request has come, and its answer has not."""
        self.stands = False
        self.due = due

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS if there is any, stands."""
        self._transport = cast("asyncio.Transport", transport)
        self.stands = True
        self._context.members.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer once the head is whole; what follows it is the first frames."""
        if self._waits:
            return  # nobody has asked for it
        seen = len(self._received)
        received = self._received + data if seen else data
        end = received.find(END, max(0, seen - len(END) + 1)) + len(END)
        if end < len(END):
            self._received = received
            self._check_begun(data)
            return
        answer = self._context.handshake.answer(received[:end])
        if isinstance(answer, Accepted):
            self._open(answer, received[end:])
        elif isinstance(answer, Postponed):
            self._waits = True
            answer.ask(self._late)
        else:
            self._refuse(answer)

    def tick(self, now: float) -> None:  # noqa: ARG002 - its only time is up
        """The total deadline has passed, however busy the other side has been."""
        if self._waits:
            self._late(refused(Refusal(503, "This takes too long to be made; try again.", (("Retry-After", "1"),))))
        elif self._received:
            self._refuse(refused(Refusal(408, "The request took too long.")))
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - nothing has begun
        """The other side has gone."""
        self._waits = False
        self._context.leave(self)

    def _late(self, answer: Refused) -> None:
        if self._waits:
            self._waits = False
            self._refuse(answer)

    def _check_begun(self, data: bytes) -> None:
        try:
            check_size(self._received)
            if any(junk in data for junk in _NEVER_IN_A_HEAD):
                raise Refusal(400, "The request is malformed.")
        except Refusal as refusal:
            self._refuse(refused(refusal))

    def _open(self, answer: Accepted, frames: bytes) -> None:
        context, transport = self._context, self._transport
        context.leave(self)
        if len(context.wires) >= context.limits.max_connections:
            transport.write(answer.response + _TOO_MANY)
            Linger.over(context, transport)
            return
        connection = Connection(context, transport, answer.request, answer.deflate)
        transport.set_protocol(connection)
        transport.write(answer.response)
        connection.open()
        if frames:
            connection.data_received(frames)

    def _refuse(self, answer: Refused) -> None:
        if answer.status < 400:
            _log.debug("request answered", status=answer.status)
        else:
            where = remote(self._transport)
            _log.info("request refused", status=answer.status, why=answer.reason, remote=where, **answer.about)
        self._context.leave(self)
        self._transport.write(answer.response)
        Linger.over(self._context, self._transport)
