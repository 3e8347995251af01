import ast
import keyword
import os
import shlex
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from plugsock.cli import options, saving
from plugsock.errors import PlugsockError
from plugsock.settings import Settings

PLUG = '''@plug
async def {function}(name: str = "world") -> str:
    """Say hello, until somebody writes what {event} is about."""
    return f"Hello, {{name}}!"
'''

VIEW = '''@view(on="{event}")
async def {function}(name: str = "world") -> str:
    """Say hello, until somebody writes what {event} is about.

    It runs again after `server.changed("{event}")`.
    """
    return f"Hello, {{name}}!"
'''

TEMPLATES: Final = {"plug": PLUG, "view": VIEW}

TEST = '''"""{event}, called as a client would, without a network."""

import asyncio
from pathlib import Path

from plugsock.testing import client

PLUGS = Path(__file__).parent.parent / "{folder}"


def test_{function}_says_hello() -> None:
    async def conversation() -> None:
        async with client(PLUGS) as c:
            assert await c.{verb}("{event}", {{"name": "Ada"}}) == "Hello, Ada!"

    asyncio.run(conversation())
'''


class Place(Struct, frozen=True):
    """Where the function that answers an event stands."""

    event: str
    file: Path
    function: str


@click.group(cls=options.GroupWithExamples)
def add() -> None:
    """Write something new into the folder.

    Small, typed and working, to be changed at once.

      plugsock add plug greet
      plugsock add plug chat.send --plugs functions
      plugsock add view chat.summary
    """


@add.command(cls=options.HelpfulCommand)
@click.argument("event", metavar="NAME")
@options.settings("plugs")
def plug(event: str, **flags: Any) -> int:
    """Write a plug and a test for it.

    It answers the event NAME; the test goes into `tests` beside the folder. A name is file and function in dots:
    chat.send is `send` in plugs/chat.py. A file that is there already is added to; nothing is ever overwritten.

      plugsock add plug greet
      plugsock add plug chat.send
    """
    return _add(event, "plug", "call", flags)


@add.command(cls=options.HelpfulCommand)
@click.argument("event", metavar="NAME")
@options.settings("plugs")
def view(event: str, **flags: Any) -> int:
    """Write a view and a test for it.

    What it returns is kept current for all who watch it. It is named, and goes, as with `plugsock add plug`.

      plugsock add view summary
      plugsock add view chat.summary
    """
    return _add(event, "view", "watch", flags)


def _add(event: str, mark: str, verb: str, flags: dict[str, Any]) -> int:
    """Write it, and say which command tries it out."""
    settings = options.read(flags)
    try:
        place = place_of(event, settings.plugs)
        written = [_write(place, mark), _write_test(place, mark, settings)]
    except OSError as wrong:
        raise PlugsockError(f"{wrong.filename or settings.plugs}: {wrong.strerror}") from wrong
    named = f" --plugs {shlex.quote(flags['plugs'])}" if flags["plugs"] else ""
    for line in written:
        print(line)
    print(f"next:   {f'plugsock{named}':<44} (serves it; each save is swapped in)")
    print(f"""        plugsock {verb} {event} '{{"name": "Ada"}}'{named}""")
    return 0


def place_of(event: str, plugs: Path) -> Place:
    """Where an event's function goes: `chat.send` into chat.py, or into chat/send.py where chat is a folder.

    Raises:
        UsageError: It can't be the name of an event.
        PlugsockError: A file stands where a folder would be needed, or has the name in other capitals.
    """
    *folders, function = parts = event.split(".")
    for part in parts:
        if why := _refusal(part):
            raise click.UsageError(f"{event!r} can't be the name of an event: {why}")
    stem = plugs.joinpath(*(folders or parts))
    if folders and stem.is_dir():
        stem = stem / function
    for parent in stem.relative_to(plugs).parents:
        if parent.name and (blocking := plugs / parent.with_suffix(".py")).exists():
            raise PlugsockError(f"{blocking} is a file, and {event} needs a folder of that name; choose another name")
    saving.refuse_other_capitals(stem, plugs)
    return Place(event, stem.with_suffix(".py"), function)


def _refusal(part: str) -> str:
    """Why a part of a name can't be one; empty if it can."""
    if not part:
        return "there is nothing before, after or between the dots"
    if not part.isidentifier() or not part.isascii():
        return "only letters, digits and _ make a name in Python, and no digit begins it"
    if keyword.iskeyword(part):
        return f"Python has {part} for a word of its own"
    if part.startswith("_"):
        return "what begins with _ is private to the folder"
    if part.startswith("test_") or part.endswith("_test") or part in {"conftest", "node_modules", "venv"}:
        return f"files and folders called {part} are never loaded as plugs"
    return ""


def _write(place: Place, mark: str) -> str:
    text = _text(place.file)
    names = _top_level_names(place.file, text)
    if place.function in names:
        raise PlugsockError(f"{place.file} has a {place.function} already; change it there")
    parts = [text.rstrip(), "" if mark in names else f"from plugsock import {mark}"]
    code = TEMPLATES[mark].format(function=place.function, event=place.event)
    saving.replace(place.file, "\n\n\n".join([*filter(None, parts), code]))
    return f"{'added to' if text else 'wrote'}  {place.file}"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as wrong:
        raise PlugsockError(f"{file}: this file is not UTF-8 text; mend it first") from wrong


def _top_level_names(file: Path, text: str) -> set[str]:
    """What a file defines or imports under which names."""
    try:
        body = ast.parse(text).body
    except SyntaxError as wrong:
        raise PlugsockError(f"{file}:{wrong.lineno}: this file has an error ({wrong.msg}); mend it first") from wrong
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    imports = (alias for node in body if isinstance(node, ast.ImportFrom | ast.Import) for alias in node.names)
    return names | {alias.asname or alias.name for alias in imports}


def _write_test(place: Place, mark: str, settings: Settings) -> str:
    file = settings.plugs.parent / "tests" / f"test_{place.event.replace('.', '_')}.py"
    if file.exists():
        return f"kept   {file}"
    verb = "view" if mark == "view" else "call"
    test = TEST.format(event=place.event, function=place.function, folder=settings.plugs.name, verb=verb)
    saving.replace(file, test)
    return f"wrote  {file}  (python -m pytest {os.path.relpath(file)})"
