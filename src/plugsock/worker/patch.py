"""What has changed between two JSON texts, as a JSON Merge Patch (RFC 7396).

The texts are compared as they are written, level by level, and what is not an object is never decoded: `1`, `1.0` and
`true` are three values, and a list of a thousand numbers is compared as fast as its bytes. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

DEEPEST: Final = 16
"""Levels of objects in each other: each is read once for every level above it."""

_Object = dict[str, msgspec.Raw]

_members: Final = msgspec.json.Decoder(_Object).decode
_encode: Final = msgspec.json.Encoder().encode


def merge_patch(old: bytes, new: bytes) -> bytes | None:
    """What makes `new` of `old`; None if no merge patch can say that, or only one as long as `new`.

    It can't where something becomes null, for null removes a member; and it has nothing to say of what is no object.

    Args:
        old: JSON.
        new: Likewise.
    """
    try:
        patch = _encode(_patch(old, new, DEEPEST))
    except _Unsayable:
        return None
    return patch if len(patch) < len(new) else None


def with_values(patch: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """The same patch with members of the value in place of its own, where the value is of another format.

    Args:
        patch: From `merge_patch`, decoded.
        value: What it makes, as the other format tells it: with bytes and times, say, where JSON has texts.
    """
    return {
        name: None if said is None else with_values(said, value[name]) if isinstance(said, dict) else value[name]
        for name, said in patch.items()
    }


class _Unsayable(Exception):
    """No merge patch says this."""


def _patch(old: bytes, new: bytes, depth: int) -> dict[str, Any]:
    if not (_is_object(old) and _is_object(new) and depth):
        raise _Unsayable
    before, after = _members(old), _members(new)
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        was = before.get(name)
        if was is None or bytes(was) != bytes(value):
            patch[name] = _member(b"" if was is None else bytes(was), bytes(value), depth - 1)
    return patch


def _member(old: bytes, new: bytes, depth: int) -> Any:
    """What a patch says of one member that has changed."""
    if new == b"null":
        raise _Unsayable
    if not _is_object(new):
        return msgspec.Raw(new)
    # An object takes the place of what is none as it would that of an empty one.
    return _patch(old if _is_object(old) else b"{}", new, depth)


def _is_object(text: bytes) -> bool:
    return text[:1] == b"{"
