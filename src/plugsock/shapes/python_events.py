"""Events as methods, grouped by the parts of their names: `orders.place` is `plugs.orders.place`.

An event that others are grouped under is called as the group itself: with `greet` and `greet.count` there are
`plugs.greet(...)` and `plugs.greet.count(...)`.
"""

import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec import inspect as spec

from plugsock.model import Kind
from plugsock.shapes import ts_names
from plugsock.shapes.python_names import BUILTINS, GIVEN, OURS, ROOTS, attributes, docstring, literal, or_unset
from plugsock.shapes.python_types import Types

INDENT: Final = "    "
BODY: Final = INDENT * 2

WIDTH: Final = 100
"""Characters of a line, at most, where it can be broken."""

CALLED: Final = "__call__"

CLIENT: Final = "_client"

BACK: Final = f"{GIVEN}_back"
"""A variable beside parameters, which may have any name but those that the module uses."""


class Style(Struct, frozen=True):
    """How one of the two clients is used."""

    prefix: str
    """Of the names of classes."""
    client: str
    define: str
    wait: str
    """Stands before a call."""
    stream: str
    view: str

    def streaming(self, item: str) -> str:
        """The type of a stream."""
        return self.stream.replace("ITEM", item)

    def viewing(self, value: str) -> str:
        """The type of what opens a view."""
        return self.view.replace("VALUE", value)


ASYNC: Final = Style(
    prefix="",
    client="Client",
    define="async def",
    wait="await ",
    stream="AsyncGenerator[ITEM, None]",
    view="AbstractAsyncContextManager[View[VALUE]]",
)
BLOCKING: Final = Style(
    prefix="Blocking",
    client="blocking.Client",
    define="def",
    wait="",
    stream="Iterator[ITEM]",
    view="AbstractContextManager[blocking.View[VALUE]]",
)


class Parameter(Struct, frozen=True):
    """What an event takes."""

    name: str
    info: spec.Type | None
    """None for bytes that nobody decodes."""
    may_be_left_out: bool
    about: str = ""
    """What it is when it is left out."""


class Method(Struct, frozen=True):
    """An event, as it is called."""

    event: str
    kind: Kind
    about: Sequence[str]
    parameters: Sequence[Parameter]
    is_whole: bool
    """The one parameter is the payload."""
    output: spec.Type | None
    """None for bytes that nobody decodes."""


class Group(Struct):
    """Events that have the beginning of their names in common."""

    name: str
    """That beginning; empty for all of them."""
    own: Method | None = None
    """The event that is called just so."""
    groups: dict[str, "Group"] = {}
    """By the next part of their names, also events that nothing is grouped under."""


def grouped(methods: Iterable[Method]) -> Group:
    """Put events into groups."""
    root = Group("")
    for method in methods:
        group = root
        for part in method.event.split("."):
            name = f"{group.name}.{part}" if group.name else part
            group = group.groups.setdefault(part, Group(name))
        group.own = method
    return root


def classes(root: Group, types: Types, style: Style) -> Iterator[str]:
    """All groups as classes, each before those that it is in; the last is `Plugs`."""
    beginnings = [group.name for group in _with_members(root)]
    wanted = {
        (prefix, name): ts_names.Wanted([f"{prefix}{_class_name(name)}"])
        for name in reversed(beginnings)  # `Plugs` is nobody else's
        for prefix in (ASYNC.prefix, BLOCKING.prefix)
    }
    distinct = ts_names.distinct(wanted, {*OURS, *BUILTINS, *types.names.values()} - ROOTS)
    names = {name: distinct[style.prefix, name] for name in beginnings}
    for group in _with_members(root):
        yield _class(group, names, types, style)


def _with_members(group: Group) -> Iterator[Group]:
    for each in group.groups.values():
        if each.groups:
            yield from _with_members(each)
    yield group


def _class_name(name: str) -> str:
    words = "".join(char if f"_{char}".isidentifier() and char != "_" else " " for char in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words) + "Plugs"


def _class(group: Group, names: dict[str, str], types: Types, style: Style) -> str:
    called = attributes(group.groups, {*OURS, *types.names.values(), *names.values(), CLIENT})
    hidden = BUILTINS.intersection(called.values())
    about = f"The events of `{group.name}`." if group.name else "All that a client can ask the server for."
    subgroups = {called[part]: names[each.name] for part, each in group.groups.items() if each.groups}
    methods = [_method(CALLED, group.own, types, hidden, style)] if group.own is not None else []
    methods += [
        _method(called[part], each.own, types, hidden, style)
        for part, each in group.groups.items()
        if not each.groups and each.own is not None
    ]
    lines = [f"{BODY}self.{CLIENT} = client\n"] if methods or not subgroups else []
    lines += [f"{BODY}self.{attribute} = {cls}(client)\n" for attribute, cls in subgroups.items()]
    init = f"{INDENT}def __init__(self, client: {style.client}) -> None:\n{''.join(lines)}"
    return f"class {names[group.name]}:\n{docstring([about], INDENT)}\n" + "\n".join([init, *methods])


def _method(name: str, method: Method, types: Types, hidden: frozenset[str], style: Style) -> str:
    called = attributes([each.name for each in method.parameters], {*OURS, *types.names.values(), "self"})
    parameters = _signature(method.parameters, called, types, hidden)
    doc = docstring([*method.about, *_left_out(method, called)], BODY)
    output = _text(method.output, types, hidden)
    inside = BUILTINS.intersection(called.values())
    arguments = [literal(method.event), *_payload(method, called), f"type={_text(method.output, types, inside)}"]
    match method.kind:
        case Kind.CALL:
            head = _head(f"{style.define} {name}", parameters, output)
            return f"{head}{doc}{_call(method, arguments, types, inside, style)}"
        case Kind.STREAM:
            head = _head(f"def {name}", parameters, style.streaming(output))
            return f"{head}{doc}{_line(f'return self.{CLIENT}.stream', arguments)}"
        case _:
            head = _head(f"def {name}", parameters, style.viewing(output))
            return f"{head}{doc}{_line(f'return self.{CLIENT}.view', arguments)}"


def _text(info: spec.Type | None, types: Types, hidden: frozenset[str]) -> str:
    return "Raw" if info is None else types.text(info, hidden)


def _head(begin: str, parameters: Sequence[str], output: str) -> str:
    line = f"{INDENT}{begin}({', '.join(['self', *parameters])}) -> {output}:\n"
    if len(line) <= WIDTH + 1 or not parameters:
        return line
    several = "".join(f"{BODY}{each},\n" for each in ("self", *parameters))
    return f"{INDENT}{begin}(\n{several}{INDENT}) -> {output}:\n"


def _line(begin: str, arguments: Sequence[str]) -> str:
    line = f"{BODY}{begin}({', '.join(arguments)})\n"
    if len(line) <= WIDTH + 1:
        return line
    inner = f"{BODY}{INDENT}{', '.join(arguments)}\n"
    if len(inner) > WIDTH + 1:
        inner = "".join(f"{BODY}{INDENT}{each},\n" for each in arguments)
    return f"{BODY}{begin}(\n{inner}{BODY})\n"


def _call(method: Method, arguments: Sequence[str], types: Types, hidden: frozenset[str], style: Style) -> str:
    """The lines that call; a type checker has to be told what comes back where that is of no class."""
    output, call = method.output, f"{style.wait}self.{CLIENT}.call"
    if isinstance(output, spec.NoneType):
        return _line(call, arguments)
    if output is None or types.is_class(output):
        return _line(f"return {call}", arguments)
    return f"{_line(f'{BACK}: {_text(output, types, hidden)} = {call}', arguments)}{BODY}return {BACK}\n"


def _signature(
    parameters: Sequence[Parameter], called: dict[str, str], types: Types, hidden: frozenset[str]
) -> list[str]:
    """In their own order; what can't follow one that may be left out has to be named."""
    written: list[str] = []
    some_left_out = named = False
    for each in parameters:
        if some_left_out and not each.may_be_left_out and not named:
            written.append("*")
            named = True
        text = _text(each.info, types, hidden)
        if each.may_be_left_out:
            text = f"{or_unset(text)} = UNSET"
            some_left_out = True
        written.append(f"{called[each.name]}: {text}")
    return written


def _left_out(method: Method, called: dict[str, str]) -> list[str]:
    said = [f"Left out, `{called[each.name]}` is {each.about}." for each in method.parameters if each.about]
    return ["", *said] if said and any(method.about) else said


def _payload(method: Method, called: dict[str, str]) -> list[str]:
    if not method.parameters:
        return []
    if method.is_whole:
        (only,) = method.parameters
        name = called[only.name]
        return [f"None if {name} is UNSET else {name}" if only.may_be_left_out else name]
    fields = ", ".join(f"{literal(each.name)}: {called[each.name]}" for each in method.parameters)
    is_whole = not any(each.may_be_left_out for each in method.parameters)
    return [f"{{{fields}}}" if is_whole else f"{GIVEN}({{{fields}}})"]


def default_of(field: spec.Field) -> str:
    """A parameter's default as Python writes it, where it is one that people know; else nothing."""
    try:
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    except Exception:  # it copies the author's object, which may raise what it likes
        return ""
    if isinstance(default, enum.Enum):
        default = default.value
    is_known = default is None or isinstance(default, bool | int | float | str) or default in ([], {})
    return literal(default) if is_known else ""
