"""From what somebody wrote to a setting's value, or one sentence that says what would have been right."""

import re
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from plugsock.settings import KIB, MIB, MockPattern, Origin, Setting

SHOWN: Final = 60
"""Characters of a wrong value that are repeated in the message."""

_SIZE: Final = re.compile(r"(\d{1,15})\s*(KiB|MiB|GiB)", re.IGNORECASE)
_FACTOR: Final = {"kib": KIB, "mib": MIB, "gib": 1024 * MIB}


def from_text(setting: Setting, text: str) -> Any:
    """Convert what stood on the command line or in the environment; a list's values are separated by commas.

    Raises:
        ValueError: It is none; the message says what is expected.
    """
    value: Any = text.strip()
    if setting.is_list:
        value = [part.strip() for part in value.split(",") if part.strip()]
    return _convert(setting, value, strict=False)


def from_toml(setting: Setting, value: Any) -> Any:
    """Convert what stood in plugsock.toml, where numbers and lists have their own types.

    Raises:
        ValueError: It is none; the message says what is expected.
    """
    if setting.is_counts:
        if isinstance(value, str):
            return from_text(setting, value)
        value = [_digits(count) for count in (value if isinstance(value, list) else [value])]
    return _convert(setting, value, strict=True)


def expected(setting: Setting) -> str:
    """What a setting may be, for people: `a whole number from 0 to 65535`."""
    bounds = next((note for note in getattr(setting.type, "__metadata__", ()) if isinstance(note, msgspec.Meta)), None)
    base = getattr(setting.type, "__origin__", setting.type) if bounds else setting.type
    if setting.is_size and bounds:
        return f"a number of bytes such as 65536, 64KiB or 1MiB, at most {size(int(bounds.le or 0))}"
    if base is float and bounds:
        return f"seconds, more than {bounds.gt:g} and at most {bounds.le:g}"
    if base is int and bounds:
        return f"a whole number from {bounds.ge} to {bounds.le}"
    if base is bool:
        return "true or false"
    if get_origin(base) is Literal:
        return " or ".join(get_args(base))
    if setting.is_counts:
        return "auto, a number as 4, a range as 2-8, or one of them for a name as reports=2"
    if setting.is_list:
        if Origin in get_args(setting.type):
            return "origins such as https://example.org, without a path, or *"
        if MockPattern in get_args(setting.type):
            return "events such as orders.place, orders.* for all that begin so, or * for all"
        return "names such as example.org or example.org:8443"
    return "a path" if setting.is_path else "a text that is not empty"


def size(count: int) -> str:
    """A number of bytes as one would write it: `64KiB`."""
    for unit in ("GiB", "MiB", "KiB"):
        if count and count % _FACTOR[unit.lower()] == 0:
            return f"{count // _FACTOR[unit.lower()]}{unit}"
    return str(count)


def _convert(setting: Setting, value: Any, *, strict: bool) -> Any:
    if setting.is_size and isinstance(value, str) and (said := _SIZE.fullmatch(value)):
        value = int(said[1]) * _FACTOR[said[2].lower()]
    try:
        return _path(value) if setting.is_path else msgspec.convert(value, setting.type, strict=strict)
    except msgspec.ValidationError as wrong:
        raise ValueError(f"expected {expected(setting)}, not {_shown(value)}") from wrong


def _digits(count: Any) -> Any:
    return str(count) if type(count) is int else count


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise msgspec.ValidationError
    return Path(value).expanduser()


def _shown(value: Any) -> str:
    text = ascii(value) if not (isinstance(value, str) and value.isprintable()) else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
