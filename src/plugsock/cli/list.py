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
    overridden: list[str] = []
    """Events of the folder that a default plug would answer if the folder did not."""


@click.command(name="list", cls=options.HelpfulCommand)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE, "trust")
def list_(folder: Path | None, format: str, color: style.Color, **flags: Any) -> int:
    """List every event.

    Shows its revision, kind and shape, where it comes from, and what its docstring says. Asks the server that runs
    here; where none does, or with DIR, loads the folder itself. What begins with @ no client can call: it is run when
    something happens, or is a rule for topics.

    What has no body yet is a `shape`. An event whose file no longer loads serves its last good revision and is `stale`; one that has killed workers again
    and again is `quarantined`, until its file changes. Why goes to the standard error. In a pipe the columns are
    separated by tabs; on a narrow terminal the docstrings are left out.

    It comes from the folder or is embedded: a default plug. What the folder overrides is said as `folder over embedded`;
    without that file the default plug would answer again.

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
            return _with_overridden(reply.events, reply.problems)
    from plugsock.cli.folder import look_at  # a server was asked faster than the loader is imported

    return _with_overridden(*look_at(settings.plugs, trust=settings.trust))


def _with_overridden(events: list[Announcement], problems: list[Problem]) -> Found:
    from plugsock.cli.defaults import overridden

    return Found(events, problems, overridden(events))


def _print(found: Found, color: style.Color) -> None:
    states = _states(found.problems)
    style.rows(
        HEADER,
        (_row(each, states, is_over=each.event in found.overridden) for each in found.events),
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


def _row(each: Announcement, states: dict[str, str], *, is_over: bool) -> tuple[str, ...]:
    shape = f"{each.input} -> {each.output}" if each.output else each.input
    origin = f"{each.origin} over embedded" if is_over else each.origin
    state = states.get(each.event, "shape" if each.is_shape else "ok")
    return each.event, each.revision, each.kind, shape, origin, state, _about(each)


def _about(each: Announcement) -> str:
    if each.topic is None:
        return each.doc
    needed = " and ".join(" or ".join(any_of) for any_of in each.requires)
    return f"Clients who have {needed} may join." if needed else "Clients may join."
