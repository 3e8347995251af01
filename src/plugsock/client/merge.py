"""JSON Merge Patch, RFC 7396: what has changed in a document, as a document."""

from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Apply a patch: its fields take the place of the target's, field by field all the way down; null takes one away.

    Anything but an object, a list too, replaces the target as a whole. What is given stays as it is.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged
