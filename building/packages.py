"""Which packages are put into the executable, each whole or not at all. This runs in the build environment."""

import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path, PurePath
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from building.modules import find, within

LEFT_OUT: Final = {
    "markdown-it-py": "only `rich.markdown` needs it, which nothing of plugsock does; 0.3 MB",
    "mdurl": "only markdown-it-py needs it",
    "pygments": "only `rich.syntax` and `rich.traceback` need it, which nothing of plugsock does; 1.4 MB and 60 ms",
}
"""What dependencies ask for and do not get, and why. A plug that wants it gets it from `plugsock pip install`."""

LEFT_OUT_MODULES: Final = ("markdown_it", "mdurl", "pygments")
"""The modules of those."""

LOCALES: Final = re.compile(
    r"faker[./]providers[./](?!bank[./]en_GB\b)\w+[./](?!en\b|en_US\b)([a-z]{2}|[a-z]{2,3}_\w+)([./]|$)"
)
"""Parts of a package that are left out all the same: Faker's words in other languages than English, which are 2.2 MB of
2.6. Made-up answers need none of them, and a bank of Faker's is British where nothing else is said."""

LISTED: Final = re.compile(r"faker\.providers\.\w+(\.en|\.en_US|\.en_GB)?$")

LICENCE: Final = re.compile(r"(?i)(^|/)(licen[cs]es?/.+|(licen[cs]e|copying|notice|authors)[^/]*)$")


def needed(requirements: Iterable[str]) -> dict[str, Distribution]:
    """The distributions that these requirements lead to on this platform, by their canonical names, sorted.

    Raises:
        importlib.metadata.PackageNotFoundError: One is not installed, so this is not the build environment.
    """
    found: dict[str, Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        is_asked_for = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_asked_for and name not in found and name not in LEFT_OUT:
            found[name] = importlib.metadata.distribution(name)
            waiting += found[name].requires or []
    return dict(sorted(found.items()))


def modules(distributions: Iterable[Distribution]) -> Iterator[str]:
    """The names of all modules of these distributions, but for tests."""
    names = {distribution.name for distribution in distributions}
    for top, owners in sorted(importlib.metadata.packages_distributions().items()):
        if names.intersection(owners) and top.isidentifier():
            spec = find(top, sys.path)
            found = within(spec) if spec is not None else ()
            yield from (name for name in found if not LOCALES.match(name))


def listed(modules: Iterable[str]) -> Iterator[str]:
    """The files whose names alone Faker looks for, to know what it has; they may be empty, as none is read."""
    for name in modules:
        if LISTED.match(name):
            yield f"{name.replace('.', '/')}/__init__.py"


def is_of_faker(place: str) -> bool:
    """Is this, by its place in the executable, a file of Faker's? PyInstaller adds all of them as files as well."""
    return PurePath(place).parts[0] == "faker"


def constraints(distributions: dict[str, Distribution]) -> str:
    """Name and version of each, as pip reads it."""
    return "".join(f"{name}=={distribution.version}\n" for name, distribution in distributions.items())


def licences(distribution: Distribution) -> list[Path]:
    """The files in which a distribution says under which licence it is."""
    described = [file for file in distribution.files or () if ".dist-info/" in file.as_posix()]
    return [Path(str(distribution.locate_file(file))) for file in sorted(described) if LICENCE.search(file.as_posix())]


def is_note_of_pip(place: str) -> bool:
    """Is this, by its place in the executable, something that pip wrote beside a package's own description?"""
    file = PurePath(place)
    return file.parts[0].endswith(".dist-info") and file.name != "METADATA"
