"""The modules that lie in folders, found by their files alone: many can't be imported here, or would do something."""

from collections.abc import Iterator, Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pkgutil import iter_modules

TESTS = {"test", "tests", "idle_test"}
"""What tests of a package are called; nobody's plug needs them."""


def find(name: str, folders: Sequence[str]) -> ModuleSpec | None:
    """Where a top-level module is, in Python itself or in these folders; None if nowhere.

    No other finder is asked: setuptools, for one, answers for `distutils` with a copy of its own.
    """
    itself = BuiltinImporter.find_spec(name) or FrozenImporter.find_spec(name)
    return PathFinder.find_spec(name, folders) or itself


def within(spec: ModuleSpec) -> Iterator[str]:
    """A module's name and those of all modules below it, but for tests."""
    yield spec.name
    for folder in spec.submodule_search_locations or ():
        yield from _below(spec.name, folder)


def _below(package: str, folder: str) -> Iterator[str]:
    for found in iter_modules([folder]):
        if found.name not in TESTS:
            name = f"{package}.{found.name}"
            yield name
            if found.ispkg:
                yield from _below(name, f"{folder}/{found.name}")
