import ast
import keyword
import os
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from plugsock.cli import options
from plugsock.errors import PlugsockError
from plugsock.settings import Settings

PLUG = '''

@plug
async def {function}(name: str = "world") -> str:
    """Say hello, until somebody writes what {event} is about."""
    return f"Hello, {{name}}!"
'''

TEST = '''"""{event}, called as a client would, without a network."""

import asyncio
from pathlib import Path

from plugsock.testing import client

PLUGS = Path(__file__).parent.parent / "{folder}"


def test_{function}_says_hello() -> None:
    async def conversation() -> None:
        async with client(PLUGS) as c:
            assert await c.call("{event}", {{"name": "Ada"}}) == "Hello, Ada!"

    asyncio.run(conversation())
'''


class Place(Struct, frozen=True):
    """Where the function that answers an event stands."""

    event: str
    file: Path
    function: str


@click.group()
def add() -> None:
    """Write something new into the folder.

    Small, typed and working, to be changed at once.
    """


@add.command(cls=options.HelpfulCommand)
@click.argument("event", metavar="NAME")
@options.settings("plugs")
def plug(event: str, **flags: Any) -> int:
    """Write a plug that answers the event NAME, and a test for it in `tests` beside the folder.

    A name is file and function in dots: chat.send is `send` in plugs/chat.py. A file that is there already is added
    to; nothing is ever overwritten.

      plugsock add plug greet
      plugsock add plug chat.send
    """
    settings = options.read(flags)
    place = place_of(event, settings.plugs)
    for line in (_write_plug(place), _write_test(place, settings)):
        print(line)
    print(f"""next:   plugsock                                     (serves it; each save is swapped in)
        plugsock call {event} '{{"name": "Ada"}}'""")
    return 0


def place_of(event: str, plugs: Path) -> Place:
    """Where an event's function goes: `chat.send` into chat.py, or into chat/send.py where chat is a folder.

    Raises:
        UsageError: It can't be the name of an event.
        PlugsockError: A file stands where a folder would be needed.
    """
    *folders, function = parts = event.split(".")
    for part in parts:
        if not part.isidentifier() or not part.isascii() or keyword.iskeyword(part) or _is_skipped(part):
            raise click.UsageError(
                f"{event!r} can't be the name of an event: {part!r} can't be a public Python name here"
            )
    stem = plugs.joinpath(*(folders or parts))
    if folders and stem.is_dir():
        stem = stem / function
    for parent in stem.relative_to(plugs).parents:
        if parent.name and (blocking := plugs / parent.with_suffix(".py")).exists():
            raise PlugsockError(f"{blocking} is a file, and {event} needs a folder of that name; choose another name")
    return Place(event, stem.with_suffix(".py"), function)


def _is_skipped(part: str) -> bool:
    """Files of these names are never loaded as plugs."""
    never = {"conftest", "node_modules", "venv"}
    return part.startswith(("_", "test_")) or part.endswith("_test") or part in never


def _write_plug(place: Place) -> str:
    text = place.file.read_text(encoding="utf-8") if place.file.exists() else ""
    names = _top_level_names(place.file, text)
    if place.function in names:
        raise PlugsockError(f"{place.file} has a {place.function} already; change it there")
    imported = "" if "plug" in names else "from plugsock import plug\n"
    code = PLUG.format(function=place.function, event=place.event)
    _replace(place.file, f"{text.rstrip()}\n\n\n{imported}{code}".lstrip() if text.strip() else imported + code)
    return f"{'added to' if text else 'wrote'}  {place.file}"


def _top_level_names(file: Path, text: str) -> set[str]:
    """What a file defines or imports under which names."""
    try:
        body = ast.parse(text).body
    except SyntaxError as wrong:
        raise PlugsockError(f"{file}:{wrong.lineno}: this file has an error ({wrong.msg}); mend it first") from wrong
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    imports = (alias for node in body if isinstance(node, ast.ImportFrom | ast.Import) for alias in node.names)
    return names | {alias.asname or alias.name for alias in imports}


def _write_test(place: Place, settings: Settings) -> str:
    file = settings.plugs.parent / "tests" / f"test_{place.event.replace('.', '_')}.py"
    if file.exists():
        return f"kept   {file}"
    _replace(file, TEST.format(event=place.event, function=place.function, folder=settings.plugs.name))
    return f"wrote  {file}  (python -m pytest {os.path.relpath(file)})"


def _replace(file: Path, text: str) -> None:
    """Write a whole file at once, so that a server that watches never sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
