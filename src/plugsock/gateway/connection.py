"""An open WebSocket: frames in, messages to a conversation; messages from it, frames out.

    open ── close() or a dead or slow client ──▶ closing ── the client's close frame ──▶ leaving
      └─────────── the client's close frame, or a violation ────────────────────────────▶ leaving
    leaving ── everything is handed over ──▶ `Linger`          lost in any phase ──▶ `connection_lost`

There is no timer a connection: `due` says when the sweep should look at it.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from websockets.extensions.permessage_deflate import PerMessageDeflate

from plugsock.gateway.context import Context, remote
from plugsock.gateway.conversation import Conversation
from plugsock.gateway.fence import Fences
from plugsock.gateway.handshake import Request
from plugsock.gateway.life import Life, Verdict
from plugsock.gateway.linger import Linger
from plugsock.gateway.outbox import long_frame
from plugsock.gateway.sender import CLOSING, GONE, LEAVING, OPEN, Sender
from plugsock.ops.log import get_logger
from plugsock.wire import codes
from plugsock.wire.close import close_code, close_payload
from plugsock.wire.deflate import inflater_of
from plugsock.wire.frames import BINARY, CLOSE, INSIDE, PING, PONG, Parser

_log = get_logger()


class Connection(Sender):
    """One client's WebSocket.

    Attributes:
        request: What opened it.
        due: When the sweep should look at it, on the loop's clock.
    """

    __slots__ = (
        "_begun", "_begun_at", "_code", "_congested", "_conversation", "_fences", "_life", "_parser", "_received", "request",
    )  # fmt: skip

    def __init__(
        self, context: Context, transport: asyncio.Transport, request: Request, deflate: PerMessageDeflate | None
    ) -> None:
        super().__init__(context, transport, deflate)
        self.request = request
        self._code = codes.ABNORMAL
        self._parser = Parser(context.limits.max_message, inflater_of(deflate) if deflate else None)
        self._fences = Fences()
        self._congested = False
        self._life = Life(context.loop.time(), context.limits)
        self.due = self._life.due
        # The message that was incomplete when last looked at, and since when.
        self._begun = 0
        self._begun_at = 0.0

    # What a conversation asks for.

    @property
    def conversation(self) -> Conversation:
        """Who talks over it."""
        return self._conversation

    @conversation.setter
    def conversation(self, conversation: Conversation) -> None:
        self._conversation = conversation
        if self._phase == OPEN:
            self._received = conversation.received

    @property
    def remote(self) -> str:
        """Address of the other side."""
        return remote(self._transport)

    def fence(self, passed: Callable[[], None]) -> None:
        """See `Wire`."""
        if self._phase == GONE:
            passed()
            return
        payload = self._fences.add(passed)
        if self._phase == OPEN:
            self._send_control(PING, payload)

    def close(self, code: int, reason: str = "") -> None:
        """Close after everything that was sent before; nothing more is received.

        `Conversation.closed` follows when the other side has closed too, or after `Limits.close_s`.
        """
        if self._phase == OPEN:
            self._send_control(CLOSE, close_payload(code, reason))
            self._end(CLOSING, code)

    # Opening, and what the sweep and the turn ask for.

    def open(self) -> None:
        """Begin the conversation; the response to the handshake has been written."""
        # Not 0: the TLS transport of asyncio pauses when as much as this is buffered, and so would pause at once.
        self._transport.set_write_buffer_limits(high=1)
        self._context.members.add(self)
        self._context.wires.add(self)
        self.conversation = self._context.converse(self)
        self._tell(self._conversation.opened)

    def tick(self, now: float) -> None:
        """Look at the clocks: too slow a reader, a message that does not end, signs of life."""
        limits = self._context.limits
        if self._phase != OPEN:
            self._transport.abort()
        elif self._age is not None and self._age.mark(now, self._queued, self._taken()) > limits.slow_s:
            self._cut_off()
        elif self._is_inside() and now - self._begun_at >= limits.message_s:
            self._leave(codes.POLICY_VIOLATION)
        else:
            self._check_life(now)
        if self._phase == OPEN:
            self.due = now if self._age is not None or self._is_inside() else self._life.due

    # What the transport tells.

    def data_received(self, data: bytes) -> None:
        """Read frames; all that is sent in answer leaves in one write."""
        self._life.heard = True
        self._will_flush = True
        parser = self._parser
        try:
            for opcode, payload in parser.feed(data):
                if opcode <= BINARY:
                    self._received(opcode == BINARY, payload)
                else:
                    self._take_control(opcode, payload)
        except Exception as error:
            self._fail(error)
        if parser.state:
            self._look_at_parser()
        if (self._outbox or self._phase) and self.flush():
            self._context.turn.add_long(self)
        self._will_flush = False

    def eof_received(self) -> bool:
        """Take half a close for a whole one: nobody is there to hear the rest. The transport closes."""
        if self._phase < LEAVING:
            self._outbox.clear()
            self._go(self._code)
        return False

    def resume_writing(self) -> None:
        """The kernel has taken everything that was handed over."""
        super().resume_writing()
        if not self.is_jammed and self._phase == OPEN:
            self._tell(self._conversation.cleared)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side has gone, or was cut off."""
        if exc is not None:
            _log.debug("connection lost", remote=self.remote, error=str(exc))
        told = self._phase >= LEAVING
        self._end(GONE, self._code)
        self._context.leave(self)
        self._fences.end()
        if not told:
            self._tell(self._conversation.closed, self._code)

    # Control frames and clocks.

    def _take_control(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            if self._phase == OPEN:
                self._code = close_code(payload)
                self._send_control(CLOSE, payload[:2])
            self._go(self._code)
        elif opcode == PING and self._phase == OPEN:
            self._send_control(PONG, payload)
        elif opcode == PONG and self._fences:
            self._fences.answered(payload)

    def _look_at_parser(self) -> None:
        parser = self._parser
        if parser.failure is not None:
            self._leave(parser.failure.code, parser.failure.reason)
        elif parser.state == INSIDE and self._begun != parser.begun and self._phase == OPEN:
            self._begun = parser.begun
            self._begun_at = self._context.loop.time()
            self.due = 0.0

    def _is_inside(self) -> bool:
        return self._parser.state == INSIDE

    def _check_life(self, now: float) -> None:
        verdict = self._life.look(now, deaf=self._congested)
        if verdict is Verdict.PING:
            self._send_control(PING, self._fences.latest)
        elif verdict is Verdict.DEAD:
            self.close(codes.NO_PONG, codes.MEANINGS[codes.NO_PONG])

    # Slow readers.

    def _check_unsent(self) -> None:
        if self._phase:
            if self._phase == LEAVING and not self._outbox:
                self._depart()
            return
        limits = self._context.limits
        unsent = self._queued - self._taken() if self.is_jammed else 0
        if unsent > limits.slow_bytes + limits.max_answer:
            self._cut_off()
        elif (unsent > limits.high_water) is not self._congested:
            self._congested = not self._congested
            self._read(not self._congested)
            self._tell(partial(self._conversation.congested, congested=self._congested))

    def _cut_off(self) -> None:
        """Close on a client that does not read: what waits is dropped, only the close frame still goes."""
        self._outbox.clear()
        self._leave(codes.SLOW_CONSUMER)
        if not self._transport.is_closing():
            self._transport.write(b"".join(long_frame(*self._outbox.pop(), None)))
            self._depart()

    def _read(self, on: bool) -> None:  # noqa: FBT001 - private
        if not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    # The end.

    def _tell(self, hear: Callable[..., None], *what: int) -> None:
        """Tell the conversation something; if it fails, that must not keep the caller from its other connections."""
        try:
            hear(*what)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        _log.error("a conversation failed", error=error, remote=self.remote)
        self._leave(codes.INTERNAL_ERROR)

    def _leave(self, code: int, reason: str = "") -> None:
        """Close without waiting for the other side's close frame."""
        if self._phase == OPEN:
            self._code = code
            self._send_control(CLOSE, close_payload(code, reason or codes.MEANINGS[code]))
        self._go(self._code)

    def _go(self, code: int) -> None:
        """Nothing more is to be heard: go once everything is handed over."""
        if self._is_guarded:
            self._unguard()
        if self._phase < LEAVING:
            self._end(LEAVING, code)
            self._tell(self._conversation.closed, code)

    def _end(self, phase: int, code: int) -> None:
        self._phase = phase
        self._code = code
        self._received = _ignore
        if self._congested and phase == CLOSING:  # the other side's close frame is still to be read
            self._congested = False
            self._read(True)
        self._age = None
        self.due = self._context.loop.time() + self._context.limits.close_s
        self._context.wires.discard(self)

    def _depart(self) -> None:
        if not self._transport.is_closing():
            self._phase = GONE
            self._context.leave(self)
            if self._fences:  # who waits wants nothing to be read any more once they have been told
                self.cut()
                self._fences.end()
                return
            if self._congested:
                self._read(True)
            Linger.over(self._context, self._transport)


def _ignore(_binary: bool, _message: bytes, /) -> None:  # noqa: FBT001 - as `Conversation.received`
    """Nothing is received from a client that is being closed."""
