"""A JSON Schema in the words of Python: `list[Order] | None`."""

import json
from typing import Any, Final

from plugsock.shapes.walk import Schema

WORDS: Final = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None"}
FORMATS: Final = {"date-time": "datetime", "date": "date", "time": "time", "uuid": "UUID"}
JSON: Final = {"object": "an object", "array": "an array"}

BOUNDS: Final = {
    "minimum": "ge",
    "exclusiveMinimum": "gt",
    "maximum": "le",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
    "pattern": "pattern",
}
"""Keywords and what `msgspec.Meta` calls them."""

LONGEST: Final = 80
"""Characters of a type in a sentence."""


def words(schema: Schema) -> str:
    """A schema as its author may have written the type, short, with its bounds."""
    text = _words(schema)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def both(was: Schema, now: Schema, *, whole_was: Schema, whole_now: Schema) -> tuple[str, str]:
    """Two types so that they can be told apart: by their JSON type where they are called the same.

    Args:
        was: As it is referred to.
        now: Likewise.
        whole_was: What is referred to.
        whole_now: Likewise.
    """
    one, other = words(was), words(now)
    if one != other:
        return one, other
    if isinstance(whole_was, dict) and isinstance(whole_now, dict):
        one, other = _kind(one, whole_was), _kind(other, whole_now)
    return one, other


def _kind(text: str, schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if kind in JSON:
        return f"{text} ({JSON[kind]})"
    return f"{text} ({_words(schema)})"


def _words(schema: Schema) -> str:
    if not isinstance(schema, dict):
        return "Any"
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix("#/$defs/"))
    if "anyOf" in schema:
        return " | ".join(map(_words, schema["anyOf"]))
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(each, ensure_ascii=False) for each in schema['enum'])}]"
    kind = schema.get("type", "")
    text = {"array": _array, "object": _object, "string": _string}.get(kind, _plain)(schema)
    bounds = ", ".join(f"{name}={schema[keyword]}" for keyword, name in BOUNDS.items() if keyword in schema)
    return f"{text} ({bounds})" if bounds and kind != "array" else text


def _plain(schema: dict[str, Any]) -> str:
    return WORDS.get(schema.get("type", ""), "Any")


def _string(schema: dict[str, Any]) -> str:
    return "bytes" if schema.get("contentEncoding") == "base64" else FORMATS.get(schema.get("format", ""), "str")


def _array(schema: dict[str, Any]) -> str:
    items = schema.get("items", True)
    if "prefixItems" in schema:
        more = [] if items in (True, False) else [f"*{_words(items)}"]
        return f"tuple[{', '.join([*map(_words, schema['prefixItems']), *more])}]"
    bounds = [
        f"{name}={schema[key]}"
        for key, name in (("minItems", "min_length"), ("maxItems", "max_length"))
        if key in schema
    ]
    text = "list" if items is True else f"{'set' if schema.get('uniqueItems') else 'list'}[{_words(items)}]"
    return f"{text} ({', '.join(bounds)})" if bounds else text


def _object(schema: dict[str, Any]) -> str:
    if "properties" in schema:
        return str(schema.get("title") or "object")
    values = schema.get("additionalProperties", True)
    return "dict" if values is True else f"dict[str, {_words(values)}]"
