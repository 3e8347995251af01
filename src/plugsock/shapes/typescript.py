"""All shapes as TypeScript declarations: `types.d.ts`, by which a client and a compiler know every event.

export interface Plugs {
  calls: { "orders.place": { args: OrderInput; result: Receipt } };
  streams: { "orders.feed": { args: { since?: number }; item: Order } };
  views: { "orders.summary": { args: { day: ISODate }; value: Summary } };
  topics: { kitchen: Record<string, unknown> };
}
"""

from collections.abc import Sequence
from typing import Final

from plugsock.errors import CODES
from plugsock.model import Kind
from plugsock.shapes import examples, infos, tsdoc
from plugsock.shapes.events import Shapes, Topic
from plugsock.shapes.infos import Described
from plugsock.shapes.ts_names import literal
from plugsock.shapes.ts_types import INDENT, Property, Types, written

HEADER: Final = """\
// What plugs look like to those who call them. Made by `plugsock types`: what is changed here will be lost.
// Hash of all shapes: {digest}
//
// Integers are `number`, too: browsers round those beyond 2^53 (Number.MAX_SAFE_INTEGER).
"""

SECTIONS: Final = {
    Kind.CALL: ("calls", "result"),
    Kind.STREAM: ("streams", "item"),
    Kind.VIEW: ("views", "value"),
}
"""How the events of each kind are called, and what comes out of one."""

RAW_IN: Final = "Uint8Array | ArrayBuffer"
RAW_OUT: Final = "Uint8Array"

ANY_PUSH: Final = "Record<string, unknown>"
"""By the name of a push, what it carries: nothing is declared of that."""

NONE: Final = "{}"
"""The type of an object that has no keys, of which nothing can be asked: `Record<string, never>` has all."""

ABOUT_ERRORS: Final = "What the server itself answers with in place of a result; plugs add codes of their own."


def declarations(shapes: Shapes) -> str:
    """Write all of it; the same for the same names, shapes, docstrings and examples, whatever else is different."""
    events = infos.describe(shapes.events)
    types = Types(infos.used(events))
    sections = [_section(kind, events, types) for kind in SECTIONS]
    plugs = written([*sections, _topics(shapes.topics)], "")
    codes = "".join(f"\n  | {literal(code)}" for code in CODES)
    parts = [
        HEADER.format(digest=shapes.digest),
        f"{tsdoc.comment(['All that a client can call, watch and join.'])}export interface Plugs {plugs}\n",
        f"{tsdoc.comment([ABOUT_ERRORS])}export type ErrorCode ={codes};\n",
        *types.declarations(),
    ]
    return "\n".join(parts)


def _section(kind: Kind, events: Sequence[Described], types: Types) -> Property:
    name, comes_out = SECTIONS[kind]
    properties = [_event(each, comes_out, types) for each in events if each.event.kind is kind]
    return Property(name, written(properties, INDENT) if properties else NONE)


def _event(each: Described, comes_out: str, types: Types) -> Property:
    event, indent = each.event, INDENT * 2
    output = RAW_OUT if each.output is None else types.text(each.output, "out")
    properties = [Property("args", _args(each, types, indent + INDENT)), Property(comes_out, output)]
    about, needed = tsdoc.prose(event.doc), infos.needed(event.requires)
    about += ["", *needed] if about and needed else needed
    about += examples.comments(event)
    return Property(event.name, written(properties, indent), about=about)


def _args(each: Described, types: Types, indent: str) -> str:
    fields = infos.parameters(each)
    if fields is not None:
        return types.arguments(fields, indent)
    value = RAW_IN if each.input is None else types.text(each.input, "in")
    return f"{value} | undefined" if each.event.is_optional else value


def _topics(topics: Sequence[Topic]) -> Property:
    return Property("topics", written([_topic(each) for each in topics], INDENT) if topics else NONE)


def _topic(each: Topic) -> Property:
    rule, about = each.rule, infos.needed(each.requires)
    if rule.history:
        about.append(f"Keeps the latest {rule.history} pushes for {rule.ttl_s:g} s.")
    if rule.presence:
        about.append("Tells who else is there.")
    return Property(rule.pattern, ANY_PUSH, about=about, index=_index(rule.pattern))


def _index(pattern: str) -> str:
    """The type of all names that begin so; nothing for a pattern that is one name."""
    start = pattern.removesuffix("*")
    if start == pattern:
        return ""
    return f"`{start}${{string}}`" if start else "string"
