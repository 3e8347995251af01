from typing import Any

import click

from plugsock.cli import admin, options, style, users
from plugsock.ops.output import counted, printable
from plugsock.rpc.admin import Kick, Kicked


@click.command(cls=options.HelpfulCommand)
@users.user
@click.option(
    "--code",
    type=click.IntRange(4000, 4999),
    default=4502,
    show_default=True,
    metavar="N",
    help="The close code: below 4500 the client comes back by itself.",
)
@click.option("--reason", default="", metavar="TEXT", help="What the client is told.")
@options.format("text", "json")
@options.settings(*options.PLACE)
def kick(user: str, code: int, reason: str, format: str, **flags: Any) -> int:
    """Close all sockets that USER has now.

    Nothing keeps USER from connecting again with a token that is good: that is up to the authenticator. What USER may
    do is for `plugsock revoke`.

      plugsock kick ada --reason 'maintenance' --code 4000
    """
    request = Kick(user=user, code=code, reason=reason)
    reply = admin.ask(admin.find(options.read(flags), flags), request)
    assert isinstance(reply, Kicked)
    if format == "json":
        style.json_document({"sockets": reply.sockets})
    else:
        print(printable(f"kicked  {user}  ({counted(reply.sockets, 'socket')})"))
    return 0
