from typing import Any

import click
from msgspec import structs

from plugsock.cli import admin, options, style, users
from plugsock.ops.output import counted, printable
from plugsock.rpc.admin import Grant, Granted


@click.command(cls=options.HelpfulCommand)
@users.user
@users.permission
@options.format("text", "json")
@options.settings(*options.PLACE)
def grant(user: str, permission: str, format: str, **flags: Any) -> int:
    """Let USER have PERMISSION from now on.

    A PERMISSION that ends in `.*` or `:*` is all that begin so, and `*` is everything. It is in force at once and kept,
    whatever tokens say, until `plugsock revoke` takes it away; it takes back a denial of exactly the same. What another
    denial covers stays denied, and is said.

      plugsock grant ada orders.read
      plugsock grant ada 'reports.read:*'
    """
    reply = admin.ask(admin.find(options.read(flags), flags), Grant(user=user, permission=permission))
    assert isinstance(reply, Granted)
    if format == "json":
        style.json_document({**structs.asdict(reply.reach), "standing": reply.standing})
        return 0
    print(printable(f"granted  {user}  {permission}  ({counted(reply.reach.sockets, 'socket')})"))
    for denied in reply.standing:
        undo = users.command("grant", user, denied)
        print(printable(f"still denied: {denied}, which wins over what is granted; {undo} takes that back"))
    return 0
