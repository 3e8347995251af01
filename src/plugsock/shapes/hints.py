"""What msgspec checks and leaves out of the schemas that it makes: times that may lack a zone, and the keys of tables."""

import enum
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from msgspec import inspect as spec

CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
DATE: Final = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
ZONE: Final = r"([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)"

LOCAL_DATETIME: Final = rf"^{DATE}[Tt ]{CLOCK}$"
ANY_DATETIME: Final = rf"^{DATE}[Tt ]{CLOCK}{ZONE}?$"
LOCAL_TIME: Final = rf"^{CLOCK}$"
ANY_TIME: Final = rf"^{CLOCK}{ZONE}?$"
"""Of RFC 3339 what msgspec reads, with or without the zone that the standard's formats ask for."""

NATURAL: Final = r"^(0|[1-9]\d*)$"
INTEGER: Final = r"^-?(0|[1-9]\d*)$"
NUMBER: Final = r"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$"
"""As JSON writes them; keys are always strings."""

MOMENTS: Final[dict[tuple[type[spec.Type], bool | None], dict[str, Any]]] = {
    (spec.DateTimeType, None): {"pattern": ANY_DATETIME},
    (spec.DateTimeType, False): {"pattern": LOCAL_DATETIME},
    (spec.DateTimeType, True): {"format": "date-time"},
    (spec.TimeType, None): {"pattern": ANY_TIME},
    (spec.TimeType, False): {"pattern": LOCAL_TIME},
    (spec.TimeType, True): {"format": "time"},
}
"""By type and whether it has a zone, where None is for either."""

KEYS: Final[dict[type[spec.Type], dict[str, Any]]] = {
    spec.IntType: {"pattern": INTEGER},
    spec.FloatType: {"pattern": NUMBER},
    spec.UUIDType: {"format": "uuid"},
    spec.DateType: {"format": "date"},
    spec.TimeDeltaType: {"format": "duration"},
    spec.DecimalType: {"format": "decimal"},
    spec.BytesType: {"contentEncoding": "base64"},
    spec.MemoryViewType: {"contentEncoding": "base64"},
}
"""As msgspec describes a value of such a type, but for the numbers."""

_NOTES: Final = frozenset({"default", "deprecated", "description", "examples", "title"})
"""What may be said of a type without saying another thing than msgspec does."""

_Pairs: TypeAlias = Iterator[tuple[spec.Type, dict[str, Any]]]


def hint(types: Sequence[Any], schemas: Sequence[dict[str, Any]], components: dict[str, Any]) -> None:
    """Add to schemas, in place, what is checked and not said there.

    Args:
        types: What was described.
        schemas: What `msgspec.json.schema_components` says of each.
        components: What it says of the classes that these name.
    """
    waiting: list[tuple[spec.Type, dict[str, Any]]] = list(zip(spec.multi_type_info(types), schemas, strict=True))
    seen: set[str] = set()
    while waiting:
        info, schema = waiting.pop()
        while isinstance(info, spec.Metadata):
            if set(info.extra_json_schema or ()) - _NOTES:
                break  # the author has said how it is to be described
            info = info.type
        name = schema.get("$ref", "").rpartition("/")[2]
        if name in seen:
            continue
        if name:
            seen.add(name)
            schema = components[name]
        _add(info, schema)
        waiting += _parts(info, schema)


def _add(info: spec.Type, schema: dict[str, Any]) -> None:
    match info:
        case spec.DateTimeType() | spec.TimeType() if info.tz is not True:
            schema.pop("format", None)  # no validator knows the one for a time without a zone
            schema.update(MOMENTS[type(info), info.tz])
        case spec.DictType() | spec.FrozenDictType() if "propertyNames" not in schema:
            names = _key(info.key_type)
            if names is not None:
                schema["propertyNames"] = names
        case _:
            pass


def _key(info: spec.Type) -> dict[str, Any] | None:
    """What the keys of a table can be; None if nothing, or nothing certain, is known of that."""
    match info:
        case spec.Metadata():
            return None if set(info.extra_json_schema or ()) - _NOTES else _key(info.type)
        case spec.DateTimeType() | spec.TimeType():
            return dict(MOMENTS[type(info), info.tz])
        case spec.EnumType():
            return _choice([member.value for member in info.cls]) if _is_closed(info.cls) else None
        case spec.IntType() if (info.ge is not None and info.ge >= 0) or (info.gt is not None and info.gt >= -1):
            return {"pattern": NATURAL}
        case spec.LiteralType():
            return None if None in info.values else _choice(list(info.values))
        case spec.UnionType():
            choices = [_key(each) for each in info.types]
            return None if None in choices else {"anyOf": choices}
        case _:
            return dict(KEYS[type(info)]) if type(info) in KEYS else None


def _is_closed(cls: type[enum.Enum]) -> bool:
    """Has it only the values that it lists? Flags have more, and so has whoever finds members by itself."""
    return getattr(cls._missing_, "__func__", None) is enum.Enum._missing_.__func__  # type: ignore[attr-defined]


def _choice(values: list[Any]) -> dict[str, Any]:
    return {"enum": sorted(map(str, values))}


def _parts(info: spec.Type, schema: dict[str, Any]) -> _Pairs:
    """What a type is made of, each with its schema."""
    match info:
        case spec.UnionType():
            yield from _members(info, schema.get("anyOf", []))
        case spec.TupleType():
            yield from zip(info.item_types, schema.get("prefixItems", []), strict=False)
        case spec.CollectionType() if isinstance(schema.get("items"), dict):
            yield info.item_type, schema["items"]
        case spec.DictType() | spec.FrozenDictType() if isinstance(schema.get("additionalProperties"), dict):
            yield info.value_type, schema["additionalProperties"]
        case spec.StructType() | spec.NamedTupleType() if "prefixItems" in schema:
            fields = schema["prefixItems"]
            yield from zip((field.type for field in info.fields), fields[len(fields) - len(info.fields) :], strict=True)
        case spec.StructType() | spec.DataclassType() | spec.TypedDictType() if "properties" in schema:
            yield from ((field.type, schema["properties"][field.encode_name]) for field in info.fields)
        case _:
            pass


def _members(info: spec.UnionType, schemas: list[dict[str, Any]]) -> _Pairs:
    """Those of a union in msgspec's order: objects of the author's behind all others, and within a schema of their own."""
    objects: list[spec.Type] = []
    others: list[spec.Type] = []
    for each in info.types:
        real = each
        while isinstance(real, spec.Metadata):
            real = real.type
        if isinstance(real, spec.StructType) and not real.array_like:
            objects.append(real)
        elif not isinstance(real, spec.NoneType):
            others.append(each)
    yield from zip(others, schemas, strict=False)
    rest = schemas[len(others) :]
    if rest and "anyOf" in rest[0]:
        rest = rest[0]["anyOf"]
    yield from zip(objects, rest, strict=False)
