"""Which classes types are made of, and which of these come out otherwise than they go in.

What has a default may be left out by who calls a plug, and is there in what a plug returns. So a class with defaults is
two to TypeScript: `Order`, as it comes out, and `OrderInput`.
"""

import typing
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, TypeAlias, get_origin

import msgspec
from msgspec import inspect as spec

from plugsock.loader.annotations import union_members

Side: TypeAlias = Literal["in", "out"]

WithFields: TypeAlias = spec.StructType | spec.DataclassType | spec.TypedDictType | spec.NamedTupleType
Class: TypeAlias = WithFields | spec.EnumType
"""What keeps its name."""

WITH_FIELDS: Final = (spec.StructType, spec.DataclassType, spec.TypedDictType, spec.NamedTupleType)
CLASSES: Final = (*WITH_FIELDS, spec.EnumType)


class Classes:
    """All classes that some types are made of, each for the sides on which it looks different.

    Args:
        used: The types, and on which side each is used.
    """

    def __init__(self, used: Iterable[tuple[spec.Type, Side]]) -> None:
        self.found: dict[tuple[Any, Side], Class] = {}
        """By class and side, in the order in which they come up."""
        for info, side in used:
            for part in within(info):
                if isinstance(part, CLASSES):
                    self.found[self.of(part, side)] = part

    def of(self, info: Class, side: Side) -> tuple[Any, Side]:
        """The class as it is on this side; one that is the same on both counts as coming out."""
        return info.cls, "in" if side == "in" and comes_out_otherwise(info) else "out"


def comes_out_otherwise(info: spec.Type) -> bool:
    """Is there anything in it that may be left out on one side and not on the other?"""
    return any(_differs(part) for part in within(info))


def within(info: spec.Type) -> Iterator[spec.Type]:
    """A type and every type in it, each class once."""
    seen: set[Any] = set()
    left = [info]
    while left:
        part = left.pop()
        if isinstance(part, CLASSES):
            if part.cls in seen:
                continue
            seen.add(part.cls)
        yield part
        left += reversed(_members(part))


def _members(info: spec.Type) -> list[spec.Type]:
    match info:
        case spec.UnionType():
            return list(info.types)
        case spec.TupleType():
            return list(info.item_types)
        case spec.DictType():
            return [info.key_type, info.value_type]
        case spec.StructType() | spec.DataclassType() | spec.TypedDictType() | spec.NamedTupleType():
            return [field.type for field in info.fields]
        case spec.Metadata():
            return [info.type]
        case _ if (item := getattr(info, "item_type", None)) is not None:
            return [item]
        case _:
            return []


def is_array(info: spec.Type) -> bool:
    """Is it an array whose members have names?"""
    return isinstance(info, spec.NamedTupleType) or (isinstance(info, spec.StructType) and info.array_like)


def may_be_missing(info: WithFields, field: spec.Field, side: Side) -> bool:
    """May a field be left out on this side?"""
    if side == "in" or isinstance(info, spec.TypedDictType):
        return not field.required
    if is_array(info):
        return False
    config = getattr(info.cls, "__struct_config__", None)
    leaves_out_defaults = config is not None and config.omit_defaults and not field.required
    return leaves_out_defaults or may_be_unset(info.cls, field.name)


def may_be_unset(cls: Any, name: str) -> bool:
    """Does a class say of a field that it may not be there at all (`UNSET`)?"""
    try:
        hints = typing.get_type_hints(get_origin(cls) or cls)
    except Exception:  # msgspec finds names where typing does not look
        return False
    return msgspec.UnsetType in union_members(hints.get(name))


def _differs(info: spec.Type) -> bool:
    return isinstance(info, WITH_FIELDS) and any(
        may_be_missing(info, field, "in") != may_be_missing(info, field, "out") for field in info.fields
    )
