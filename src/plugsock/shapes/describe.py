"""The types of events as JSON Schema (2020-12), which all documents are made of."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from plugsock.loader import shape
from plugsock.loader.signature import Mode
from plugsock.model import Problem, Raw
from plugsock.shapes.events import Event
from plugsock.shapes.hints import hint
from plugsock.shapes.walk import Schema, changed

RAW: Final = {
    "description": "What nobody looks into: any JSON in a text frame, any bytes in a binary frame.",
    "contentMediaType": "application/octet-stream",
}

DURATION: Final = r"^[+-]?P(?!$)(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
"""Of ISO 8601 what msgspec reads: no months, but signs and fractions, which the format `duration` does not have."""
DECIMAL: Final = r"^[+-]?((\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|Infinity)$"
PATTERNS: Final = {"duration": DURATION, "decimal": DECIMAL}
"""For formats that validators do not know, or know otherwise."""

BASE64: Final = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

ANYTHING: Final = {"$comment": "object"}


class Sides(Struct, frozen=True):
    """What goes into an event, and what comes out of it."""

    payload: Schema
    output: Schema


class Described(Struct, frozen=True):
    """Events as schemas, and those for which there is none."""

    sides: dict[str, Sides]
    """By event."""
    types: dict[str, Schema]
    """The named types, each once. They are called as their authors do; where two modules have types of one name, both
    are called in full: `plugs.orders.Order`. References to them are `#/$defs/NAME`."""
    problems: list[Problem]


def describe(events: Sequence[Event]) -> Described:
    """Describe events together, so that what they share is described once; what can't be is left out, and said.

    Their catalogue has to be loaded still: a type may name others in quotes, which are looked up now.
    """
    problems: list[Problem] = []
    fitting = _fitting([], list(events), problems)
    schemas, types = _components(fitting)
    sides = {event.name: _sides(event, schemas) for event in fitting}
    return Described(sides, {name: changed(types[name], _tidied) for name in sorted(types)}, problems)


def only(described: Described, events: Collection[str]) -> Described:
    """Some of the events that were described, and the types that they name; all is called as it was among all."""
    sides = {event: each for event, each in described.sides.items() if event in events}
    wanted = {name for each in sides.values() for side in (each.payload, each.output) for name in _named(side)}
    found: set[str] = set()
    while wanted:
        found |= wanted
        wanted = {name for each in wanted for name in _named(described.types[each])} - found
    types = {name: type for name, type in described.types.items() if name in found}
    return Described(sides, types, [each for each in described.problems if set(each.events) & set(events)])


def _named(schema: Schema) -> set[str]:
    """The types that a schema refers to."""
    found: set[str] = set()

    def note(part: dict[str, Any]) -> Schema:
        if "$ref" in part:
            found.add(part["$ref"].removeprefix("#/$defs/"))
        return part

    changed(schema, note)
    return found


def _fitting(beside: list[Event], more: list[Event], problems: list[Problem]) -> list[Event]:
    """Find out, by halving, which events can be described together with those that can be already."""
    try:
        _components([*beside, *more])
    except Exception as error:  # whatever the author's types and defaults raise
        if len(more) == 1:
            problems.append(_problem(more[0], error))
            return beside
    else:
        return [*beside, *more]
    half = len(more) // 2
    return _fitting(_fitting(beside, more[:half], problems), more[half:], problems)


def _problem(event: Event, error: Exception) -> Problem:
    file, _, line = event.place.rpartition(":")
    why = str(error).partition("\n")[0]
    if isinstance(error, KeyError):  # msgspec's table of names has lost one of two
        why = f"{shape.text(error.args[0])} has the name of another type in the same file: give one of them another"
    return Problem(file, int(line), f"`{event.name}` can't be described as JSON Schema: {why}", (event.name,))


def _components(events: Iterable[Event]) -> tuple[Iterator[Schema], dict[str, Any]]:
    types = [type for event in events for type in _types(event)]
    schemas, components = msgspec.json.schema_components(types, schema_hook=_of_object)
    hint(types, schemas, components)
    return iter(schemas), components


def _types(event: Event) -> Iterator[Any]:
    """All that is asked of msgspec about an event, in order.

    Of a payload that is made of parameters these are the parameters: its own type is none that the author has named.
    """
    if event.mode is Mode.FIELDS:
        yield from (field.type for field in structs.fields(event.input))
    elif event.input is not Raw:
        yield event.input
    if event.output is not Raw:
        yield event.output


def _of_object(cls: type) -> dict[str, Any]:
    if cls is object:
        return ANYTHING
    raise NotImplementedError


def _sides(event: Event, schemas: Iterator[Schema]) -> Sides:
    if event.mode is Mode.FIELDS:
        payload = _parameters(event, schemas)
    else:
        payload = dict(RAW) if event.input is Raw else changed(next(schemas), _tidied)
    return Sides(payload, dict(RAW) if event.output is Raw else changed(next(schemas), _tidied))


def _parameters(event: Event, schemas: Iterator[Schema]) -> Schema:
    fields = structs.fields(event.input)
    return {
        "type": "object",
        "properties": {field.encode_name: _parameter(field, next(schemas)) for field in fields},
        "required": [field.encode_name for field in fields if field.required],
        "additionalProperties": False,
    }


def _parameter(field: structs.FieldInfo, schema: Schema) -> Schema:
    assert isinstance(schema, dict)  # as msgspec makes them
    default = _default(field)
    return changed(schema if default is msgspec.NODEFAULT else {**schema, "default": default}, _tidied)


def _default(field: structs.FieldInfo) -> Any:
    """A parameter's default as JSON has it; none if JSON can't say it."""
    if field.required:
        return msgspec.NODEFAULT
    try:
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        said = msgspec.json.encode(default, order="deterministic")
        msgspec.json.decode(said, type=field.type)  # as in `= None` of a parameter that can't be null
        return msgspec.json.decode(said)
    except Exception:  # it is the author's object, and may raise what it likes
        return msgspec.NODEFAULT


def _tidied(schema: dict[str, Any]) -> Schema:
    """Say what msgspec says, in words that every validator knows."""
    schema.pop("discriminator", None)  # OpenAPI's; the tags of the members say the same
    if not schema.get("prefixItems", True):
        del schema["prefixItems"]  # an array without fields; the keyword takes no empty list
    if pattern := PATTERNS.get(schema.get("format", "")):
        del schema["format"]
        schema["pattern"] = pattern
    if schema.get("contentEncoding") == "base64":
        schema.setdefault("pattern", BASE64)  # validators take the keyword for a note
    return True if schema in ({}, ANYTHING) else schema
