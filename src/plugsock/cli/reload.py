from typing import Any

import click

from plugsock.cli import admin, options
from plugsock.ops.output import counted
from plugsock.rpc.admin import Reload, Reloaded


@click.command(cls=options.HelpfulCommand)
@options.settings(*options.PLACE)
def reload(**flags: Any) -> int:
    """Replace every worker of the server that runs here.

    For what a swap can't bring in: a package that was installed anew, a compiled module, a changed environment. The new
    workers start beside the old ones, which let their calls end, so no socket notices. It answers when that is done,
    within a minute.

      pip install --upgrade something && plugsock reload
    """
    reply = admin.ask(admin.find(options.read(flags), flags), Reload(), answer_s=admin.RELOAD_S)
    assert isinstance(reply, Reloaded)
    print(f"{counted(reply.workers, 'worker')} replaced")
    return 0
