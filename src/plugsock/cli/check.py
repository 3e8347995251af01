from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from plugsock.cli import options, style
from plugsock.cli.config import FILE
from plugsock.model import Problem
from plugsock.settings import Settings


@click.command(cls=options.HelpfulCommand)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also report what breaks clients that were built for FILE, which `plugsock schema` has written.",
)
@click.option("--run-examples", is_flag=True, help="Run all functions on their examples, not only idempotent ones.")
@options.format("text", "json", "github")
@options.color
@options.settings("plugs", "data", "trust")
def check(
    folder: Path | None, against: Path | None, format: str, color: style.Color, *, run_examples: bool, **flags: Any
) -> int:
    """Report what is wrong with a folder of plugs.

    Loads it as a server would, without serving, and prints `file:line: message`. DIR is the folder of plugs, by default
    the one of the settings. The exit status is 1 if there is any problem.

    What loads has to have one shape: no `Any`, no bare `list`, no fields that nobody knows of. A message about that ends
    in the name of a rule, as in [any]. A rule is switched off by a comment, `# plugsock: allow any`, or for the whole
    folder in plugsock.toml: `allow = ["any"]` below `[check]`. Views and functions that are idempotent are run on their
    examples, to see whether what they return fits.

    With --format github the problems show up beside the lines of a pull request.

      plugsock check && git push
      plugsock check --against types.lock
      plugsock check --format github
    """
    settings = options.read(flags, folder)
    flags = flags if folder is None else {**flags, "plugs": str(folder)}
    count, problems, note = _looked(settings, against, flags, run_examples=run_examples)
    if format == "json":
        style.json_document(problems)
    for problem in problems:
        if format == "text":
            style.problem(problem, rich=style.has_colors(color))
        elif format == "github":
            print(as_github(problem))
    if format == "text" and not problems:
        print(f"no problems, {count} {'event' if count == 1 else 'events'}")
    if format == "text" and note:
        print(note)
    return 1 if problems else 0


def _looked(
    settings: Settings, against: Path | None, flags: Mapping[str, Any], *, run_examples: bool
) -> tuple[int, list[Problem], str]:
    """The number of the folder's own events, what is wrong, and what else there is to say."""
    from plugsock.checks.checker import Checker
    from plugsock.checks.returns import wrong_returns
    from plugsock.checks.rules import WRONG_RETURN, named
    from plugsock.cli import checking
    from plugsock.cli.folder import loaded

    choice, problems = checking.choice(settings.plugs.parent / FILE)
    locked, note = None if against is None else checking.lock(against), ""
    with loaded(settings.plugs, trust=settings.trust) as (catalog, unloaded):
        checker = Checker(catalog, choice)
        problems += [*map(named, unloaded), *checker.problems()]
        if choice.is_on(WRONG_RETURN):
            problems += checker.counting(WRONG_RETURN, wrong_returns(checker.plugs, run_all=run_examples))
        if locked is not None:
            compared = checking.Against(catalog, locked, is_whole=not unloaded)
            breaks = compared.breaks(checker)
            problems += breaks
            clients = checking.connected(settings, flags, locked.shapes) if breaks or compared.is_other else None
            if clients and breaks:
                problems.append(compared.concerned(clients))
            elif clients:
                note = f"connected clients that were built for {locked.file}: {clients}; nothing of it breaks them"
        events = [plug.announcement for plug in catalog.values()]
    count = sum(each.origin == "folder" and not each.is_hidden for each in events)
    return count, list(checking.shown(problems)), note


def as_github(problem: Problem) -> str:
    """A problem as a workflow command of GitHub Actions, whose values have an escape of their own."""
    file = _escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},line={problem.line or 1}::{_escaped(problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
