"""Lets code outside of the plugs folder import plugs by name: authors' tests, pickle, pools of processes."""

import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from plugsock.loader.isolate import Generation


class Finder:
    """Finds modules of the plugs packages, and no others, in the committed generation.

    It is asked only for what `sys.modules` does not hold: a helper that nobody has imported so far.
    """

    def __init__(self, roots: frozenset[str], generation: Callable[[], Generation]) -> None:
        self._roots = roots
        self.generation = generation

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Part of the protocol of `sys.meta_path`."""
        if name.partition(".")[0] not in self._roots or not self.generation().knows(name):
            return None
        is_package = self.generation().is_package(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Load it where it belongs."""
        return self.generation().load(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do: `create_module` has executed it."""


def uninstall(finder: Finder) -> None:
    """Take it off `sys.meta_path`."""
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)
