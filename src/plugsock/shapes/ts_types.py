"""Types as TypeScript writes them, and the declarations of the classes that they name."""

import enum
from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec import inspect as spec

from plugsock.shapes import ts_names, tsdoc
from plugsock.shapes.ts_classes import (
    CLASSES,
    Class,
    Classes,
    Side,
    WithFields,
    comes_out_otherwise,
    is_array,
    may_be_missing,
)
from plugsock.shapes.ts_names import key, literal

INDENT: Final = "  "

SUFFIXES: Final[dict[Side, str]] = {"out": "", "in": "Input"}
"""Of the names of classes that come out otherwise than they go in."""

EMPTY: Final = "Record<string, never>"
"""An object without fields: `{}` would be anything at all."""


class Property(Struct, frozen=True):
    """A field of an object, or a member of a tuple that has a name."""

    name: str
    type: str
    is_optional: bool = False
    about: Sequence[str] = ()
    index: str = ""
    """The type of its name, where it stands for all topics of such names."""

    def written(self, indent: str, end: str) -> str:
        """As lines, with what there is to say of it before it."""
        name = f"[topic: {self.index}]" if self.index else key(self.name)
        optional = "?" if self.is_optional else ""
        return f"{tsdoc.comment(self.about, indent)}{indent}{name}{optional}: {self.type}{end}\n"


class Alias(Struct, frozen=True):
    """What JSON has only strings for."""

    name: str
    about: str


ALIASES: Final[dict[type[spec.Type], Alias]] = {
    **dict.fromkeys(tsdoc.BYTES, Alias("Base64", "Bytes, in base64 with its padding (RFC 4648).")),
    spec.DateTimeType: Alias("ISODateTime", 'A moment (RFC 3339): "2026-11-24T06:00:00Z".'),
    spec.DateType: Alias("ISODate", 'A day: "2026-11-24".'),
    spec.TimeType: Alias("ISOTime", 'A time of day: "06:00:00".'),
    spec.TimeDeltaType: Alias("ISODuration", 'A length of time (ISO 8601): "PT90S".'),
    spec.UUIDType: Alias("UUID", 'A UUID (RFC 9562): "6f2c1f0e-0c3b-4b58-9c0b-8f6a6f0f2a51".'),
    spec.DecimalType: Alias("Decimal", 'A decimal number with all of its digits: "12.50".'),
}

PLAIN: Final[dict[type[spec.Type], str]] = {
    spec.NoneType: "null",
    spec.BoolType: "boolean",
    spec.IntType: "number",
    spec.FloatType: "number",
    spec.StrType: "string",
}


class Types:
    """How types are written, once it is known which classes there are.

    Args:
        used: All types that will be asked for, and on which side; in an order that does not change by chance.
    """

    def __init__(self, used: Iterable[tuple[spec.Type, Side]]) -> None:
        self._classes = Classes(used)
        self._aliases: set[Alias] = set()
        reserved = ts_names.RESERVED | {alias.name for alias in ALIASES.values()}
        named = ts_names.distinct({cls: _wanted(cls, info) for (cls, _), info in self._classes.found.items()}, reserved)
        self._names = {(cls, side): named[cls] + SUFFIXES[side] for cls, side in self._classes.found}

    def declarations(self) -> list[str]:
        """Every class, by name, and then the aliases that have been used so far."""
        classes = sorted(self._classes.found.items(), key=lambda found: self._names[found[0]])
        found = [self._declaration(self._names[one], info, one[1]) for one, info in classes]
        aliases = sorted(self._aliases, key=lambda alias: alias.name)
        return found + [f"{tsdoc.comment([each.about])}export type {each.name} = string;\n" for each in aliases]

    def text(self, info: spec.Type, side: Side) -> str:
        """A type, as it is written where it is used."""
        if isinstance(info, spec.Metadata):
            return self.text(info.type, side)
        if isinstance(info, CLASSES):
            return self._names[self._classes.of(info, side)]
        if alias := ALIASES.get(type(info)):
            self._aliases.add(alias)
            return alias.name
        return PLAIN.get(type(info)) or self._composed(info, side)

    def arguments(self, fields: Sequence[spec.Field], indent: str) -> str:
        """What a call with these parameters takes, as an object over several lines."""
        return written([self._property(field, "in", is_optional=not field.required) for field in fields], indent)

    def _composed(self, info: spec.Type, side: Side) -> str:
        match info:
            case spec.UnionType():
                return self._union(info, side)
            case spec.LiteralType():
                return " | ".join(map(literal, sorted(info.values, key=lambda value: value is None)))
            case spec.TupleType():
                return f"[{', '.join(self.text(item, side) for item in info.item_types)}]"
            case spec.DictType():
                return self._dict(info, side)
            case _ if isinstance(info, tsdoc.SEQUENCES):
                item = self.text(info.item_type, side)
                return f"({item})[]" if _is_choice(info.item_type) else f"{item}[]"
            case _:
                return "unknown"

    def _union(self, info: spec.UnionType, side: Side) -> str:
        members = sorted(info.types, key=lambda member: isinstance(member, spec.NoneType))  # which people put last
        return " | ".join(dict.fromkeys(self.text(member, side) for member in members))

    def _dict(self, info: spec.DictType, side: Side) -> str:
        value = self.text(info.value_type, side)
        keys = info.key_type
        while isinstance(keys, spec.Metadata):
            keys = keys.type
        if isinstance(keys, spec.LiteralType | spec.EnumType):
            return f"Partial<Record<{self.text(keys, side)}, {value}>>"
        # JSON's keys are strings, also those of a dict[int, ...].
        name = self.text(keys, side) if type(keys) in ALIASES else "string"
        return f"Record<{name}, {value}>"

    def _declaration(self, name: str, info: Class, side: Side) -> str:
        doc = tsdoc.comment(tsdoc.about_class(info.cls))
        if isinstance(info, spec.EnumType):
            return f"{doc}export type {name} = {_values(info.cls)};\n"
        if is_array(info):
            return f"{doc}export type {name} = {self._array(info, side)};\n"
        properties = self._tag(info) + [
            self._property(field, side, is_optional=may_be_missing(info, field, side)) for field in info.fields
        ]
        if not properties:
            return f"{doc}export type {name} = {EMPTY};\n"
        return f"{doc}export interface {name} {written(properties, '')}\n"

    def _property(self, field: spec.Field, side: Side, *, is_optional: bool) -> Property:
        about = tsdoc.about_field(field, has_default=is_optional)
        return Property(field.encode_name, self.text(field.type, side), is_optional, about)

    def _tag(self, info: WithFields) -> list[Property]:
        if not isinstance(info, spec.StructType) or info.tag_field is None:
            return []
        return [Property(info.tag_field, literal(info.tag))]

    def _array(self, info: WithFields, side: Side) -> str:
        """A tuple whose members have names, and those at the end may be left out where they have defaults."""
        members = self._tag(info)
        last = max((n for n, field in enumerate(info.fields) if not may_be_missing(info, field, side)), default=-1)
        members += [
            self._property(field, side, is_optional=n > last and may_be_missing(info, field, side))
            for n, field in enumerate(info.fields)
        ]
        if not all(map(str.isidentifier, (member.name for member in members))):  # of labels there are all or none
            return f"[{', '.join(f'({each.type})?' if each.is_optional else each.type for each in members)}]"
        if any(member.about for member in members):
            return f"[\n{''.join(member.written(INDENT, ',') for member in members)}]"
        return f"[{', '.join(member.written('', '').rstrip() for member in members)}]"


def written(properties: Sequence[Property], indent: str) -> str:
    """An object over several lines, of which the first stands where the text before it ends."""
    if not properties:
        return EMPTY
    return f"{{\n{''.join(each.written(indent + INDENT, ';') for each in properties)}{indent}}}"


def _wanted(cls: Any, info: Class) -> ts_names.Wanted:
    suffixes = SUFFIXES.values() if comes_out_otherwise(info) else [""]
    return ts_names.Wanted(ts_names.candidates(cls), [*suffixes])


def _is_choice(info: spec.Type) -> bool:
    """Is it written as several, with `|` between them?"""
    while isinstance(info, spec.Metadata):
        info = info.type
    return isinstance(info, spec.UnionType | spec.LiteralType)


def _values(cls: type[enum.Enum]) -> str:
    return " | ".join(literal(member.value) for member in cls)
