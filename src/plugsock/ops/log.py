"""The log: one line an event, `key=value` for people or JSON for machines.

    2026-11-24T05:45:01.123Z warning a plug raised  event=chat.send revision=5e0c1a22 socket=s7 ref=k3v9

Text from clients and plugs ends up in values. Whatever it holds (line breaks, escape codes of terminals, half surrogate
pairs, marks that turn the direction of writing), a line stays a line, shows what was sent, and has a bounded length.

The logger is the server's own: it shares no configuration with a plug that uses structlog or `logging` itself.
"""

import json
import logging
import math
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog

from plugsock.ops.output import printable, write_line

VALUE_LIMIT: Final = 2_048
"""Characters of a value; longer ones keep their start. What RFC 5424 asks every syslog receiver to take as a line."""

TRACEBACK_LIMIT: Final = 16_384
"""Characters of a traceback; longer ones keep both ends: where it began, and what was raised."""

LIST_LIMIT: Final = 100
"""Items of a list that JSON keeps as a list."""

Fields = MutableMapping[str, Any]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/@%+,()*~\[\]-]+")
_CHATTY: Final = ("watchfiles", "websockets")
"""Libraries that tell at info level what the server's own lines say better."""
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Logger(structlog.BoundLoggerBase):
    """What writes lines; `bind(event=..., socket=...)` makes one whose lines all carry these fields.

    Unlike structlog's own, its message is positional only, so that `event` is free to name the event of a plug.
    """

    def debug(self, message: str, /, **fields: Any) -> None:
        """Say what helps while a plug is being written; shown with `--dev`."""
        self._write("debug", message, fields)

    def info(self, message: str, /, **fields: Any) -> None:
        """Say what happened."""
        self._write("info", message, fields)

    def warning(self, message: str, /, **fields: Any) -> None:
        """Say what somebody should look at."""
        self._write("warning", message, fields)

    def error(self, message: str, /, **fields: Any) -> None:
        """Say what went wrong; `error=` with an exception adds its traceback."""
        self._write("error", message, fields)

    def exception(self, message: str, /, **fields: Any) -> None:
        """Say what went wrong, with the traceback of the exception that is being handled."""
        self._write("error", message, {"error": sys.exception(), **fields})

    def _write(self, level: str, message: str, fields: Fields) -> None:
        if _LEVELS[level] >= _output.level:
            arguments, _ = self._process_event(level, None, {"msg": message, **fields, **_output.fields})
            self._logger.write(*arguments)


class Output:
    """Where lines go, and how they look."""

    def __init__(self) -> None:
        self.level = _LEVELS["info"]
        self.render: Callable[[str, Fields], str] = as_text
        self.stream: TextIO | None = None
        self.fields: dict[str, Any] = {}

    def write(self, line: str) -> None:
        """Write a line; without a stream of its own to whatever stderr is now."""
        write_line(self.stream if self.stream is not None else sys.stderr, line)


def configure(
    format: Literal["text", "json"] = "text", *, dev: bool = False, stream: TextIO | None = None, **fields: Any
) -> None:
    """Choose how lines look and where they go, and let those of libraries come along.

    Args:
        format: `"text"` for people, `"json"` for machines.
        dev: Show debug lines too.
        stream: Where to; the process's stderr by default.
        fields: Are on every line: `worker=3`.
    """
    _output.level = _LEVELS["debug" if dev else "info"]
    _output.render = as_json if format == "json" else as_text
    _output.stream = stream
    _output.fields = fields
    logging.basicConfig(handlers=[_FromLogging()], level=logging.INFO, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(**fields: Any) -> Logger:
    """A logger whose lines all carry these fields; may be made before `configure` is called."""
    logger: Logger = structlog.wrap_logger(_output, processors=_PROCESSORS, wrapper_class=Logger).bind(**fields)
    return logger


def as_text(level: str, fields: Fields) -> str:
    """A line for people: time, level, message, `key=value`; then the traceback, indented so that it passes for no line."""
    trace = fields.pop("traceback", "")
    head = f"{fields.pop('time')} {level:<7} {printable(_cut(fields.pop('msg')))}"
    values = " ".join(f"{key}={_quoted(_text(value))}" for key, value in fields.items())
    return "\n".join([f"{head}  {values}".rstrip(), *(f"    | {printable(part)}" for part in trace.splitlines())])


def as_json(level: str, fields: Fields) -> str:
    """A line for machines; ASCII only, so that no terminal and no collector can be talked to."""
    line = {"time": fields.pop("time"), "level": level, "msg": _cut(fields.pop("msg"))}
    trace = {"traceback": fields.pop("traceback")} if "traceback" in fields else {}
    return json.dumps(line | {key: _plain(value) for key, value in fields.items()} | trace)


def _with_traceback(_logger: Any, _level: str, fields: Fields) -> Fields:
    """An exception as `error=` becomes its own line of text and, beside it, the traceback."""
    error = fields.get("error")
    if isinstance(error, BaseException):
        fields["error"] = "".join(traceback.format_exception_only(error)).strip()
        fields["traceback"] = _middle_cut("".join(traceback.format_exception(error)).rstrip("\n"))
    return fields


def _rendered(_logger: Any, level: str, fields: Fields) -> str:
    return _output.render(level, fields)


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_LIMIT else f"{text[:VALUE_LIMIT]}…(+{len(text) - VALUE_LIMIT})"


def _middle_cut(text: str) -> str:
    half = TRACEBACK_LIMIT // 2
    missing = len(text) - 2 * half
    return text if missing <= 0 else f"{text[:half]}\n…(+{missing})\n{text[-half:]}"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return _cut(text)
    return '"' + printable(_cut(text).replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _text(value: Any) -> str:
    try:
        return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    except Exception:
        # The value may be a plug's, and so is its __str__.
        return f"<{type(value).__name__} without a text>"


def _plain(value: Any) -> Any:
    """A value that JSON has, in a bounded length: what has another type becomes its text."""
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, (list, tuple)) and len(value) <= LIST_LIMIT:
        return [_cut(_text(item)) for item in value]
    return _cut(_text(value))


class _FromLogging(logging.Handler):
    """Lets what asyncio, websockets and plugs say through `logging` come out as lines of the same kind."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info and record.exc_info[1]:
            fields["error"] = record.exc_info[1]
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        _logging._write(level if level in _LEVELS else "info", _message(record), fields)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # Arguments that don't fit their message are the caller's mistake, and no reason to lose the line.
        return str(record.msg)


_PROCESSORS: Final[list[structlog.types.Processor]] = [
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    _with_traceback,
    _rendered,
]
_output: Final = Output()
_logging: Final = get_logger()
