"""From an exception or a hanging thread to the line of the author's own file."""

import ctypes
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType

from plugsock.errors import DeclareError
from plugsock.loader.isolate import Record, Unloadable
from plugsock.loader.source import Source
from plugsock.model import Problem
from plugsock.needs.remedy import remedy


def problem(error: BaseException, source: Source) -> Problem:
    """Say in one sentence what went wrong, at the innermost line of an author's file; else at `source`."""
    if isinstance(error, Unloadable):
        return error.problem
    frames = list(_own_frames(error.__traceback__))
    where, line = frames[-1] if frames else (source, 0)
    if isinstance(error, SyntaxError) and error.filename == where.filename:
        line = error.lineno or line
    return where.problem(line, _sentence(error, [frame[0] for frame in frames]))


def _sentence(error: BaseException, sources: list[Source]) -> str:
    if isinstance(error, DeclareError):
        return str(error)
    said = f"{type(error).__name__}: {_text(error)}"
    if isinstance(error, SystemExit):
        return f"{said} (it called sys.exit() while it was loaded)"
    if isinstance(error, ImportError) and "partially initialized" in str(error):
        circle = " -> ".join(dict.fromkeys(source.module for source in sources))
        return f"circular import ({circle}): {_text(error)}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{said}: {_remedy(error.name, sources)}"
    return said


def _remedy(name: str, sources: list[Source]) -> str:
    if any(name.partition(".")[0] == source.module.partition(".")[0] for source in sources):
        return "there is no such file in the folder"
    return remedy(name)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # an author's `__str__`, in a thread that no interrupt of the user arrives in
        return "(it can't say more: its __str__ fails)"


def trace(error: BaseException) -> str:
    """A traceback of the author's own frames only, with the source that ran; empty if no code is to blame."""
    if isinstance(error, Unloadable):
        return ""
    frames = traceback.StackSummary.extract(
        (frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _record(frame) is not None
    )
    try:
        return "".join([*traceback.format_list(frames), *traceback.format_exception_only(error)])
    except BaseException:  # as in `_text`
        return f"{type(error).__name__}\n"


def where_it_hangs(thread: int, source: Source, line: int, limit_s: float) -> Problem:
    """Name the line that a thread has not got past; `source` and `line` if it is in nobody's file."""
    frame = sys._current_frames().get(thread)
    while frame is not None and _record(frame) is None:
        frame = frame.f_back
    if frame is not None and (record := _record(frame)) is not None:
        source, line = record.source, frame.f_lineno
    return source.problem(line, f"loading it had not ended after {limit_s:g} s; it was here")


def interrupt(thread: threading.Thread) -> None:
    """Ask a thread that nobody waits for to end: at its next Python instruction SystemExit is raised in it.

    Best effort, so that an endless loop does not go on taking turns; what blocks in C goes on blocking.
    """
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


def _own_frames(tb: TracebackType | None) -> Iterator[tuple[Source, int]]:
    while tb is not None:
        record = _record(tb.tb_frame)
        if record is not None:
            yield record.source, tb.tb_lineno
        tb = tb.tb_next


def _record(frame: FrameType) -> Record | None:
    loader = frame.f_globals.get("__loader__")
    return loader if isinstance(loader, Record) and frame.f_code.co_filename == loader.source.filename else None
