"""Whether all numbers, texts or lengths that one JSON Schema lets pass, pass another of the same type too."""

import re
from typing import Any, Final

LOWER: Final = ("minLength", "minItems", "minProperties")
UPPER: Final = ("maxLength", "maxItems", "maxProperties")
SAME: Final = ("pattern", "format", "contentEncoding", "uniqueItems")
"""Keywords that let nothing pass but what they had let pass before: another one may let anything pass."""


def is_within(narrow: dict[str, Any], wide: dict[str, Any]) -> bool:
    """Is all that fits one within the bounds of the other?"""
    is_whole = narrow.get("type") == "integer"
    return (
        _lowest(narrow, is_whole=is_whole) >= _lowest(wide, is_whole=is_whole)
        and _highest(narrow, is_whole=is_whole) <= _highest(wide, is_whole=is_whole)
        and all(narrow.get(keyword, 0) >= wide.get(keyword, 0) for keyword in LOWER)
        and all(narrow.get(keyword, float("inf")) <= wide.get(keyword, float("inf")) for keyword in UPPER)
        and all(keyword not in wide or narrow.get(keyword) == wide[keyword] for keyword in SAME)
        and _is_multiple(narrow.get("multipleOf"), wide.get("multipleOf"))
    )


def holds(schema: dict[str, Any], value: Any) -> bool:
    """Does one value, of the schema's own type, keep to its bounds?"""
    if isinstance(value, str):
        if "format" in schema or "contentEncoding" in schema:
            return False  # whether it is one would have to be known in all validators' ways
        is_long = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", float("inf"))
        return is_long and ("pattern" not in schema or re.search(schema["pattern"], value) is not None)
    if isinstance(value, int) and not isinstance(value, bool):
        return is_within({"type": "integer", "minimum": value, "maximum": value, "multipleOf": value}, schema)
    return True


def _lowest(schema: dict[str, Any], *, is_whole: bool) -> tuple[float, bool]:
    """The bound, and whether it is itself outside; the larger, the narrower."""
    low, beyond = schema.get("minimum", float("-inf")), schema.get("exclusiveMinimum")
    if beyond is None:
        return low, False
    return max((low, False), (beyond + 1, False) if is_whole else (beyond, True))


def _highest(schema: dict[str, Any], *, is_whole: bool) -> tuple[float, bool]:
    """The same from above: the smaller, the narrower."""
    high, beyond = schema.get("maximum", float("inf")), schema.get("exclusiveMaximum")
    if beyond is None:
        return high, True
    return min((high, True), (beyond - 1, True) if is_whole else (beyond, False))


def _is_multiple(narrow: float | None, wide: float | None) -> bool:
    return wide is None or (narrow is not None and narrow % wide == 0)
