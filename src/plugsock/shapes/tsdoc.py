"""Comments for the declarations, as editors show them: TSDoc, with what a type says of its values as tags."""

import enum
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, get_origin

import msgspec
from msgspec import inspect as spec

from plugsock.loader import shape

TAGS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}
"""What msgspec calls it, and JSON Schema."""

SEQUENCES: Final = (spec.ListType, spec.SetType, spec.FrozenSetType, spec.VarTupleType, spec.CollectionType)
GENERATED: Final = ("An enumeration.", "")
"""What Python itself writes; for dataclasses and named tuples that is their signature."""

BYTES: Final = (spec.BytesType, spec.ByteArrayType, spec.MemoryViewType)

LENGTHS: Final[dict[tuple[type[spec.Type], ...], tuple[str, str]]] = {
    (spec.StrType,): ("minLength", "maxLength"),
    SEQUENCES: ("minItems", "maxItems"),
    (spec.DictType,): ("minProperties", "maxProperties"),
}
"""What the least and the most of each is called in JSON Schema."""


def comment(lines: Iterable[str], indent: str = "") -> str:
    """A comment with line breaks, ready to stand before what it is about; empty where there is nothing to say."""
    safe = [_safe(each) for line in lines for each in line.splitlines() or [""]]
    if not any(safe):
        return ""
    if len(safe) == 1:
        return f"{indent}/** {safe[0]} */\n"
    return "".join(f"{indent}{line}\n" for line in ("/**", *(f" * {line}".rstrip() for line in safe), " */"))


def _safe(line: str) -> str:
    """Nothing in it ends the comment, or does something to a terminal."""
    shown = "".join(char if char.isprintable() else " " for char in line)
    return shown.rstrip().replace("*/", "*\\/")


def prose(text: str) -> list[str]:
    """A docstring as lines of a comment, in which nothing is a tag that its author did not mean."""
    return [re.sub(r"^(\s*)@", r"\1\\@", line) for line in text.splitlines()]


def about_class(cls: Any) -> list[str]:
    """The docstring of a class, where its author wrote one; of an enum of numbers also what they are called."""
    cls = get_origin(cls) or cls
    lines = prose(doc_of(cls))
    members: list[enum.Enum] = list(cls) if isinstance(cls, enum.EnumType) else []
    return lines + [f"- {member.value}: {member.name}" for member in members if not isinstance(member.value, str)]


def doc_of(cls: Any) -> str:
    """The docstring of a class without its indentation, where its author wrote one."""
    cls = get_origin(cls) or cls
    doc = vars(cls).get("__doc__") or ""
    is_generated = doc in GENERATED or doc.startswith(f"{cls.__name__}(")
    return "" if is_generated else inspect.cleandoc(doc)


def descriptions(info: spec.Type) -> list[str]:
    """The title and the description that a type has of its own."""
    said = [part.extra_json_schema or {} for part in _parts(info) if isinstance(part, spec.Metadata)]
    return [line for each in said for word in ("title", "description") for line in str(each.get(word, "")).splitlines()]


def about_field(field: spec.Field, *, has_default: bool) -> list[str]:
    """What is to be said of a field: its description, and what its values have to be.

    Args:
        field: As msgspec sees it.
        has_default: It may be left out, so its default matters.
    """
    lines = about(field.type)
    default = _default(field) if has_default else None
    return lines if default is None else [*lines, f"@defaultValue {default}"]


def about(info: spec.Type) -> list[str]:
    """What a type says of its values beside being one."""
    described: list[str] = []
    tags: list[str] = []
    for part in _parts(info):
        if isinstance(part, spec.Metadata):
            said = part.extra_json_schema or {}
            described += [line for word in ("title", "description") for line in prose(str(said.get(word, "")))]
            tags += [f"@example {_json(each)}" for each in said.get("examples", ())]
            tags += ["@deprecated"] if said.get("deprecated") else []
        else:
            described += _lengths_of_bytes(part)
            tags += _constraints(part)
    return described + list(dict.fromkeys(tags))


def _parts(info: spec.Type) -> Iterator[spec.Type]:
    """A type, and where it is one or nothing, that one."""
    yield info
    if isinstance(info, spec.Metadata):
        yield from _parts(info.type)
    elif isinstance(info, spec.UnionType):
        members = [member for member in info.types if not isinstance(member, spec.NoneType)]
        if len(members) == 1:
            yield from _parts(members[0])


def _constraints(info: spec.Type) -> Iterator[str]:
    for name, tag in TAGS.items():
        if (bound := getattr(info, name, None)) is not None:
            yield f"@{tag} {bound}"
    for kinds, tags in LENGTHS.items():
        if isinstance(info, kinds):
            yield from (f"@{tag} {bound}" for tag, bound in zip(tags, _lengths(info), strict=True) if bound is not None)


def _lengths_of_bytes(info: spec.Type) -> Iterator[str]:
    """In words, because what TypeScript sees is base64, which is longer."""
    if isinstance(info, BYTES):
        words = zip(("least", "most"), _lengths(info), strict=True)
        yield from (f"At {word} {bound} bytes." for word, bound in words if bound is not None)


def _lengths(info: spec.Type) -> tuple[int | None, int | None]:
    return getattr(info, "min_length", None), getattr(info, "max_length", None)


def _default(field: spec.Field) -> str | None:
    if field.default_factory in (list, dict, set, frozenset, tuple):
        return _json(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else _json(field.default)


def _json(value: Any) -> str:
    """A value as a front end would write it; for people, so that a long one is cut."""
    try:
        text = msgspec.json.encode(value).decode()
    except Exception:  # an author's value may do what it likes
        return "..."
    return text if len(text) <= shape.DEFAULT_TEXT else f"{text[: shape.DEFAULT_TEXT - 3]}..."
