import sys
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from plugsock.cli import admin, options, style
from plugsock.model import Announcement, Problem
from plugsock.rpc.admin import QUARANTINED, List, Listing

HEADER = ("event", "revision", "kind", "shape", "from", "state", "about")


class Found(Struct, frozen=True):
    """What is served, or would be, and what is wrong."""

    events: list[Announcement]
    problems: list[Problem]


@click.command(name="list", cls=options.HelpfulCommand)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE, "trust")
def list_(folder: Path | None, format: str, color: style.Color, **flags: Any) -> int:
    """List every event.

    Shows its revision, kind and shape, where it comes from, and what its docstring says. Asks the server that runs
    here; where none does, or with DIR, loads the folder itself.

    An event whose file no longer loads serves its last good revision and is `stale`; one that has killed workers again
    and again is `quarantined`, until its file changes. Why goes to the standard error. In a pipe the columns are
    separated by tabs; on a narrow terminal the docstrings are left out.

      plugsock list
      plugsock list --format json | jq -r '.events[].event'
    """
    found = _found(folder, flags)
    if format == "json":
        style.json_document(found)
    else:
        _print(found, color)
    return 0


def _found(folder: Path | None, flags: dict[str, Any]) -> Found:
    settings = options.read(flags, folder)
    if folder is None:
        try:
            reply = admin.ask(admin.find(settings, flags), List())
        except admin.NoServer:
            pass
        else:
            assert isinstance(reply, Listing)
            return Found(reply.events, reply.problems)
    from plugsock.cli.folder import look_at  # a server was asked faster than the loader is imported

    return Found(*look_at(settings.plugs, trust=settings.trust))


def _print(found: Found, color: style.Color) -> None:
    states = _states(found.problems)
    style.rows(
        HEADER,
        (_row(each, states) for each in found.events),
        color,
        may_be_cut=("shape", "about"),
        only_wide=("about",),
    )
    for problem in found.problems:
        style.problem(problem, rich=style.has_colors(color), file=sys.stderr)


def _states(problems: list[Problem]) -> dict[str, str]:
    """The state of each event that something is wrong with."""
    states: dict[str, str] = {}
    for problem in problems:
        for event in problem.events:
            if problem.message.startswith(QUARANTINED):
                states[event] = "quarantined"
            else:
                states.setdefault(event, "stale")
    return states


def _row(each: Announcement, states: dict[str, str]) -> tuple[str, ...]:
    state = states.get(each.event, "ok")
    return each.event, each.revision, each.kind, f"{each.input} -> {each.output}", each.origin, state, each.doc
