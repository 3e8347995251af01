import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import click

from plugsock.cli import asking, options, style, suggest
from plugsock.errors import Error
from plugsock.model import Raw


@click.command(cls=options.HelpfulCommand)
@click.argument("view", shell_complete=suggest.views)
@click.argument("payload", metavar="[JSON]", default="")
@asking.whom
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many values.")
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE)
def watch(view: str, payload: str, format: str, color: style.Color, **flags: Any) -> int:
    """Watch VIEW and print its value, and each newer one.

    JSON is an object of the view's parameters; `-` reads it from the standard input. Each value is printed as JSON on a
    line of its own, at once, until Ctrl-C. While a run of the view fails, that is said on the standard error as
    `code: message`, or as JSON with --format json, and the next value is waited for. So it is when the connection goes:
    the server is tried again until it is there. If the view ends, by a revoke say, the reason is said there too, and the
    exit status is 1.

      plugsock watch orders.summary '{"day": "2026-11-23"}'
      plugsock watch orders.summary --count 1
      plugsock watch orders.summary | jq .total
    """
    arguments = asking.arguments(payload)
    url = asking.url(flags)
    failed = partial(asking.print_error, format=format)
    rich = style.has_colors(color)
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(_follow(url, flags["token"], view, arguments, flags["count"], rich=rich, failed=failed))
        except Error as error:
            failed(error)
            return 1
    return 0


async def _follow(
    url: str,
    token: str | None,
    event: str,
    arguments: Raw | None,
    count: int | None,
    *,
    rich: bool,
    failed: Callable[[Error], None],
) -> None:
    """Print values until there are enough."""
    from plugsock.cli.talk import next_of, patiently, reaching  # what completes event names does without a client

    def moved(state: str, why: Any) -> None:
        if state == "waiting":
            reason = " ".join(str(part) for part in (why.code, why.reason) if part)
            failed(Error("disconnected", f"The next try is in {why.retry_s:.1f} s ({reason})."))
        elif state == "open":
            failed(Error("connected", "The server is there again."))

    async with (
        reaching(url, token, comes_back=True) as socket,
        socket.view(event, arguments, type=Raw) as view,
    ):

        def changed(_value: Raw | None, status: str) -> None:
            if status == "error" and isinstance(view.error, Error) and not view.is_over:
                failed(view.error)

        view.subscribe(changed)
        socket.on_state(moved)
        printed = 0
        while printed != count and (value := await patiently(socket, next_of(view))) is not None:
            style.json_line(value.decode("utf-8", "replace"), rich=rich)
            printed += 1
