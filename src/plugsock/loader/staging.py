"""Imports a group of modules into a generation of its own and reads what they declare; nothing is served by that."""

import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct, structs

from plugsock.loader import blame
from plugsock.loader.catalog import Catalog, Plug
from plugsock.loader.collect import collect
from plugsock.loader.isolate import Generation, Record
from plugsock.loader.source import Source, defined_twice
from plugsock.model import Problem
from plugsock.needs.places import MARKER

RunAsync: TypeAlias = Callable[[Coroutine[Any, Any, Any]], None]
"""Runs a coroutine to its end, wherever async code of plugs runs; called in a thread, raises what it raised."""


class Failure(Struct, frozen=True):
    """Why a module can't be served."""

    module: str
    """The one at fault: what does not need it can go on without."""
    problem: Problem
    trace: str = ""
    """Traceback of the authors' own frames."""


class _GivenUp(BaseException):
    """Nobody waits for this thread any more."""


class Staging:
    """One attempt to load a group.

    Args:
        modules: The group, deleted ones included.
        generation: Where it is loaded, with what it is loaded beside.
        revisions: Of the modules that define plugs.
        in_use: Modules whose old revision is loaded: helpers are loaded now only if they are in use.
        catalog: What is served, in which events have their owners.
        run_async: Runs what is `async def` of `on_load`.
        checks_needs: Refuse what lacks something that it says it needs.
    """

    def __init__(
        self,
        *,
        modules: frozenset[str],
        generation: Generation,
        revisions: Mapping[str, str],
        in_use: Collection[str],
        catalog: Catalog,
        run_async: RunAsync,
        checks_needs: bool = True,
    ) -> None:
        self.modules = modules
        self.generation = generation
        self.failures: list[Failure] = []
        self.plugs: list[Plug] = []
        self._revisions = revisions
        self._in_use = in_use
        self._catalog = catalog
        self._run_async = run_async
        self._checks_needs = checks_needs
        self._current: tuple[Source, int] | None = None
        self._is_complete = False
        self._on_load: list[tuple[Record, Callable[[], Any]]] = []
        self._owed: list[Record] = []

    def run(self, limit_s: float) -> None:
        """Do it in a thread of its own that is left behind if it takes too long.

        A hang in C code that keeps the interpreter to itself (`9**9**9`) can't be left behind by any thread: it is a
        reason to run plugs in processes.
        """
        thread = threading.Thread(target=self._run, name="plugsock-stage", daemon=True)
        thread.start()
        thread.join(limit_s)
        if thread.is_alive():
            self._give_up(thread, limit_s)
        elif not (self._is_complete or self.failures):
            source, line = self._where()
            self._fail(source.module, source.problem(line, "loading it broke off"))

    def _run(self) -> None:
        with contextlib.suppress(_GivenUp, SystemExit):  # SystemExit is how `blame.interrupt` ends it
            steps = (self._check_needs, self._import_all, self._collect_all, self._refuse_doubles, self._call_on_load)
            for step in steps:
                step()
                if self.failures:
                    return
            self._is_complete = True

    def _give_up(self, thread: threading.Thread, limit_s: float) -> None:
        source, line = self._where()
        assert thread.ident is not None
        self.generation.abandon()
        self._fail(source.module, blame.where_it_hangs(thread.ident, source, line, limit_s))
        blame.interrupt(thread)

    def _fail(self, module: str, problem: Problem, trace: str = "") -> None:
        self.failures.append(Failure(module, problem, trace))

    def _where(self) -> tuple[Source, int]:
        return self._current or (next(self._sources()), 0)

    def _check_needs(self) -> None:
        """What a file says that it needs has to be there before it is run: then nothing of it has happened."""
        for source in self._sources() if self._checks_needs else ():
            if MARKER.encode() in source.data:
                # 80 ms, which nobody else has to wait for
                from plugsock.needs.flaws import flaws  # noqa: PLC0415

                for flaw in flaws(source.text()):
                    problem = source.problem(flaw.line, flaw.message)
                    self._fail(source.module, structs.replace(problem, needs=flaw.needs))

    def _import_all(self) -> None:
        for source in self._sources():
            if not source.is_helper or source.module in self._in_use:
                self._attempt(source, functools.partial(self.generation.load, source.module))
            elif source.facts.problem is not None:  # it may be imported later, within a function
                self._fail(source.module, source.facts.problem)

    def _attempt(self, source: Source, action: Callable[[], Any], line: int = 0) -> bool:
        """Run an author's code: whatever it raises is a problem, SystemExit and KeyboardInterrupt too.

        This is a thread of its own, so an interrupt of the user never arrives here: it is the author's own.
        """
        self._current = source, line
        try:
            action()
        except BaseException as error:
            if not self.generation.is_abandoned:
                self._fail(source.module, blame.problem(error, source), blame.trace(error))
        else:
            if not self.generation.is_abandoned:
                return True
        if self.generation.is_abandoned:
            raise _GivenUp
        return False

    def _sources(self) -> Iterator[Source]:
        for name in sorted(self.modules):
            if name in self.generation.sources:
                yield self.generation.sources[name]

    def _collect_all(self) -> None:
        records = [record for name, record in self.generation.fresh.items() if name in self.modules]
        with self.generation.exposed(records):
            for record in records:
                self._attempt(record.source, functools.partial(self._collect, record))

    def _collect(self, record: Record) -> None:
        collected = collect(record.source, record.module, self._revisions.get(record.source.module, ""))
        for problem in collected.problems:
            self._fail(record.source.module, problem)
        self.plugs += collected.plugs
        self._on_load += [(record, function) for function in collected.on_load]
        record.on_unload = tuple(collected.on_unload)

    def _refuse_doubles(self) -> None:
        first: dict[tuple[str, str], Plug] = {}
        for plug in self.plugs:
            other = first.setdefault((plug.origin, plug.event), plug)  # an embedded one may be overridden
            if other is not plug:
                self._double(plug, other)
                self._double(other, plug)
            owner = self._catalog.owner(plug.origin, plug.event)
            if owner is not None and owner.module not in self.modules:
                self._double(plug, owner)

    def _double(self, plug: Plug, other: Plug) -> None:
        source = self.generation.sources[plug.module]
        line = int(plug.announcement.place.rpartition(":")[2])
        message = defined_twice(plug.event, other.announcement.place)
        self._fail(plug.module, source.problem(line, message, (plug.event,)))

    def _call_on_load(self) -> None:
        waiting = {record for record, _ in self._on_load}
        self._owed = [record for record in self.generation.fresh.values() if record not in waiting]
        for record, function in self._on_load:
            line = record.source.facts.functions.get(function.__name__, 0)
            if self._attempt(record.source, functools.partial(call, function, self._run_async), line):
                self._owed.append(record)

    def owed(self) -> list[Record]:
        """The modules whose `on_unload` has to run if this is not served after all: those that were loaded fully."""
        return self._owed


def call(function: Callable[[], Any], run_async: RunAsync) -> None:
    """Call a moment, async or not."""
    result = function()
    if inspect.iscoroutine(result):
        run_async(result)


def unload(source: Source, function: Callable[[], Any], run_async: RunAsync, limit_s: float) -> Problem | None:
    """Run an `on_unload` in a thread of its own, and say what went wrong."""
    problems: list[Problem] = []

    def run() -> None:
        try:
            call(function, run_async)
        except BaseException as error:  # a thread of its own: nobody else's exception can arrive here
            problems.append(blame.problem(error, source))

    thread = threading.Thread(target=run, name="plugsock-unload", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        return source.problem(
            source.facts.functions.get(function.__name__, 0), f"@on_unload ran for over {limit_s:g} s"
        )
    return problems[0] if problems else None
