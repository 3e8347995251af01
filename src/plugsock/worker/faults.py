"""What a plug raises becomes a fault for the caller and, under a reference, a traceback in the log.

A caller learns nothing of the plug's inside but what its author wrote into an `Error`: an exception's text may hold
anything. Only a person with the log, or everybody with `--dev`, sees the traceback, cut to the author's own frames.
"""

import asyncio
import secrets
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from plugsock.errors import Error
from plugsock.model import AUTHENTICATE, Fault
from plugsock.ops.log import get_logger
from plugsock.rpc.frames import Call
from plugsock.worker.encode import ENCODE, TooLarge, Unsendable, encoded, refuse_flaws

FRAMES: Final = 40
"""Of a traceback, at most: the innermost ones, of each exception in a chain."""

log = get_logger()

LAST_RESORT: Final = [encode(Fault("plug_error", "The plug failed, and so did saying how.")) for encode in ENCODE]
"""By format; ready, for when there is no memory to make another one."""

_HERE: Final = str(Path(encoded.__code__.co_filename).parent)

_HINTS: Final = {
    "asyncio.run() cannot be called from a running event loop": (
        "it calls asyncio.run() inside `async def`, where `await` is meant"
    ),
    "This event loop is already running": "it runs an event loop inside `async def`, where `await` is meant",
    "Cannot run the event loop while another loop is running": (
        "it runs an event loop inside `async def`, where `await` is meant"
    ),
}
"""Mistakes that a sentence tells better than a traceback, by the text of their RuntimeError."""


class Faults:
    """Turns what plugs raise into encoded faults.

    Args:
        dev: Tracebacks come along in the answer.
    """

    def __init__(self, *, dev: bool) -> None:
        self._dev = dev

    def encode(self, call: Call, error: BaseException, format: int) -> bytes:
        """The fault, in a format, of a call whose plug raised, or whose result can't be sent."""
        try:
            return encoded(self._own(error), format) if isinstance(error, Error) else self._failed(call, error, format)
        except BaseException as worse:  # the exception's own code runs here: __str__, properties, what data holds
            try:
                return self._failed(call, worse, format)
            except BaseException:  # there is no memory left
                return LAST_RESORT[format]

    def _own(self, error: Error) -> Fault:
        """What the author wrote for the caller to see."""
        refuse_flaws(error.data)
        after_ms = None if error.after is None else max(0, round(error.after * 1000))
        return Fault(str(error.code), str(error.message), retry=bool(error.retry), after_ms=after_ms, data=error.data)

    def _failed(self, call: Call, error: BaseException, format: int) -> bytes:
        ref = secrets.token_hex(4)
        if call.event == AUTHENTICATE:
            return ENCODE[format](self._failed_to_authenticate(call, error, ref))
        trace = text(error)
        fields = {"event": call.event, "revision": call.revision, "socket": call.socket, "ref": ref}
        code, message = _said(error, ref)
        if isinstance(error, TooLarge | Unsendable):  # about a value: no line of the plug is to blame more than another
            log.error("an answer can't be sent", **fields, error=str(error))
        else:
            log.error("a plug failed", **fields, error=summary(error), traceback=trace)
        data = {"traceback": trace} if self._dev else None
        return ENCODE[format](Fault(code, message, ref=ref, data=data))

    def _failed_to_authenticate(self, call: Call, error: BaseException, ref: str) -> Fault:
        """Say where it failed and nothing of what was shown: the text of an error may well be a token."""
        frames = traceback.extract_tb(authors(error.__traceback__), limit=-FRAMES)
        fields = {"event": call.event, "revision": call.revision, "ref": ref}
        places = _clean("".join(traceback.format_list(frames)))
        log.error("a plug failed", **fields, error=type(error).__name__, traceback=places)
        return Fault("plug_error", f"The plug failed; the log has it under ref {ref}.", ref=ref)


def _said(error: BaseException, ref: str) -> tuple[str, str]:
    """Code and message for the caller."""
    if isinstance(error, TooLarge):
        return "too_large", str(error)
    why = None
    if isinstance(error, Unsendable):
        why = f"its answer can't be sent: {error}"
    elif isinstance(error, RuntimeError):
        why = _HINTS.get(str(error))
    elif isinstance(error, asyncio.CancelledError):
        why = "it cancelled itself"
    return "plug_error", f"The plug failed{f': {why}' if why else ''}; the log has it under ref {ref}."


def summary(error: BaseException) -> str:
    """Type and text of an exception, whatever its own code does; never raises."""
    try:
        return "".join(traceback.format_exception_only(error)).strip()
    except BaseException as worse:  # the exception's own code runs here
        return f"{type(error).__name__}, which can't be printed: {type(worse).__name__}"


def text(error: BaseException) -> str:
    """A traceback as Python prints it, without the frames that led to the plug; never raises."""
    try:
        trace = traceback.TracebackException(type(error), error, authors(error.__traceback__), limit=-FRAMES)
        while len(trace.stack) > 1 and trace.stack[-1].filename.startswith(_HERE):
            trace.stack.pop()  # what a word of Socket or Server has raised was the fault of the line that said it
        return _clean("".join(trace.format()))
    except BaseException as worse:  # the exception's own code runs here
        return f"{type(error).__name__}, which can't be printed: {type(worse).__name__}\n"


def authors(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that begins in the plug; all of it if none does."""
    inner = trace
    while inner is not None and _is_ours(inner.tb_frame.f_globals.get("__name__"), inner.tb_frame.f_code.co_filename):
        inner = inner.tb_next
    return trace if inner is None else inner


def _is_ours(module: Any, filename: str) -> bool:
    """Is a frame the server's own, or the compiled call of the plug (`loader.binding.entry`)?"""
    return (isinstance(module, str) and module.startswith("plugsock.")) or filename == "<string>"


def _clean(text: str) -> str:
    """Without half surrogate pairs, which could not be sent or written."""
    return text.encode("utf-8", "backslashreplace").decode()
