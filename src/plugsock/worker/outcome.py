"""How a call ends: its result or what it raised becomes the one answer."""

import asyncio
from time import perf_counter
from typing import Any, Final, Protocol, TypeAlias

from msgspec import Struct

from plugsock.errors import CODES, CallEnded
from plugsock.model import JSON, Fault
from plugsock.rpc.frames import ERROR, EXPLAIN, OK, Call, Details
from plugsock.rpc.link import Sink
from plugsock.worker.encode import ENCODE
from plugsock.worker.faults import Faults
from plugsock.worker.mouth import Voice
from plugsock.worker.outbox import Outbox
from plugsock.worker.table import Served
from plugsock.worker.views import ViewCall, failed, named, told

Outcome: TypeAlias = tuple[int, bytes]
"""Status and payload of an answer."""

END: Final[Outcome] = OK, b""
"""Of a stream: there is nothing more to come."""


class Run(Struct, gc=False):
    """One call while it runs."""

    call: Call
    served: Served
    began: float
    """When the plug was first entered, by `time.perf_counter`."""
    is_over: bool = False
    """The gateway has ended it: it is not answered any more."""
    voice: Voice | None = None
    """What it speaks with, if it was handed a Socket or Server."""
    ran_s: float = 0.0
    waited_s: float = 0.0
    """For a thread."""
    decoded_s: float = 0.0
    """This and the next are known only of calls with `EXPLAIN`."""
    encoded_s: float = 0.0


class Open(Protocol):
    """A run that goes on after it was started."""

    run: Run
    task: asyncio.Task[None] | None
    """What it runs in, once it has suspended; None in threads."""

    def cancel(self) -> bool:
        """Nobody waits any more: interrupt it as far as it can be; True if it has ended by that."""


class Answers:
    """Answers calls, each once, and not after they were ended: then it says when their runs have come to an end.

    Attributes:
        outbox: Brings what threads have to say.
        open: What is neither answered nor has ended, by sequence.
        is_stopped: The runs that are left end by themselves, and nobody waits to hear of that.
    """

    def __init__(self, sink: Sink, outbox: Outbox, *, dev: bool) -> None:
        self.outbox = outbox
        self.open: dict[int, Open] = {}
        self.is_stopped = False
        self._answer = sink.answer
        self._ended = sink.ended
        self._item = sink.item
        self._faults = Faults(dev=dev)

    def finish(self, run: Run, value: Any, error: BaseException | None) -> None:
        """Answer a call that returned or raised; on the loop."""
        self.give(run, self.of(run, value, error))

    def of(self, run: Run, value: Any, error: BaseException | None) -> Outcome:
        """What a call that returned or raised is answered with; in any thread."""
        call = run.call
        view = call if isinstance(call, ViewCall) else None
        ended = perf_counter()
        run.ran_s = ended - run.began
        if error is None:
            try:
                served = run.served
                payload = served.encode(value, call.format) if view is None else told(view, served, value, run.voice)
                if call.flags & EXPLAIN:
                    run.encoded_s = perf_counter() - ended
                return OK, payload
            except BaseException as raised:  # the result's own code may run while it is encoded
                error = raised
        if run.is_over and isinstance(error, asyncio.CancelledError | CallEnded | GeneratorExit):
            return ERROR, b""  # it ends as it was told to
        if view is not None:
            return OK, failed(view, self._faults.encode(call, error, JSON), run.voice)
        return ERROR, self._faults.encode(call, error, call.format)

    def give(self, run: Run, outcome: Outcome) -> None:
        """Answer, after all that was said before, or say that a run has ended that was ended before; on the loop."""
        if self.outbox.waiting:
            self.outbox.drain()
        call, details = run.call, None
        self.open.pop(call.sequence, None)
        if run.is_over:
            if not self.is_stopped:
                self._ended(call.sequence)
            return
        if run.voice is not None:
            run.voice.sequence = 0
        if call.flags & EXPLAIN:
            details = Details(run.waited_s, run.decoded_s, run.encoded_s)
        status, payload = outcome
        self._answer(call.sequence, status, payload, run.ran_s, details)

    def name(self, run: Run, value: Any) -> None:
        """Answer who has only asked which arguments of a view these are."""
        try:
            payload = named(run.served, value)
        except BaseException as error:  # of the plug's own types, as in decoding
            self.failed(run.call, error)
            return
        self._answer(run.call.sequence, OK, payload, 0.0, None)

    def item(self, run: Run, payload: bytes) -> None:
        """Send a stream's next value; on the loop."""
        if self.outbox.waiting:
            self.outbox.drain()
        if not run.is_over:
            self._item(run.call.sequence, payload)

    def refuse(self, call: Call, code: str, message: str, after_ms: int | None = None) -> None:
        """Answer a call that has not run."""
        fault = Fault(code, message, retry=CODES[code], after_ms=after_ms)
        self.misfit(call, fault)

    def misfit(self, call: Call, fault: Fault) -> None:
        """Answer a call whose payload does not fit."""
        self._answer(call.sequence, ERROR, ENCODE[call.format](fault), 0.0, None)

    def failed(self, call: Call, error: BaseException) -> None:
        """Answer a call whose plug's own types raised while its payload was looked at."""
        self._answer(call.sequence, ERROR, self._faults.encode(call, error, call.format), 0.0, None)
