from typing import Any, Final

import click
from msgspec import structs

from plugsock.cli import options
from plugsock.cli.serve import start

MOCKED: Final[dict[str, Any]] = {"dev": True, "mock": ("*",), "auth": "none"}
"""What is other than with `plugsock serve`, unless somebody says so."""


@click.command(cls=options.HelpfulCommand)
@options.settings(*options.ALL)
def mock(**flags: Any) -> int:
    """Serve the folder with made-up answers.

    Every answer fits what its plug declares, and none is run: a function without a body will do. The same call gets the
    same answer, today and tomorrow. Payloads are checked as always.

    It is `plugsock serve` with other defaults: --dev, --mock '*' and --auth none. --mock says which events are made up,
    and --fault what goes wrong with these.

      plugsock mock
      plugsock mock --mock 'orders.*'                          the others run
      plugsock mock --fault latency=200ms,error=5%,drop=1%     what happens on a bad day
    """
    reading = options.reading(flags)
    mocked = {field: value for field, value in MOCKED.items() if field not in reading.sources}
    return start(structs.replace(reading.settings, **mocked), is_port_chosen="port" in reading.sources)
