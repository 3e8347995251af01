"""Finds the marked functions of a loaded module, and its rules for topics, and reads them."""

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from msgspec import Struct, field, structs

from plugsock.errors import DeclareError
from plugsock.loader.catalog import Plug
from plugsock.loader.declare import MARK, Options
from plugsock.loader.hidden import read_authenticator, read_moment, rule_signature, ruled
from plugsock.loader.order import order_value, required_values
from plugsock.loader.rules import RULES, Said
from plugsock.loader.signature import Mode, Signature, audience, read
from plugsock.loader.source import Source, rule_event
from plugsock.model import AUTHENTICATE, MOMENTS, Announcement, Problem

EVENT: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
"""What the wire allows as a name."""

LOADING: Final = ("on_load", "on_unload")
"""Marks of functions that answer no event: they are run by the loader."""


class Collected(Struct):
    """What a module declares."""

    plugs: list[Plug] = field(default_factory=list)
    on_load: list[Callable[[], Any]] = field(default_factory=list)
    on_unload: list[Callable[[], Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def collect(source: Source, module: ModuleType, revision: str) -> Collected:
    """Read every mark and rule in a module; what is wrong with one is a problem and hides none of the others."""
    collected = Collected()
    for name, value in _marked(module):
        line = source.facts.functions.get(name) or _line(value)
        try:
            _add(collected, source, name, value, line, revision)
        except DeclareError as error:
            problem = source.problem(error.line or line, f"`{name}`: {error}", _events(source, name, _mark(value)))
            collected.problems.append(problem)
    for said in vars(module).get(RULES, ()):
        _add_rule(collected, source, said, revision)
    return collected


def _events(source: Source, name: str, options: Options | None) -> tuple[str, ...]:
    if source.holds_no_events or options is None:
        return ()
    return tuple(source.answer(mark, name) for mark in options.marks)


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


def _mark(value: Any) -> Options | None:
    """A look into `__dict__` alone: an author's object may answer any attribute."""
    try:
        mark = vars(value).get(MARK)
    except TypeError:
        return None
    return mark if isinstance(mark, Options) else None


def _line(value: Any) -> int:
    code = getattr(inspect.unwrap(value), "__code__", None)
    return code.co_firstlineno if code is not None else 0


def _add(collected: Collected, source: Source, name: str, value: Any, line: int, revision: str) -> None:
    options = _mark(value)
    assert options is not None
    if "." in name:
        raise DeclareError("a method can't be marked: mark a function of the module")
    if not inspect.isroutine(value):
        raise DeclareError(f"marks are for functions, and this is a {type(value).__name__}")
    if options.marks[0] in LOADING:
        _add_loading(collected, options.marks[0], value)
        return
    _refuse_helper(source)
    collected.plugs += [_plug(source, name, value, options, mark, line, revision) for mark in options.marks]


def _refuse_helper(source: Source) -> None:
    if source.holds_no_events:
        raise DeclareError(
            "`__init__.py` holds no events: move it to a file beside it"
            if source.is_package
            else "a file or folder whose name begins with `_` is a helper and holds no events"
        )


def _add_loading(collected: Collected, mark: str, function: Callable[..., Any]) -> None:
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    if any(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in required):
        raise DeclareError(f"@{mark} is called without arguments: remove its parameters")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise DeclareError(f"@{mark} is run, not iterated: it can't `yield`")
    (collected.on_load if mark == "on_load" else collected.on_unload).append(function)


def _plug(
    source: Source, name: str, function: Callable[..., Any], options: Options, mark: str, line: int, revision: str
) -> Plug:
    event = source.answer(mark, name)
    signature = _signature(function, name, mark, event, is_shape=_is_shape(source, function))
    order_value(signature, options.order)  # refuses what no call can be put in order by
    required_values(signature, options.requires)  # and what no permission can be made of
    announcement = _announced(source, event, signature, options, line, revision)
    announcement = structs.replace(announcement, doc=(inspect.getdoc(function) or "").partition("\n")[0])
    if options.view is not None:
        announcement = structs.replace(announcement, view=structs.replace(options.view, audience=audience(signature)))
    return Plug(announcement, function, signature, options, source.module)


def _is_shape(source: Source, function: Callable[..., Any]) -> bool:
    """Has it no body of its own, and no decorator that puts another in its place?"""
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_filename == source.filename
        and (code.co_name, code.co_firstlineno) in source.facts.bodiless
    )


def _signature(function: Callable[..., Any], name: str, mark: str, event: str, *, is_shape: bool) -> Signature:
    if event == AUTHENTICATE:
        return read_authenticator(function)
    if mark in MOMENTS:
        return read_moment(function, mark, event)
    if name.startswith("_"):
        raise DeclareError("a name that begins with `_` is private and can't answer an event")
    if not EVENT.fullmatch(event):
        raise DeclareError(
            f"the event {event!r} can't be sent: names are ASCII letters, digits and _.:/- (128 at most)"
        )
    return read(function, event, is_view=mark == "view", is_shape=is_shape)


def _add_rule(collected: Collected, source: Source, said: Said, revision: str) -> None:
    rule = said.rule
    try:
        _refuse_helper(source)
    except DeclareError as error:
        collected.problems.append(source.problem(said.line, f"topic({rule.pattern!r}): {error}"))
        return
    event, options = rule_event(rule.pattern), Options(requires=said.requires, marks=("topic",))
    signature = rule_signature(rule, event)
    announcement = _announced(source, event, signature, options, said.line, revision)
    announcement = structs.replace(announcement, topic=rule)
    collected.plugs.append(Plug(announcement, ruled, signature, options, source.module))


def _announced(
    source: Source, event: str, signature: Signature, options: Options, line: int, revision: str
) -> Announcement:
    return Announcement(
        event=event,
        revision=revision,
        kind=signature.kind,
        input=signature.input_text,
        output=signature.output_text,
        doc="",
        place=f"{source.file}:{line}",
        origin=source.origin,
        timeout=options.timeout,
        idempotent=options.idempotent,
        raw=signature.mode is Mode.RAW,
        in_thread=not (signature.is_async or signature.is_shape),
        order=options.order,
        worker=options.worker,
        requires=options.requires,
        shape=signature.shape,
        is_shape=signature.is_shape,
    )
