import asyncio
from typing import Any

import click

from plugsock.cli import asking, options, style, suggest
from plugsock.errors import Error


@click.command(cls=options.HelpfulCommand)
@click.argument("event", shell_complete=suggest.events)
@click.argument("payload", metavar="[JSON]", default="")
@asking.whom
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

    arguments = asking.arguments(payload)
    url = asking.url(flags)
    try:
        asyncio.run(talk(url, flags["token"], event, arguments, flags["timeout_s"], rich=style.has_colors(color)))
    except Error as error:
        asking.print_error(error, format)
        return 1
    return 0
