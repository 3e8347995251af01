"""The classes that types are made of, as classes of their own: each with fields a Struct, each enum an enum.

Dataclasses, `TypedDict`s and named tuples are Structs to a client, too: what goes over the wire is the same, and their
fields can be called what Python takes.
"""

import enum
from collections.abc import Sequence
from typing import Any, Final, get_origin, get_type_hints

import msgspec
from msgspec import Struct, structs
from msgspec import inspect as spec

from plugsock.shapes import tsdoc
from plugsock.shapes.python_names import BUILTINS, OURS, attributes, docstring, literal, or_unset
from plugsock.shapes.python_types import Types
from plugsock.shapes.ts_classes import Class, WithFields, is_array, may_be_unset

INDENT: Final = "    "

UNSAYABLE: Final = "UNSET"
"""As a default: it is left out of what is sent, and the plug has its own."""

MADE: Final = "default_factory="
"""How a default begins that is made anew each time."""

EMPTY: Final = (list, dict, set, frozenset, tuple, bytearray)
"""Functions that make a default which is the same each time."""

ENUMS: Final = ((int, "IntEnum"), (str, "StrEnum"))


class _Field(Struct):
    name: str
    """In Python."""
    encoded: str
    type: str
    default: str | None
    about: Sequence[str]

    def written(self) -> str:
        """As lines."""
        assigned = self._assigned()
        default = f" = {assigned}" if assigned else ""
        return f"{INDENT}{self.name}: {self.type}{default}\n{docstring(self.about, INDENT)}"

    def _assigned(self) -> str:
        default = self.default or ""
        is_made = default.startswith(MADE)
        if self.encoded == self.name and not is_made:
            return default
        options = [default if is_made else f"default={default}"] if default else []
        if self.encoded != self.name:
            options.append(f"name={literal(self.encoded)}")
        return f"msgspec.field({', '.join(options)})"


def declaration(name: str, info: Class, types: Types) -> str:
    """The whole class, several lines of Python."""
    if isinstance(info, spec.EnumType):
        return _enum(name, info.cls)
    fields = _fields(info, types)
    doc = docstring(tsdoc.doc_of(info.cls).splitlines(), INDENT)
    return _class(f"{name}({', '.join(['Struct', *_options(info, fields)])})", doc, [each.written() for each in fields])


def _class(head: str, doc: str, members: Sequence[str]) -> str:
    parts = [part for part in (doc, "".join(members)) if part] or [f"{INDENT}pass\n"]
    return f"class {head}:\n" + "\n".join(parts)


def _options(info: WithFields, fields: Sequence[_Field]) -> list[str]:
    options = ["frozen=True"] if _is_frozen(info) else []
    config = getattr(info.cls, "__struct_config__", None)
    if isinstance(info, spec.StructType) and info.tag_field is not None:
        options += [f"tag_field={literal(info.tag_field)}", f"tag={literal(info.tag)}"]
    if is_array(info):
        options.append("array_like=True")
    if config is not None and config.omit_defaults:
        options.append("omit_defaults=True")
    has_default = [field.default is not None for field in fields]
    if has_default != sorted(has_default):
        options.append("kw_only=True")
    return options


def _is_frozen(info: WithFields) -> bool:
    """Can it be in a set, or the key of a dict?"""
    cls = get_origin(info.cls) or info.cls
    config = getattr(cls, "__struct_config__", None) or getattr(cls, "__dataclass_params__", None)
    return isinstance(info, spec.NamedTupleType) or (config is not None and bool(config.frozen))


def _fields(info: WithFields, types: Types) -> list[_Field]:
    hints = _hints(info.cls)
    names = attributes((field.name for field in info.fields), OURS | set(types.names.values()))
    hidden = BUILTINS.intersection(names.values())
    found = []
    for field in info.fields:
        default = _default(info, field, hints.get(field.name, msgspec.UNSET), types, hidden)
        text = types.text(field.type, hidden)
        found.append(_Field(names[field.name], field.encode_name, text, default, tsdoc.descriptions(field.type)))
    unsayable = [n for n, field in enumerate(found) if field.default == UNSAYABLE]
    if is_array(info) and unsayable:  # nothing can be left out but at the end, and what is not set would be null
        for each in found[: unsayable[-1] + 1]:
            each.default = None
    for n in unsayable:
        if found[n].default == UNSAYABLE:
            found[n].type = or_unset(found[n].type)
    return found


def _hints(cls: Any) -> dict[str, Any]:
    """The types of its fields as its author wrote them; none where they can't be found out."""
    try:
        if hasattr(cls, "__struct_fields__"):
            return {field.name: field.type for field in structs.fields(cls)}
        return get_type_hints(get_origin(cls) or cls, include_extras=True)
    except Exception:  # msgspec finds names where typing does not look
        return {}


def _default(info: WithFields, field: spec.Field, hint: Any, types: Types, hidden: frozenset[str]) -> str | None:
    """A field's default; None where it has none."""
    if field.required:
        return UNSAYABLE if may_be_unset(info.cls, field.name) else None
    if field.default_factory in EMPTY:
        name = field.default_factory.__name__
        return f"{MADE}{f'builtins.{name}' if name in hidden else name}"
    if field.default is msgspec.NODEFAULT or field.default is msgspec.UNSET or hint is msgspec.UNSET:
        return UNSAYABLE
    try:
        encoded = msgspec.json.encode(field.default, order="deterministic")
        value = msgspec.json.decode(encoded, type=hint)
    except Exception:  # it is the author's object, and may raise what it likes
        return UNSAYABLE
    return _value(value, encoded, types.text(field.type), types)


def _value(value: Any, encoded: bytes, type: str, types: Types) -> str:
    if isinstance(value, enum.Enum):
        return f"{types.names[value.__class__]}.{_members(value.__class__)[value.name]}"
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return literal(value)
    return f"{MADE}lambda: msgspec.json.decode({literal(encoded)}, type={type})"


def _enum(name: str, cls: type[enum.Enum]) -> str:
    base = next((base for kind, base in ENUMS if issubclass(cls, kind)), "Enum")
    doc = docstring(tsdoc.doc_of(cls).splitlines(), INDENT)
    members = _members(cls)
    lines = [f"{INDENT}{members[member.name]} = {literal(member.value)}\n" for member in cls]
    return _class(f"{name}({base})", doc, lines)


def _members(cls: type[enum.Enum]) -> dict[str, str]:
    return attributes((member.name for member in cls), {"mro", "name", "value"})
