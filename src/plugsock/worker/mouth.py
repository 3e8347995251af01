"""How plugs speak to the gateway: what they say leaves at once, what they ask is waited for.

A question may come from the loop or from a thread, and whoever asks waits for a `concurrent.futures.Future`, so that
both can. It comes to one end: its answer, the end of the call that it came from, or that of the connection.
"""

from collections.abc import Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from itertools import count
from typing import Final

from plugsock.errors import CallEnded, PlugsockError
from plugsock.rpc.frames import Emit, Reply, Request
from plugsock.rpc.link import Sink
from plugsock.worker.outbox import Outbox

MOST_READ: Final = 1000
"""Keys that a run of a view may have read: the gateway looks for each of them at every change."""


class Voice:
    """What one call may still say, and what a run of a view has read.

    Args:
        sequence: Of the call.
        is_view: It is one of a view, for those who watch it.

    Attributes:
        sequence: Of the call, whose end silences what is on its way; 0 once it has returned.
        is_over: The call was ended: nothing more is said.
        reads: Keys, in the order in which they were read first; None if that is nobody's business.
    """

    __slots__ = ("is_over", "reads", "sequence")

    def __init__(self, sequence: int, *, is_view: bool = False) -> None:
        self.sequence = sequence
        self.is_over = False
        self.reads: dict[str, None] | None = {} if is_view else None

    def read(self, keys: Iterable[str]) -> None:
        """A view depends on these keys; of any other call nobody asks for them.

        Raises:
            ValueError: They are too many.
        """
        reads = self.reads
        if reads is None:
            return
        new = {key: None for key in keys if key not in reads}
        if len(reads) + len(new) > MOST_READ:
            raise ValueError(
                f"a view reads at most {MOST_READ} keys: `orders/*` is one, for all that are below `orders`"
            )
        reads.update(new)


class Mouth:
    """Where all words leave through, from the loop and from threads.

    Attributes:
        msgpack: Some socket wants pushes as MessagePack too.
    """

    def __init__(self, sink: Sink, outbox: Outbox) -> None:
        self.msgpack = False
        self._sink = sink
        self._outbox = outbox
        self._numbers = count(1)
        self._questions: dict[int, tuple[Voice, Future[Reply]]] = {}
        self._is_closed = False

    @property
    def on_loop(self) -> bool:
        """Is this the loop's own thread, which must not wait?"""
        return self._outbox.on_loop

    def say(self, voice: Voice, emit: Emit) -> None:
        """Enqueue a word.

        Raises:
            CallEnded: The call was ended.
        """
        if voice.is_over:
            raise CallEnded("the call has ended: nothing is sent any more")
        if self._outbox.on_loop:
            self.declare(emit)
        else:
            self._outbox.post(self._late, voice, emit)

    def declare(self, emit: Emit) -> None:
        """Enqueue a word that is said in nobody's name, and so whatever became of the call that it comes from."""
        if self._outbox.on_loop:
            if self._outbox.waiting:
                self._outbox.drain()
            self._sink.emit(emit)
        else:
            self._outbox.post(self._sink.emit, emit)

    def ask(self, voice: Voice, request: Request) -> "Future[Reply]":
        """Ask the gateway for something, after all that was said before; the future has its answer.

        It may be `CallEnded`, or a `PlugsockError` that says why it was not done.
        """
        answer: Future[Reply] = Future()
        if self._outbox.on_loop:
            if self._outbox.waiting:
                self._outbox.drain()
            self._ask(voice, request, answer)
        else:
            self._outbox.post(self._ask, voice, request, answer)
            if self._is_closed:  # there may be no loop any more
                _fail(answer, _gone())
        return answer

    def told(self, number: int, reply: Reply) -> None:
        """See `rpc.link.Link`; nobody need be waiting any more."""
        waiting = self._questions.pop(number, None)
        if waiting is None:
            return
        _, answer = waiting
        if reply.error:
            _fail(answer, PlugsockError(reply.error))
        else:
            with suppress(InvalidStateError):  # whoever asked was cancelled
                answer.set_result(reply)

    def hush(self, voice: Voice) -> None:
        """A call was ended: it says nothing more, and waits for nothing."""
        voice.is_over = True
        for number, (asker, answer) in list(self._questions.items()):
            if asker is voice:
                del self._questions[number]
                _fail(answer, CallEnded("the call has ended while it waited: what it asked for may have been done"))

    def close(self) -> None:
        """The gateway has gone, or this worker ends: there are no answers any more."""
        self._is_closed = True
        self._outbox.drain()
        for _, answer in self._questions.values():
            _fail(answer, _gone())
        self._questions.clear()

    def _late(self, voice: Voice, emit: Emit) -> None:
        if not voice.is_over:
            self._sink.emit(emit)

    def _ask(self, voice: Voice, request: Request, answer: "Future[Reply]") -> None:
        if voice.is_over:
            _fail(answer, CallEnded("the call has ended: nothing is asked for any more"))
        elif self._is_closed:
            _fail(answer, _gone())
        else:
            number = next(self._numbers)
            self._questions[number] = voice, answer
            self._sink.ask(number, voice.sequence, request)


def _gone() -> PlugsockError:
    return PlugsockError("the gateway can't be asked any more: whether it was done is not known")


def _fail(answer: "Future[Reply]", error: Exception) -> None:
    with suppress(InvalidStateError):  # whoever asked was cancelled
        answer.set_exception(error)
