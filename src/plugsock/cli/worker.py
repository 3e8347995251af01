import os
from functools import partial
from typing import Any

import click

from plugsock import __version__
from plugsock.cli import admin, options
from plugsock.rpc import start
from plugsock.rpc.admin import Join, JoinAddress


@click.command(cls=options.HelpfulCommand)
@click.option("--join", metavar="ADDRESS", help="Where the server lets workers in; by default the one that runs here.")
@click.option("--nursery", is_flag=True, hidden=True)
@options.settings(*options.PLACE)
def worker(join: str | None, nursery: bool, **flags: Any) -> int:  # noqa: FBT001 - click's own way
    """Run plugs for a server here, in a process of its own.

    A server starts its workers itself: this is for one more of them, under a debugger, say, or with an environment of
    its own. It gets its share of the calls as soon as it serves what the others serve, and ends with the server.

      plugsock worker
      python -m pdb -m plugsock worker
    """
    from plugsock.worker import lifeline, main, stdio
    from plugsock.worker import nursery as nurseries

    run = partial(main.run, version=__version__)
    if nursery:
        return nurseries.serve(run)
    lifeline.hold_if_given()
    key = os.environ.pop(start.KEY, "")  # plugs need not know it
    if join is None:
        join, key = _here(flags)
    status = run(join, key)
    stdio.flush()
    os._exit(status)  # whatever plugs have started and left behind


def _here(flags: dict[str, Any]) -> tuple[str, str]:
    """Where the server that runs here lets workers in, and the key that it takes."""
    reply = admin.ask(admin.find(options.read(flags), flags), Join())
    assert isinstance(reply, JoinAddress)
    return reply.address, reply.key
