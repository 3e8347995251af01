import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugsock.cli import options, saving, style
from plugsock.errors import PlugsockError
from plugsock.model import Problem

if TYPE_CHECKING:
    from plugsock.loader.catalog import Catalog


@click.command(cls=options.HelpfulCommand)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write FILE instead of printing; it is touched only if that changes it.",
)
@click.option(
    "--lang",
    type=click.Choice(("typescript", "python")),
    default="typescript",
    help="In which language.",
    show_default=True,
)
@click.option("--watch", is_flag=True, help="Keep FILE current while plugs change.")
@options.settings("plugs", "trust", "poll")
def types(folder: Path | None, output: Path | None, lang: str, *, watch: bool, **flags: Any) -> int:
    """Print the types of all events, as TypeScript or Python.

    Loads the folder as a server would, without serving, and reads the signatures. DIR is the folder of plugs, by default
    the one of the settings. A client that is typed by `Plugs` knows every event: a wrong name or field is an error of
    the compiler. With --lang python it is a module with such a `Plugs` for Python's client, which a type checker knows.

    What is wrong with the folder goes to the standard error, and the exit status is 1. FILE is then left as it is; with
    --watch, a plug that does not load any more is in it as it was before.

      plugsock types > types.d.ts
      plugsock types --output web/src/types.d.ts --watch
      plugsock types --lang python --output plugs_client.py
    """
    from plugsock.cli.folder import loaded

    settings = options.read(flags, folder)
    if watch:
        if output is None:
            raise click.UsageError("--watch keeps a file current: say which by --output FILE")
        return _watch(settings.plugs, output, lang, trust=settings.trust, poll=settings.poll)
    with loaded(settings.plugs, trust=settings.trust) as (catalog, problems):
        text = _text(catalog, lang)
    _say(problems)
    if output is None:
        print(text, end="")
    elif not problems:
        _write(output, text)
    return 1 if problems else 0


def _text(catalog: "Catalog", lang: str) -> str:
    from plugsock.shapes import events, python, typescript

    shapes = events.read(catalog)
    return python.module(shapes) if lang == "python" else typescript.declarations(shapes)


def _watch(plugs: Path, output: Path, lang: str, *, trust: bool, poll: bool) -> int:
    from plugsock.cli.folder import opened
    from plugsock.cli.following import follow

    kept = _Kept(output, lang)
    with opened(plugs, trust=trust) as loader, suppress(KeyboardInterrupt):
        asyncio.run(follow(loader, kept.looked, poll=poll))
    return 0


class _Kept:
    """A file that is as the plugs are."""

    def __init__(self, output: Path, lang: str) -> None:
        self._output = output
        self._lang = lang
        self._was_whole = False
        self._problems: list[Problem] = []

    def looked(self, catalog: "Catalog", problems: list[Problem]) -> None:
        """Write it, unless something has never been loaded that may have been in it."""
        if problems != self._problems:
            self._problems = problems
            _say(problems)
        self._was_whole = self._was_whole or not problems
        if self._was_whole:
            _write(self._output, _text(catalog, self._lang))


def _say(problems: list[Problem]) -> None:
    for problem in problems:
        style.problem(problem, rich=False, file=sys.stderr)


def _write(output: Path, text: str) -> None:
    """Write a file at once, if it is not the same already, and say so.

    Raises:
        PlugsockError: It can't be written.
    """
    try:
        if output.exists() and output.read_bytes() == text.encode():
            return
        saving.replace(output, text)
    except OSError as wrong:
        raise PlugsockError(f"{wrong.filename or output}: {wrong.strerror}") from wrong
    print(f"wrote  {style.near(str(output))}", flush=True)
