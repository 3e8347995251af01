from typing import Any

import click

from plugsock.cli import admin, options, style, users
from plugsock.ops.output import printable
from plugsock.rpc.admin import Revoke, Revoked


@click.command(cls=options.HelpfulCommand)
@users.user
@users.permission
@options.format("text", "json")
@options.settings(*options.PLACE)
def revoke(user: str, permission: str, format: str, **flags: Any) -> int:
    """Deny USER PERMISSION from now on.

    When it answers, nothing that needs PERMISSION is sent to USER any more: calls and streams that do have ended. The
    denial is kept, whatever tokens say, until the same PERMISSION is granted. A PERMISSION that ends in `.*` or `:*` is
    all that begin so, and `*` is everything.

      plugsock revoke ada orders.delete
      plugsock revoke ada 'orders.*'
    """
    reply = admin.ask(admin.find(options.read(flags), flags), Revoke(user=user, permission=permission))
    assert isinstance(reply, Revoked)
    if format == "json":
        style.json_document(reply.reach)
    else:
        print(printable(f"revoked  {user}  {permission}  ({users.reached(reply.reach)})"))
    return 0
