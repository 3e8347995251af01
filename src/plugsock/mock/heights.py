"""How deep the smallest value of a type is, so that what is made up of types that contain themselves comes to an end."""

import math
from typing import Final, TypeAlias

from msgspec import NODEFAULT
from msgspec import inspect as spec

ENDLESS: Final = math.inf
"""A value of this type would always contain another one of it."""

Object: TypeAlias = spec.StructType | spec.DataclassType | spec.TypedDictType | spec.NamedTupleType
Items: TypeAlias = spec.ListType | spec.SetType | spec.FrozenSetType | spec.VarTupleType
Table: TypeAlias = spec.DictType | spec.FrozenDictType


class Heights:
    """The heights of a type and of all within it."""

    def __init__(self, info: spec.Type) -> None:
        self._classes: dict[int, float] = {}
        self._known: dict[int, spec.Type] = {}
        self._collect(info)
        # A class is as high as those in it; what is found in one round decides others in the next, and never gets higher.
        while any(self._lowers(key, each) for key, each in self._known.items()):
            pass

    def of(self, info: spec.Type) -> float:
        """0 for what holds nothing else, one more than its highest part for the others, `ENDLESS` if there is no value."""
        match info:
            case spec.Metadata():
                return self.of(info.type)
            case spec.UnionType():
                return min(map(self.of, info.types))
            case spec.TupleType():
                return 1 + max(map(self.of, info.item_types), default=0)
            case spec.ExtType():
                return ENDLESS
            case _ if isinstance(info, Items):
                return 1 + self.of(info.item_type) if info.min_length else 0
            case _ if isinstance(info, Table):
                return 1 + max(self.of(info.key_type), self.of(info.value_type)) if info.min_length else 0
            case _:
                return self._classes.get(id(info), 0)

    def _lowers(self, key: int, info: spec.Type) -> bool:
        assert isinstance(info, Object)
        height = 1 + max((self.of(field.type) for field in needed(info)), default=0)
        is_lower = height < self._classes[key]
        self._classes[key] = height
        return is_lower

    def _collect(self, info: spec.Type) -> None:
        if id(info) in self._known:
            return
        if isinstance(info, Object):
            self._known[id(info)] = info
            self._classes[id(info)] = ENDLESS
        for part in _parts(info):
            self._collect(part)


def needed(info: Object) -> tuple[spec.Field, ...]:
    """The fields without which there is no value; others may be left out."""
    if not (isinstance(info, spec.StructType) and info.array_like):
        return tuple(field for field in info.fields if field.required)
    # All before one that is needed are; and where UNSET is the default, an array has no way to say that.
    last = max((place for place, field in enumerate(info.fields, 1) if field.required or _is_unset(field)), default=0)
    return info.fields[:last]


def _is_unset(field: spec.Field) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def _parts(info: spec.Type) -> list[spec.Type]:
    match info:
        case spec.Metadata():
            return [info.type]
        case spec.UnionType():
            return list(info.types)
        case spec.TupleType():
            return list(info.item_types)
        case _ if isinstance(info, Items):
            return [info.item_type]
        case _ if isinstance(info, Table):
            return [info.key_type, info.value_type]
        case _ if isinstance(info, Object):
            return [field.type for field in info.fields]
        case _:
            return []
