import sys
from typing import Any

import click

from plugsock.cli import options, style, suggest


@click.command(cls=options.HelpfulCommand)
@click.argument("events", metavar="[EVENT]...", nargs=-1, shell_complete=suggest.events)
@options.format("json", "asyncapi")
@options.settings("plugs", "trust")
def schema(events: tuple[str, ...], format: str, **flags: Any) -> int:
    """Print what each event takes and answers, as JSON Schema.

    Loads the folder as a server would, without serving, and reads the signatures. With --format asyncapi it is an
    AsyncAPI 3 document. With EVENT, only these are shown.

    What is wrong with the folder goes to the standard error. The exit status is 1 if an event can't be shown.

      plugsock schema > schema.json
      plugsock schema orders.place | jq '.properties["orders.place"].properties.payload'
      plugsock schema --format asyncapi > asyncapi.json
    """
    from plugsock.cli.folder import loaded
    from plugsock.shapes import asyncapi, describe
    from plugsock.shapes import events as catalogue
    from plugsock.shapes import schema as json_schema

    settings = options.read(flags)
    with loaded(settings.plugs, trust=settings.trust) as (catalog, problems):
        shapes = catalogue.read(catalog)
        described = describe.describe(shapes.events)
    if events:
        shapes, described = catalogue.only(shapes, events), describe.only(described, events)
    if format == "json":
        style.json_document(json_schema.document(shapes, described))
    else:
        host, is_secure = f"127.0.0.1:{settings.port or 8765}", settings.tls_cert is not None
        style.json_document(asyncapi.document(shapes, described, host=host, is_secure=is_secure))
    problems = [*problems, *described.problems]
    for problem in problems:
        style.problem(problem, rich=False, file=sys.stderr)
    missing = set(events) - described.sides.keys()
    for event in sorted(missing.difference(*(problem.events for problem in problems))):
        style.fail(f"{event}: no plug in {style.near(str(settings.plugs))} answers this event")
    return 1 if missing or (problems and not events) else 0
