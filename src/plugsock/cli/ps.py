from typing import Any

import click

from plugsock.cli import admin, options, style
from plugsock.rpc.admin import Processes, Ps, WorkerRow
from plugsock.settings import MIB

HEADER = (
    *("worker", "set", "pid", "state", "share", "calls", "places"),
    *("lost", "revision", "lag", "memory", "restarts"),
)


@click.command(cls=options.HelpfulCommand)
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE)
def ps(format: str, color: style.Color, **flags: Any) -> int:
    """Show the workers of the server that runs here.

    Of each its process and state, its share of all calls since the start, the calls in flight, its places (async
    calls + threads), the threads that are lost to plugs which do not return, the revision of its catalogue, how late
    its event loop was last, its memory, and how often it was replaced. In a pipe the columns are separated by tabs.

      plugsock ps
      plugsock ps --format json | jq '.[] | select(.state != "ready")'
    """
    reply = admin.ask(admin.find(options.read(flags), flags), Ps())
    assert isinstance(reply, Processes)
    if format == "json":
        style.json_document(reply.workers)
    else:
        style.rows(HEADER, map(_row, reply.workers), color, only_wide=("lost", "restarts"))
    return 0


def _row(worker: WorkerRow) -> tuple[str, ...]:
    return (
        str(worker.number),
        worker.set or "-",
        str(worker.pid),
        worker.state,
        f"{worker.share:.0%}",
        str(worker.calls),
        f"{worker.places}+{worker.threads}",
        str(worker.lost_threads),
        worker.revision or "-",
        f"{worker.lag_s * 1000:.1f} ms",
        f"{worker.memory / MIB:.0f} MiB",
        str(worker.restarts),
    )
