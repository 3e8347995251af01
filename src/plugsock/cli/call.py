import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click
import msgspec

from plugsock.cli import admin, options, style, suggest
from plugsock.errors import Error
from plugsock.model import Raw
from plugsock.ops.output import printable


@click.command(cls=options.HelpfulCommand)
@click.argument("event", shell_complete=suggest.events)
@click.argument("payload", metavar="[JSON]", default="")
@click.option("--url", envvar="PLUGSOCK_URL", metavar="URL", help="The server.  [default: the one that runs here]")
@click.option(
    "--token", envvar="PLUGSOCK_TOKEN", metavar="TOKEN", help="Who you are; PLUGSOCK_TOKEN keeps it out of `ps`."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.001, 86_400),
    metavar="SECONDS",
    help="Give up after so long, on each item of a stream.",
)
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE)
def call(event: str, payload: str, format: str, color: style.Color, **flags: Any) -> int:
    """Call EVENT and print the answer.

    JSON is an object of the plug's parameters; `-` reads it from the standard input. The answer is printed as JSON; of
    a stream, each item on a line of its own. An error goes to the standard error as `code: message`, or as JSON with
    --format json, and the exit status is 1.

      plugsock call greet '{"name": "Ada"}'
      plugsock call clock.ticks
      plugsock call orders.place - < order.json
      plugsock call greet --url wss://example.org
    """
    from plugsock.cli.talk import talk  # what completes event names does without a client

    arguments = _arguments(payload)
    url = flags["url"] or _url(flags)
    try:
        asyncio.run(talk(url, flags["token"], event, arguments, flags["timeout_s"], rich=style.has_colors(color)))
    except Error as error:
        print(_as_json(error) if format == "json" else _as_text(error), file=sys.stderr)
        return 1
    return 0


def _arguments(payload: str) -> Raw | None:
    text = sys.stdin.read() if payload == "-" else payload
    if not text.strip():
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as wrong:
        raise click.UsageError(f"this is no JSON: {wrong}") from wrong
    return Raw(text.encode())


def _url(flags: Mapping[str, Any]) -> str:
    settings = options.read(flags)
    with suppress(admin.NoServer):
        return admin.find(settings, flags).url
    scheme = "wss" if settings.tls_cert else "ws"
    return f"{scheme}://127.0.0.1:{settings.port or 8765}"


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
