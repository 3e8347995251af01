"""What a type looks like from outside: as text for people, as a hash for machines, and what its values may hold."""

import dataclasses
import enum
import hashlib
import inspect
import re
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import inspect as spec

DEFAULT_TEXT: Final = 40
"""Characters of a default that are shown; longer ones are cut."""


def text(annotation: Any) -> str:
    """A type as its author would write it: `list[str]`, `Order | None`."""
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is ...:
        return "..."
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return text(args[0])
    if origin in (Union, types.UnionType):
        return " | ".join(text(arg) for arg in args)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    if origin is not None and args:
        return f"{_name(origin)}[{', '.join(text(arg) for arg in args)}]"
    return _name(annotation)


def _name(annotation: Any) -> str:
    return str(getattr(annotation, "__name__", None) or annotation).removeprefix("typing.")


def whole_text(annotation: Any) -> str:
    """A payload type with its fields, where it is one class: `Order(sku: str, count: int = 1)`."""
    try:
        info = spec.type_info(annotation)
    except TypeError:
        return text(annotation)
    if not isinstance(info, spec.StructType | spec.DataclassType | spec.TypedDictType):
        return text(annotation)
    hints = typing.get_type_hints(get_origin(info.cls) or info.cls, include_extras=True)
    fields = (_field_text(field, hints.get(field.name, Any)) for field in info.fields)
    return f"{info.cls.__name__}({', '.join(fields)})"


def _field_text(field: spec.Field, annotation: Any) -> str:
    if field.required:
        return f"{field.encode_name}: {text(annotation)}"
    default = field.default if field.default is not msgspec.NODEFAULT else ...
    return f"{field.encode_name}: {text(annotation)} = {value_text(default)}"


def parameter_text(name: str, annotation: Any, default: Any) -> str:
    """One parameter: `times: int = 1`."""
    declared = f"{name}: {text(annotation)}"
    return declared if default is inspect.Parameter.empty else f"{declared} = {value_text(default)}"


def value_text(value: Any) -> str:
    """A default as people read it, short, on one line, whatever its `repr` does."""
    if value is ...:
        return "..."
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    try:
        shown = re.sub(r"\s+", " ", repr(value))
    except Exception:
        return "..."
    return shown if len(shown) <= DEFAULT_TEXT else f"{shown[: DEFAULT_TEXT - 3]}..."


def digest(kind: str, *annotations: Any) -> str:
    """Hash of the shapes of types: 8 hex digits, the same in every process, unmoved by docstrings."""
    whole = hashlib.sha256(kind.encode() + b"\n")
    for annotation in annotations:
        whole.update(_canonical(annotation) + b"\n")
    return whole.hexdigest()[:8]


def _canonical(annotation: Any) -> bytes:
    try:
        schema = msgspec.json.schema(annotation)
    except (TypeError, NotImplementedError):  # what JSON schema has no word for, such as a custom type
        return text(annotation).encode()
    return msgspec.json.encode(_without_prose(schema), order="deterministic")


def _without_prose(schema: Any) -> Any:
    """Drop docstrings and class names; a field called `title` is a dict here and stays."""
    if isinstance(schema, dict):
        return {
            key: _without_prose(value)
            for key, value in schema.items()
            if not (key in ("description", "title") and isinstance(value, str))
        }
    return [_without_prose(member) for member in schema] if isinstance(schema, list) else schema


@dataclasses.dataclass(frozen=True, slots=True)
class Holds:
    """What values of a type may hold that an encoder has trouble with."""

    foreign: str | None = None
    """Name of a class in it that can't come over the wire."""
    nan: bool = True
    """A float may be in it, so a NaN or infinity may be: JSON has no word for these."""
    odd_keys: bool = True
    """A dict with keys that are not plain strings may be in it."""
    integer: bool = True
    """An integer may be in it, so one beyond 64 bits may be: MessagePack has no word for these."""


def holds(annotation: Any) -> Holds:
    """Look through a type, its fields and members.

    Raises:
        TypeError: msgspec can't make a decoder for it; the text says why.
    """
    foreign, nan, odd_keys, integer = None, False, False, False
    for leaf in _leaves(spec.type_info(annotation), set()):
        match leaf:
            case spec.AnyType() | spec.RawType() | spec.ExtType():
                nan = odd_keys = integer = True
            case spec.CustomType():
                nan = odd_keys = integer = True
                foreign = foreign if leaf.cls is object else leaf.cls.__name__
            case spec.FloatType():
                nan = True
            case spec.IntType() | spec.EnumType():
                integer = True
            case spec.DictType() if not isinstance(leaf.key_type, spec.StrType):
                odd_keys = True
            case _:
                pass
    return Holds(foreign=foreign, nan=nan, odd_keys=odd_keys, integer=integer)


def _leaves(info: spec.Type, seen: set[type]) -> Iterator[spec.Type]:
    """Every type within a type, each class once (classes may contain themselves)."""
    cls = getattr(info, "cls", None)
    if cls is not None:
        if cls in seen:
            return
        seen.add(cls)
    yield info
    for name in info.__struct_fields__:
        for member in _types_in(getattr(info, name)):
            yield from _leaves(member, seen)


def _types_in(value: Any) -> Iterator[spec.Type]:
    if isinstance(value, spec.Type):
        yield value
    elif isinstance(value, spec.Field):
        yield value.type
    elif isinstance(value, tuple):
        for member in value:
            yield from _types_in(member)
