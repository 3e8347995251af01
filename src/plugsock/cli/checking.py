"""What `plugsock check` reads beside the folder: its own table of plugsock.toml, the lock file, and who is connected."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import structs

from plugsock.checks import baseline, rules
from plugsock.checks.baseline import Baseline, Breaking
from plugsock.checks.checker import Checker
from plugsock.checks.rules import BREAKING_CHANGE, Choice, Report
from plugsock.cli import admin, config, style
from plugsock.errors import PlugsockError, SettingsError
from plugsock.loader.catalog import Catalog
from plugsock.model import Problem
from plugsock.rpc.admin import Present, Who
from plugsock.settings import Settings
from plugsock.shapes import describe, events, schema

TABLE: Final = "check"


def choice(file: Path) -> tuple[Choice, list[Problem]]:
    """Read which rules count for a folder.

    Args:
        file: Its plugsock.toml, which need not be there.

    Returns:
        The choice, and the rules in it that there are not.

    Raises:
        SettingsError: The table is none, or says something that is no list of rules.
    """
    text, table = config.toml(file)
    said = table.get(TABLE, {})
    if not isinstance(said, dict):
        raise SettingsError(f"{_place(text, TABLE)}: {TABLE} is a table: write `[check]`, and below it `allow = [...]`")
    for key in said.keys() - set(Choice.__struct_fields__):
        hint = config.did_you_mean(key, Choice.__struct_fields__)
        raise SettingsError(f"{_place(text, key)}: [check] has no {key!r}, only allow and require{hint}")
    problems: list[Problem] = []
    for key, names in said.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SettingsError(f'{_place(text, key)}: {key} is a list of rules, as {key} = ["open-struct"]')
        line = config.line_of(text, key)
        problems += [Problem(str(file), line, rules.unknown(name)) for name in names if name not in rules.RULES]
    return Choice(**{key: frozenset(names) for key, names in said.items()}), problems


def _place(text: str, key: str) -> str:
    return f"{config.FILE}:{config.line_of(text, key)}"


def lock(file: Path) -> Baseline:
    """Read what clients were built for.

    Raises:
        SettingsError: It is not there, or nothing that `plugsock schema` has written.
    """
    shown = style.near(str(file.absolute()))
    try:
        return baseline.parsed(shown, file.read_bytes())
    except FileNotFoundError as wrong:
        raise SettingsError(f"{shown} is not there; make it with `plugsock schema > {shown}`") from wrong
    except OSError as wrong:
        raise SettingsError(f"{shown}: it can't be read: {wrong.strerror}") from wrong
    except ValueError as wrong:
        raise SettingsError(f"{shown}: {wrong}; make it anew with `plugsock schema > {shown}`") from wrong


class Against:
    """What has become of a catalogue since a lock file was written."""

    def __init__(self, catalog: Catalog, locked: Baseline, *, is_whole: bool) -> None:
        """Compare.

        Args:
            catalog: Loaded still.
            locked: The lock file.
            is_whole: All of the folder has loaded; if not, nothing that is missing is said to be gone.
        """
        shapes = events.read(catalog)
        described = describe.describe(shapes.events)
        now = msgspec.json.decode(msgspec.json.encode(schema.document(shapes, described)))
        gone = () if is_whole else tuple(locked.document["properties"])
        unsure = {*gone, *(event for problem in described.problems for event in problem.events)}
        self._locked = locked
        self._catalog = catalog
        self._found = baseline.compared(locked.document, now, unsure)
        self.is_other = shapes.digest != locked.shapes

    def breaks(self, checker: Checker) -> list[Report]:
        """What breaks clients, as far as the rule counts there."""
        return checker.at_places(Breaking(self._catalog, checker.places, self._locked).reports(self._found))

    def concerned(self, clients: int) -> Report:
        """Say at the lock file how many connected clients break."""
        those = "1 connected client was" if clients == 1 else f"{clients} connected clients were"
        line = self._locked.line("shapes")
        return rules.report(BREAKING_CHANGE, self._locked.file, line, f"{those} built for this: {self._locked.shapes}")


def connected(settings: Settings, flags: Mapping[str, Any], shapes: str) -> int | None:
    """How many clients are connected to the folder's server that were built for some shapes; None if none runs."""
    try:
        reply = admin.ask(admin.find(settings, flags), Who())
    except admin.NoServer:
        return None
    except PlugsockError as wrong:  # another folder's, or one that does not answer
        style.fail(f"who is connected is not known: {wrong}")
        return None
    assert isinstance(reply, Present)
    return reply.shapes.get(shapes, 0)


def shown(problems: list[Problem]) -> Iterator[Problem]:
    """In the order of their files, which are written as one would type them."""
    near = (structs.replace(each, file=style.near(each.file)) for each in problems)
    yield from sorted(near, key=lambda each: (each.file, each.line, each.message))
