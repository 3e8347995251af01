from pathlib import Path
from typing import Any

import click

from plugsock.cli import options, style
from plugsock.model import Problem


@click.command(cls=options.HelpfulCommand)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@options.format("text", "json", "github")
@options.color
@options.settings("plugs", "trust")
def check(folder: Path | None, format: str, color: style.Color, **flags: Any) -> int:
    """Report what is wrong with a folder of plugs.

    Loads it as a server would, without serving, and prints `file:line: message`. DIR is the folder of plugs, by default
    the one of the settings. The exit status is 1 if there is any problem.
    With --format github the problems show up beside the lines of a pull request.

      plugsock check && git push
      plugsock check --format github
    """
    from plugsock.cli.folder import look_at

    settings = options.read(flags, folder)
    events, problems = look_at(settings.plugs, trust=settings.trust)
    if format == "json":
        style.json_document(problems)
    for problem in problems:
        if format == "text":
            style.problem(problem, rich=style.has_colors(color))
        elif format == "github":
            print(as_github(problem))
    if format == "text" and not problems:
        own = sum(each.origin == "folder" and not each.is_hidden for each in events)
        print(f"no problems, {own} {'event' if own == 1 else 'events'}")
    return 1 if problems else 0


def as_github(problem: Problem) -> str:
    """A problem as a workflow command of GitHub Actions, whose values have an escape of their own."""
    file = _escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    return f"::error file={file},line={problem.line or 1}::{_escaped(problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
