import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from plugsock.cli import options, style
from plugsock.errors import PlugsockError, SettingsError
from plugsock.model import Problem
from plugsock.ops.output import printable
from plugsock.settings import Settings

if TYPE_CHECKING:
    from plugsock.needs.library import Library
    from plugsock.needs.metadata import Dependency
    from plugsock.needs.pip import Pip

TERMINATED: Final = 143
"""What shells report for a program that SIGTERM ended: 128 + 15."""

F = TypeVar("F", bound=Callable[..., Any])

WHERE: Final = ("index_url", "extra_index_url", "find_links")
"""pip's options that take a value and may be repeated."""


def from_where(function: F) -> F:
    """Put pip's options on a command that say where packages come from; it takes them as keywords."""
    no_index = click.option("--no-index", is_flag=True, help="Ask no index, only --find-links.")
    find_links = click.option("--find-links", multiple=True, metavar="PLACE", help="Look here for wheels, too.")
    extra = click.option("--extra-index-url", multiple=True, metavar="URL", help="Another index beside that one.")
    index = click.option("--index-url", multiple=True, metavar="URL", help="The index, instead of PyPI.")
    return index(extra(find_links(no_index(function))))


@click.group(name="pip", cls=options.GroupWithExamples)
def group() -> None:
    """Install packages for plugs to import.

    Into the folder `site-packages` of the plugs, wheels only; a server that runs replaces its workers once pip has
    ended. pip's own variables and files count, too.

      plugsock pip install orjson
      plugsock pip sync
    """


@group.command(cls=options.HelpfulCommand)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--upgrade", is_flag=True, help="Install the newest version, though another one is there.")
@from_where
@options.settings(*options.PLACE, "trust")
def install(names: tuple[str, ...], *, upgrade: bool, **flags: Any) -> int:
    """Install packages, and what they need.

    NAME is what pip takes: a name, with a version perhaps, or a wheel. What is there already is left alone. Nothing
    changes if one of them can't be had.

      plugsock pip install orjson
      plugsock pip install 'pillow>=11' --index-url https://pypi.example.org/simple
    """
    library = _library(options.read(flags))
    with _pip(library, flags) as pip:
        _install(names, library, pip, upgrade=upgrade)
    return 0


@group.command(cls=options.HelpfulCommand)
@from_where
@options.settings(*options.PLACE, "trust")
def sync(**flags: Any) -> int:
    """Install what the plugs say they need.

    A plug says so in its inline script metadata, as the standard has it:

      # /// script
      # dependencies = ["orjson>=3", "humanize"]
      # ///

    Prints what of it is there, and installs the rest. The exit status is 1 if something is missing in the end.
    """
    settings = options.read(flags)
    library = _library(settings)
    wanted, problems = _wanted(settings)
    for problem in problems:
        style.problem(problem, rich=False, file=sys.stderr)
    if not wanted and not problems:
        print(f"no plug in {style.near(str(settings.plugs))} says what it needs")
    if _missing(wanted, library, say=print):
        with _pip(library, flags) as pip:
            _meet(wanted, library, pip)
        if missing := _missing(wanted, library):
            raise PlugsockError(f"still missing: {', '.join(dict.fromkeys(missing))}")
    return 1 if problems else 0


@group.command(name="list", cls=options.HelpfulCommand)
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE, "trust")
def list_(format: str, color: style.Color, **flags: Any) -> int:
    """List what is installed for the plugs.

    What the executable or the environment brings along is not in the list, though plugs can import it.

      plugsock pip list
    """
    found = sorted(_library(options.read(flags)).packages().values(), key=lambda each: each.name.casefold())
    if format == "json":
        style.json_document(found)
    else:
        style.rows(("package", "version"), ((each.name, each.version) for each in found), color)
    return 0


def _library(settings: Settings) -> "Library":
    """The site-packages of a folder, if nobody else can write to it."""
    from plugsock.loader.trust import Guard, Untrusted
    from plugsock.needs.library import Library

    if not settings.plugs.is_dir():
        raise SettingsError(f"{settings.plugs}: there is no such folder of plugs")
    library = Library(settings.plugs)
    try:
        for path in (settings.plugs, library.path):
            if path.exists():
                Guard(is_off=settings.trust).check(str(path))
    except Untrusted as wrong:
        raise PlugsockError(f"{path}: nothing is installed there: {wrong}") from wrong
    return library


def _wanted(settings: Settings) -> tuple[list[tuple[str, "Dependency"]], list[Problem]]:
    """What the plugs say they need, each with its file, and what is wrong with saying so."""
    from plugsock.loader.disk import Disk
    from plugsock.loader.source import Folder
    from plugsock.needs.metadata import Malformed, read

    folder = Folder(settings.plugs, is_trusted=settings.trust)
    contents = Disk([folder], lambda _source: ()).contents(time.monotonic())
    wanted, problems = [], list(contents.problems)
    for _, source in sorted(contents.sources.items()):
        try:
            wanted += [(source.file, each) for each in read(source.text()).dependencies]
        except Malformed as wrong:
            problems.append(source.problem(wrong.line, str(wrong)))
    return wanted, problems


def _missing(
    wanted: Sequence[tuple[str, "Dependency"]], library: "Library", say: Callable[[str], None] = lambda _line: None
) -> list[str]:
    """The requirements that are not met; `say` gets a line for each of all."""
    from plugsock.needs.installed import Installed

    installed = Installed([*sys.path, str(library.path)])
    missing = []
    for file, each in wanted:
        lack = installed.lacks(each.requirement)
        say(printable(f"{style.near(file)}:{each.line}: {each.text}{f', {lack}' if lack else ' is there'}"))
        if lack:
            missing.append(each.text)
    return missing


def _meet(wanted: Sequence[tuple[str, "Dependency"]], library: "Library", pip: "Pip") -> None:
    """Install all of it, and not what is missing alone: what one plug needs must not take away what another one needs.

    If that can't be, the files are tried one after the other, so that one of them does not stand in the way of others.
    """
    missing = set(_missing(wanted, library))
    met = [(file, each) for file, each in wanted if each.text not in missing]
    lacking = list(dict.fromkeys(file for file, each in wanted if each.text in missing))
    try:
        _install(_texts(wanted), library, pip)
    except PlugsockError as wrong:
        style.fail(str(wrong))
        for file in lacking if len(lacking) > 1 else ():
            own = [(other, each) for other, each in wanted if other == file]
            try:
                _install(_texts([*met, *own]), library, pip)
                met += own
            except PlugsockError as wrong_alone:
                style.fail(f"{style.near(file)}: {wrong_alone}")


def _texts(wanted: Sequence[tuple[str, "Dependency"]]) -> list[str]:
    return list(dict.fromkeys(each.text for _, each in wanted))


@contextlib.contextmanager
def _pip(library: "Library", flags: Mapping[str, Any]) -> Iterator["Pip"]:
    """Offer pip for a library that nobody else changes meanwhile."""
    from plugsock.frozen import executable
    from plugsock.frozen.libraries import BUNDLED
    from plugsock.needs.pip import Pip, find
    from plugsock.worker.lifeline import hold_if_given

    before = find(BUNDLED)
    said = [f"--{name.replace('_', '-')}={value}" for name in WHERE for value in flags[name]]
    where = [*said, *(["--no-index"] if flags["no_index"] else [])]
    hold_if_given()
    signal.signal(signal.SIGTERM, _terminated)
    start, environ, is_quiet = [sys.executable, "-P"], executable.environment(), not sys.stdout.isatty()
    with contextlib.ExitStack() as stack:
        with _explained(library):
            lock = stack.enter_context(library.locked(_say_that_it_waits))
        yield Pip(start, environ, before, library.path, where, lock=lock, is_quiet=is_quiet)


def _say_that_it_waits() -> None:
    print("another pip is at work on this folder, its end is waited for", flush=True)


@contextlib.contextmanager
def _explained(library: "Library") -> Iterator[None]:
    """Say in a sentence what the system refuses."""
    try:
        yield
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise PlugsockError(f"{wrong.filename or library.path}: {reason}; nothing has changed") from wrong


def _install(texts: Sequence[str], library: "Library", pip: "Pip", *, upgrade: bool = False) -> None:
    """Install, and say what has come of it."""
    from plugsock.frozen.libraries import BUNDLED
    from plugsock.needs.install import install

    print(printable(f"pip looks for {', '.join(texts)}"), flush=True)
    with _explained(library):
        found = install(texts, library, pip, beside=sys.path, bundled=BUNDLED, upgrade=upgrade)
    for each in found:
        print(printable(f"installed {each.name} {each.version}"))
    print(f"into {style.near(str(library.path))}" if found else "all of it is there already", flush=True)


def _terminated(_number: int, _frame: FrameType | None) -> None:
    """End as after Ctrl-C: what is half done is undone on the way."""
    raise SystemExit(TERMINATED)
