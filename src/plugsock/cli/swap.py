from pathlib import Path
from typing import Any

import click
from msgspec import structs

from plugsock.cli import admin, options, style
from plugsock.ops.datadir import ServerFile
from plugsock.ops.output import counted
from plugsock.rpc.admin import List, Listing, Swap, Swapped


@click.command(cls=options.HelpfulCommand)
@click.option(
    "--allow-open", is_flag=True, help="Also do what takes away the last @authenticate, or the last `requires`."
)
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE)
def swap(*, allow_open: bool, format: str, color: style.Color, **flags: Any) -> int:
    """Have the folder looked at now.

    The running server watches the folder by itself: this is for file systems whose changes nobody is told of, and for
    scripts that wait until what they wrote is served. The exit status is 1 while the folder has problems.

    A change after which nothing would keep strangers out any more is held back until --allow-open says that it is
    meant.

      rsync -a build/ plugs/ && plugsock swap
      rm plugs/auth.py && plugsock swap --allow-open
    """
    settings = options.read(flags)
    server = admin.find(settings, flags)
    reply = admin.ask(server, Swap(allow_open=allow_open), answer_s=admin.SWAP_S)
    assert isinstance(reply, Swapped)
    if format == "json":
        style.json_document(structs.asdict(reply))
    else:
        print_reply(reply, rich=style.has_colors(color))
        if not (reply.changed or reply.gone or reply.problems):
            print(_all_is_served(server, settings.plugs))
    return 1 if reply.problems else 0


def print_reply(reply: Swapped, *, rich: bool) -> None:
    """Say for people what a look at the folder changed."""
    for event in reply.changed:
        print(f"swapped  {event}")
    for event in reply.gone:
        print(f"removed  {event}")
    for problem in reply.problems:
        style.problem(problem, rich=rich)


def _all_is_served(server: ServerFile, plugs: Path) -> str:
    """What to say where nothing changed now, since the watcher has swapped what did a moment before."""
    listing = admin.ask(server, List())
    assert isinstance(listing, Listing)
    own = sum(each.origin == "folder" and not each.is_hidden for each in listing.events)
    return f"everything in {style.near(server.plugs or str(plugs))} is served ({counted(own, 'event')})"
