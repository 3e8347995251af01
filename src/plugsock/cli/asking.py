"""What the commands share that ask a server for something as any client does."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import click
import msgspec

from plugsock.cli import admin, options
from plugsock.errors import Error
from plugsock.model import Raw
from plugsock.ops.output import printable

F = TypeVar("F", bound=Callable[..., Any])


def whom(function: F) -> F:
    """Let a command be told which server to ask, and as whom: `url` and `token`."""
    token = click.option(
        "--token", envvar="PLUGSOCK_TOKEN", metavar="TOKEN", help="Who you are; PLUGSOCK_TOKEN keeps it out of `ps`."
    )
    server = click.option(
        "--url", envvar="PLUGSOCK_URL", metavar="URL", help="The server.  [default: the one that runs here]"
    )
    return server(token(function))


def arguments(payload: str) -> Raw | None:
    """What stood on the command line as JSON; `-` is what comes from the standard input, nothing is no arguments.

    Raises:
        UsageError: It is no JSON.
    """
    text = sys.stdin.read() if payload == "-" else payload
    if not text.strip():
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as wrong:
        raise click.UsageError(f"this is no JSON: {wrong}") from wrong
    return Raw(text.encode())


def url(flags: Mapping[str, Any]) -> str:
    """Where the server is that somebody named, or that runs here, or that would."""
    if named := flags["url"]:
        return str(named)
    settings = options.read(flags)
    with suppress(admin.NoServer):
        return admin.find(settings, flags).url
    scheme = "wss" if settings.tls_cert else "ws"
    return f"{scheme}://127.0.0.1:{settings.port or 8765}"


def print_error(error: Error, format: str) -> None:
    """Say on stderr what a server has answered: `code: message`, or as JSON."""
    print(_as_json(error) if format == "json" else _as_text(error), file=sys.stderr, flush=True)


def _as_text(error: Error) -> str:
    where = f"{error.path}: " if error.path else ""
    is_said = not error.ref or error.ref in error.message
    reference = "" if is_said else f" (ref {error.ref})"
    return printable(f"{error.code}: {where}{error.message}{reference}")


def _as_json(error: Error) -> str:
    said = {name: getattr(error, name) for name in ("code", "message", "retry", "path", "ref", "data")}
    if error.after is not None:
        said["after_ms"] = round(error.after * 1000)
    return json.dumps({name: value for name, value in said.items() if value is not None})
