"""What can be imported, as the installed packages say about themselves."""

import importlib
import importlib.metadata
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution

from msgspec import Struct
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


class Package(Struct, frozen=True):
    """One that is installed."""

    name: str
    """As its authors write it."""
    version: str


class Installed:
    """The packages in some folders; of two of one name, the one that `import` finds first.

    Args:
        path: The folders, in the order of `sys.path`.
    """

    def __init__(self, path: Sequence[str]) -> None:
        importlib.invalidate_caches()  # a folder may change twice in one tick of its clock
        self._path = list(path)

    def lacks(self, requirement: Requirement) -> str:
        """Why a requirement is not met, to go on after its name: `which is not installed`; empty if it is.

        Its marker is taken into account, and so are the packages that its extras stand for.
        """
        return self._lacks(requirement, extra="", seen=set())

    def _lacks(self, requirement: Requirement, *, extra: str, seen: set[tuple[str, str]]) -> str:
        if not _applies(requirement, extra):
            return ""
        found = self._find(requirement.name)
        version = None if found is None else _version(found)
        if found is None or version is None:
            return "which is not installed"
        if requirement.url is None and not requirement.specifier.contains(version, prereleases=True):
            return f"and {version} is installed"
        return self._lacks_of_extras(found, requirement, seen)

    def _lacks_of_extras(self, found: Distribution, requirement: Requirement, seen: set[tuple[str, str]]) -> str:
        for extra in sorted(requirement.extras):
            key = (canonicalize_name(requirement.name), canonicalize_name(extra))
            if key in seen:
                continue
            seen.add(key)
            for other in _requires(found):
                if not _applies(other, "") and self._lacks(other, extra=extra, seen=seen):
                    return f"and {other} is missing for [{extra}]"
        return ""

    def _find(self, name: str) -> Distribution | None:
        return next(iter(importlib.metadata.distributions(name=name, path=self._path)), None)


def packages(path: Sequence[str]) -> dict[str, Package]:
    """Every package in some folders by its normalized name, as `import` would find it."""
    importlib.invalidate_caches()
    found: dict[str, Package] = {}
    for each in importlib.metadata.distributions(path=list(path)):
        name, version = each.metadata["Name"], _version(each)  # None where a folder was deleted in part
        if name and version is not None:
            found.setdefault(canonicalize_name(name), Package(name, str(version)))
    return found


def _applies(requirement: Requirement, extra: str) -> bool:
    try:
        return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName):  # somebody else's package, which pip has installed so
        return False


def _requires(found: Distribution) -> Iterator[Requirement]:
    for text in found.requires or ():
        try:
            yield Requirement(text)
        except InvalidRequirement:  # somebody else's old package; it is there, and that was asked
            continue


def _version(found: Distribution) -> Version | None:
    try:
        return Version(found.version)
    except (InvalidVersion, TypeError, KeyError):  # there is no such line, or it is none
        return None
