"""Imports modules into a generation of their own.

A `Generation` is a table of modules. Each module has a `Record`, its `__loader__`, which knows the generation that its
imports are answered from: when an unchanged module is carried over to the next generation, its record moves on and it
sees the new neighbours; a module that was replaced goes on seeing its own. `sys.modules` is told of a module while it
executes (dataclasses look there) and of the committed generation (pickle looks there), and is never asked.
"""

import contextlib
import importlib.machinery
import linecache
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from plugsock.loader.importing import BUILTINS, Importer
from plugsock.loader.source import Source
from plugsock.model import Problem


class Unloadable(ImportError):
    """A file can't be compiled; `problem` says where and why."""

    def __init__(self, problem: Problem, module: str) -> None:
        super().__init__(problem.message, name=module)
        self.problem = problem


class Abandoned(ImportError):
    """The generation was given up while one of its modules went on executing."""


class Body(ModuleType):
    """A module of a plugs folder; of a package, what its `__init__.py` made.

    From outside (`import plugs.chat` in a test) a package has its committed modules as attributes.
    """

    def __getattr__(self, name: str) -> Any:
        child = sys.modules.get(f"{self.__name__}.{name}")
        if child is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return child

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, Body) and value.__name__ == f"{self.__name__}.{name}"):  # each generation has its own
            super().__setattr__(name, value)


class Package(ModuleType):
    """A package as one module sees it: the names of its `__init__.py`, and its modules of that one's generation."""

    def __init__(self, body: ModuleType, importer: "Record") -> None:
        super().__init__(body.__name__, body.__doc__)
        names = ("__package__", "__path__", "__file__", "__spec__", "__loader__")
        self.__dict__.update({name: vars(body)[name] for name in names if name in vars(body)})
        self.__dict__["_importer"] = importer

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_importer"].attribute(self.__name__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_importer"].generation.load(self.__name__), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["_importer"].generation.load(self.__name__), name)

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_importer"].generation.load(self.__name__))


class Record(Importer):
    """One loaded module: its source, where its imports are answered from, and what it was seen to import."""

    def __init__(self, source: Source, generation: "Generation") -> None:
        self.source = source
        self.generation = generation
        self.roots = generation.roots
        self.package = source.module if source.is_package else source.module.rpartition(".")[0]
        self.imports = generation.imports.setdefault(source.module, set())
        self.get_source = source.text  # linecache asks for it and keeps it: it must not hold the module
        self.on_unload: tuple[Callable[[], Any], ...] = ()
        self.thread = threading.get_ident()
        self.done: threading.Event | None = threading.Event()
        self.is_broken = False
        self.module = self._made()
        self._packages: dict[str, Package] = {}

    def _made(self) -> Body:
        source = self.source
        spec = importlib.machinery.ModuleSpec(source.module, None, origin=source.path, is_package=source.is_package)
        spec.loader = self  # type: ignore[assignment]  # a loader by its methods: none that imports
        module = Body(source.module)
        namespace = vars(module)
        namespace.update(__spec__=spec, __loader__=self, __package__=self.package, __builtins__=BUILTINS)
        if not source.is_implicit:
            namespace["__file__"] = source.path
        if source.is_package:
            folder = source.path if source.is_implicit else os.path.dirname(source.path)  # noqa: PTH120
            namespace["__path__"] = spec.submodule_search_locations = [folder]
        return module

    def is_package(self, _name: str) -> bool:
        """Part of the loader protocol, which `pkgutil` and `inspect` speak."""
        return self.source.is_package

    def import_plug(self, name: str, fromlist: Sequence[str]) -> ModuleType:
        """Answer an import statement of this module from its generation."""
        body = self._load(name)
        if not fromlist:
            return self.view(name.partition(".")[0])
        if not self.generation.is_package(name):
            return body
        if "*" in fromlist:
            fromlist = vars(body).get("__all__", ())
            if not fromlist:
                return body
        for child in fromlist:
            if child not in vars(body) and self.generation.knows(f"{name}.{child}"):
                self._load(f"{name}.{child}")
        return self.view(name)

    def load_plug(self, name: str) -> ModuleType:
        """Answer `importlib.import_module`."""
        self._load(name)
        return self.view(name)

    def _load(self, name: str) -> ModuleType:
        self.imports.add(name)
        try:
            body = self.generation.load(name)
        except ModuleNotFoundError as error:
            if error.name is not None and name.startswith(f"{error.name}."):
                self.imports.add(error.name)  # a package around it may be in another group
            raise
        parent, _, child = name.rpartition(".")
        if parent == self.source.module:  # as Python binds a submodule that a package imports
            vars(self.module).setdefault(child, self.view(name))
        return body

    def view(self, name: str) -> ModuleType:
        """A loaded module as this one sees it."""
        if not self.generation.is_package(name):
            return self.generation.load(name)
        if name not in self._packages:
            self._packages[name] = Package(self.generation.load(name), self)
        return self._packages[name]

    def attribute(self, package: str, name: str) -> Any:
        """Look up an attribute of a package: what its `__init__.py` made, or a module in it."""
        body = self.generation.load(package)
        if name in vars(body):
            self.imports.add(package)
            return vars(body)[name]
        if not name.startswith("__"):
            self.imports.add(f"{package}.{name}")  # also what is not there yet: it may be in another group
        if self.generation.knows(f"{package}.{name}"):
            return self.load_plug(f"{package}.{name}")
        if "__getattr__" in vars(body):
            return vars(body)["__getattr__"](name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")


class Generation:
    """A table of modules that see each other, and the sources of those that were not imported yet."""

    def __init__(
        self,
        roots: frozenset[str],
        sources: Mapping[str, Source],
        carried: Mapping[str, Record],
        public: dict[str, ModuleType],
        implicit: Mapping[str, Source] | None = None,
    ) -> None:
        self.roots = roots
        self.sources = dict(sources)
        self.records = dict(carried)
        self.imports: dict[str, set[str]] = {}
        """What its own modules were seen to import, those that failed included."""
        self.is_current = False
        """It is the committed one: what it loads, `sys.modules` keeps."""
        self.public = public
        self.is_abandoned = False
        self.implicit = implicit_packages(sources, roots) if implicit is None else implicit
        """Folders without an `__init__.py`, and perhaps some that are gone."""
        self._lock = threading.Lock()
        self._waiting: dict[int, Record] = {}
        self._exposed: dict[str, ModuleType] = {}

    @property
    def fresh(self) -> dict[str, Record]:
        """The modules that it loaded itself."""
        return {name: record for name, record in self.records.items() if record.generation is self}

    def knows(self, name: str) -> bool:
        """Is there such a module or package?"""
        return name in self.sources or name in self.implicit

    def is_package(self, name: str) -> bool:
        """Has it modules in it?"""
        source = self.sources.get(name)
        return name in self.implicit if source is None else source.is_package

    def load(self, name: str) -> ModuleType:
        """Give a module, after importing it and the packages it lies in if that has not been done.

        Raises:
            ModuleNotFoundError: There is no such file.
            BaseException: Whatever it raised while it executed.
        """
        record = self.records.get(name)
        if record is not None and record.done is None and not record.is_broken:
            return record.module
        parent = name.rpartition(".")[0]
        if parent:
            self.load(parent)
            if not self.is_package(parent):
                raise ModuleNotFoundError(f"No module named {name!r}; {parent!r} is not a package", name=name)
        if not self.knows(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return self._load_once(name)

    def _load_once(self, name: str) -> ModuleType:
        source = self.sources.get(name) or self.implicit[name]
        with self._lock:
            record = self.records.get(name)
            if record is None or record.is_broken:
                record, mine = None, Record(source, self)
                self.records[name] = mine
        if record is not None:
            return self._wait_for(record)
        try:
            self._execute(mine)
        except BaseException:
            mine.is_broken = True  # a later generation may have been made meanwhile and hold it too
            del self.records[name]
            raise
        finally:
            done, mine.done = mine.done, None
            assert done is not None
            done.set()
        return mine.module

    def _wait_for(self, record: Record) -> ModuleType:
        """Wait for another thread's import, unless that one waits for us: then what is there so far must do."""
        done, me = record.done, threading.get_ident()
        with self._lock:
            if done is None or self._waits_for(record, me):
                return record.module
            self._waiting[me] = record
        try:
            done.wait()
        finally:
            del self._waiting[me]
        return self.load(record.source.module)

    def _waits_for(self, record: Record, thread: int) -> bool:
        while record.thread != thread:
            if record.thread not in self._waiting:
                return False
            record = self._waiting[record.thread]
        return True

    def _execute(self, record: Record) -> None:
        source = record.source
        facts = source.facts
        if facts.problem is not None:
            raise Unloadable(facts.problem, source.module)
        if self.is_abandoned:
            raise Abandoned(f"{source.module} was imported too late: its generation was given up")
        linecache.lazycache(source.filename, vars(record.module))
        with self.exposed([record]):
            assert facts.code is not None
            _run(record, facts.code)

    @contextlib.contextmanager
    def exposed(self, records: Collection[Record]) -> Iterator[None]:
        """Let `sys.modules` name some modules for a while; for good in the committed generation."""
        modules = {record.source.module: record.module for record in records}
        self._exposed |= modules
        sys.modules.update(modules)
        try:
            yield
        finally:
            if self.is_current:
                self.public.update(modules)
            self._hide(modules)

    def _hide(self, modules: Mapping[str, ModuleType]) -> None:
        for name, module in modules.items():
            self._exposed.pop(name, None)
            if sys.modules.get(name) is module:
                sys.modules.pop(name)
                if name in self.public:
                    sys.modules[name] = self.public[name]

    def abandon(self) -> None:
        """Give it up while a thread may still be executing one of its modules; nothing of it stays visible."""
        self.is_abandoned = True
        self._hide(dict(self._exposed))


def _run(record: Record, code: Any) -> None:
    namespace, spec = vars(record.module), record.module.__spec__
    assert spec is not None
    spec._initializing = True  # type: ignore[attr-defined]  # so that errors speak of a circular import
    try:
        exec(code, namespace)  # noqa: S102 -- this is what importing is
    finally:
        spec._initializing = False  # type: ignore[attr-defined]


def implicit_packages(sources: Mapping[str, Source], roots: Collection[str]) -> dict[str, Source]:
    """Folders without an `__init__.py`."""
    found: dict[str, Source] = {root: _implicit(root, "") for root in roots if root not in sources}
    for source in sources.values():
        name, path = source.module, source.path
        if source.is_package:
            path = os.path.dirname(path)  # noqa: PTH120
        while "." in name:
            name, path = name.rpartition(".")[0], os.path.dirname(path)  # noqa: PTH120
            if name not in sources and (name not in found or not found[name].path):
                found[name] = _implicit(name, path)
    return found


def _implicit(module: str, path: str) -> Source:
    return Source(module, path, path, b"", is_package=True, is_helper=False, is_implicit=True)
