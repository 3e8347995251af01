"""What the checker says of some files of plugs."""

from pathlib import Path

from plugsock.checks.checker import Checker
from plugsock.checks.rules import Choice
from support.folder_shapes import HEAD, loaded

FIRST = HEAD.count("\n") + 1
"""The line that a file's own text begins on."""


def problems(path: Path, *, allow=(), require=(), **files: str):
    """As `file:line` (from the text's own first line), the rule or message, and the events."""
    with loaded(path, **files) as catalog:
        found = Checker(catalog, Choice(frozenset(allow), frozenset(require))).problems()
    place = path.as_posix()
    return sorted(
        (f"{Path(each.file).as_posix().removeprefix(f'{place}/')}:{each.line - FIRST + 1}", _what(each), each.events)
        for each in found
    )


def _what(problem) -> str:
    return getattr(problem, "rule", "") or problem.message


def rules(path: Path, text: str, **options):
    """Line and rule of each report about one file."""
    return [(int(place.partition(":")[2]), rule) for place, rule, _ in problems(path, a=text, **options)]
