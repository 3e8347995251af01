"""What the pool answers in a worker's place."""

from typing import Final

import msgspec

from plugsock.errors import CODES
from plugsock.model import JSON, Fault
from plugsock.rpc.frames import Call

_ENCODE: Final = {True: msgspec.json.encode, False: msgspec.msgpack.encode}


def refusal(
    call: Call,
    code: str,
    message: str,
    *,
    retry: bool | None = None,
    after_ms: int | None = None,
    started: bool | None = None,
) -> bytes:
    """The payload of an error answer, in the call's own format.

    Args:
        call: What it answers.
        code: One of `errors.CODES`.
        message: A sentence for a person.
        retry: Does it pay to try again; by default what the code says.
        after_ms: Not before so many milliseconds have passed.
        started: Had the call begun to run?
    """
    pays = CODES[code] if retry is None else retry
    return _ENCODE[call.format == JSON](Fault(code, message, retry=pays, after_ms=after_ms, started=started))


def lost(call: Call, *, started: bool, idempotent: bool) -> bytes:
    """`worker_lost`: the process that had the call has ended."""
    message = (
        f"The worker that ran {call.event} has ended; nobody knows how far it had come."
        if started
        else f"The workers that were to run {call.event} have ended before it began."
    )
    return refusal(call, "worker_lost", message, retry=idempotent or not started, started=started)


def overloaded(call: Call, after_ms: int) -> bytes:
    """`overloaded`: every worker is full, and so is the queue."""
    return refusal(call, "overloaded", "All workers are busy: try again later.", after_ms=after_ms)


def quarantined(call: Call) -> bytes:
    """`quarantined`: this revision has killed workers."""
    message = f"{call.event} has ended workers again and again: it is out until its file changes."
    return refusal(call, "quarantined", message)


def gone(call: Call) -> bytes:
    """`gone`: a swap has removed the event while the call waited."""
    return refusal(call, "gone", f"{call.event} was removed.")
