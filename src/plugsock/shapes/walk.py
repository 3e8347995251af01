"""Going through a JSON Schema: which of its parts are schemas themselves, and which are values."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any] | bool

ONE: Final = frozenset({"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"})
"""Keywords behind which a schema stands."""
MANY: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Keywords behind which a list of schemas stands."""
NAMED: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
"""Keywords behind which schemas stand under names."""


def changed(schema: Schema, change: Callable[[dict[str, Any]], Schema]) -> Schema:
    """Change a schema and all within it, from the inside out; `true` and `false` stay as they are."""
    if not isinstance(schema, dict):
        return schema
    return change({keyword: _changed(keyword, value, change) for keyword, value in schema.items()})


def _changed(keyword: str, value: Any, change: Callable[[dict[str, Any]], Schema]) -> Any:
    if keyword in ONE:
        return changed(value, change)
    if keyword in MANY:
        return [changed(each, change) for each in value]
    if keyword in NAMED:
        return {name: changed(each, change) for name, each in value.items()}
    return value
