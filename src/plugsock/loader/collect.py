"""Finds the marked functions of a loaded module and reads them."""

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from msgspec import Struct, field

from plugsock.errors import DeclareError
from plugsock.loader.catalog import Plug
from plugsock.loader.declare import MARK, Options
from plugsock.loader.order import order_value, required_values
from plugsock.loader.signature import Mode, read, read_authenticator
from plugsock.loader.source import Source
from plugsock.model import AUTHENTICATE, Announcement, Problem

EVENT: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""What the wire allows as a name."""


class Collected(Struct):
    """What a module declares."""

    plugs: list[Plug] = field(default_factory=list)
    on_load: list[Callable[[], Any]] = field(default_factory=list)
    on_unload: list[Callable[[], Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def collect(source: Source, module: ModuleType, revision: str) -> Collected:
    """Read every mark in a module; what is wrong with one is a problem and hides none of the others."""
    collected = Collected()
    for name, value in _marked(module):
        line = source.facts.functions.get(name) or _line(value)
        try:
            _add(collected, source, name, value, line, revision)
        except DeclareError as error:
            events = _events(source, name, _mark(value))
            collected.problems.append(source.problem(error.line or line, f"`{name}`: {error}", events))
    return collected


def _events(source: Source, name: str, mark: Options | str | None) -> tuple[str, ...]:
    if source.holds_no_events:
        return ()
    return ((isinstance(mark, Options) and mark.event) or source.event(name),)


def _marked(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The module's own marked things by name, each once: what it imports from elsewhere is not its own."""
    found: dict[int, tuple[str, Any]] = {}
    for name, value in list(vars(module).items()):
        if _mark(value) is None or getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        if id(value) not in found or name == getattr(value, "__name__", ""):
            found[id(value)] = (name, value)
    yield from found.values()
    for name, value in list(vars(module).items()):
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield from ((f"{name}.{key}", member) for key, member in vars(value).items() if _mark(member) is not None)


def _mark(value: Any) -> Options | str | None:
    """A look into `__dict__` alone: an author's object may answer any attribute."""
    try:
        mark = vars(value).get(MARK)
    except TypeError:
        return None
    return mark if isinstance(mark, Options | str) else None


def _line(value: Any) -> int:
    code = getattr(inspect.unwrap(value), "__code__", None)
    return code.co_firstlineno if code is not None else 0


def _add(collected: Collected, source: Source, name: str, value: Any, line: int, revision: str) -> None:
    mark = _mark(value)
    if "." in name:
        raise DeclareError("a method can't be marked: mark a function of the module")
    if not inspect.isroutine(value):
        raise DeclareError(f"marks are for functions, and this is a {type(value).__name__}")
    if isinstance(mark, str):
        _add_moment(collected, mark, value)
        return
    assert isinstance(mark, Options)
    if source.holds_no_events:
        raise DeclareError(
            "`__init__.py` holds no events: move it to a file beside it"
            if source.is_package
            else "a file or folder whose name begins with `_` is a helper and holds no events"
        )
    if name.startswith("_") and not mark.event:
        raise DeclareError("a name that begins with `_` is private and can't answer an event")
    collected.plugs.append(_plug(source, name, value, mark, line, revision))


def _add_moment(collected: Collected, moment: str, function: Callable[..., Any]) -> None:
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    if any(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in required):
        raise DeclareError(f"@{moment} is called without arguments: remove its parameters")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise DeclareError(f"@{moment} is run, not iterated: it can't `yield`")
    (collected.on_load if moment == "on_load" else collected.on_unload).append(function)


def _plug(source: Source, name: str, function: Callable[..., Any], options: Options, line: int, revision: str) -> Plug:
    event = options.event or source.event(name)
    if not (EVENT.fullmatch(event) or event == AUTHENTICATE):
        raise DeclareError(
            f"the event {event!r} can't be sent: names are ASCII letters, digits and _.:/- (128 at most)"
        )
    signature = read_authenticator(function) if event == AUTHENTICATE else read(function, event)
    order_value(signature, options.order)  # refuses what no call can be put in order by
    required_values(signature, options.requires)  # and what no permission can be made of
    doc = inspect.getdoc(function) or ""
    announcement = Announcement(
        event=event,
        revision=revision,
        kind=signature.kind,
        input=signature.input_text,
        output=signature.output_text,
        doc=doc.partition("\n")[0],
        place=f"{source.file}:{line}",
        origin=source.origin,
        timeout=options.timeout,
        idempotent=options.idempotent,
        raw=signature.mode is Mode.RAW,
        in_thread=not signature.is_async,
        order=options.order,
        worker=options.worker,
        requires=options.requires,
        shape=signature.shape,
    )
    return Plug(
        announcement=announcement, function=function, signature=signature, options=options, module=source.module
    )
