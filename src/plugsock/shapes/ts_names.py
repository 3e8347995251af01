"""Names that TypeScript takes: for classes, each another one, for keys and for literals."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeVar, get_origin

from msgspec import Struct

from plugsock.loader import shape

K = TypeVar("K", bound=Hashable)

RESERVED: Final = frozenset(
    {
        # what TypeScript has as types, or as words of its own
        *("any", "bigint", "boolean", "never", "null", "number", "object", "string", "symbol", "undefined", "unknown"),
        *(
            "void",
            "break",
            "case",
            "catch",
            "class",
            "const",
            "continue",
            "debugger",
            "default",
            "delete",
            "do",
            "else",
        ),
        *("enum", "export", "extends", "false", "finally", "for", "function", "if", "import", "in", "instanceof"),
        *("new", "return", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "while", "with"),
        *("implements", "interface", "let", "package", "private", "protected", "public", "static", "yield", "await"),
        # what the declarations use themselves
        *("Array", "ArrayBuffer", "Partial", "Record", "Uint8Array", "ErrorCode", "Plugs"),
    }
)
"""What no class can be called."""

PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def key(name: str) -> str:
    """A name as the key of an object: quoted where it is no identifier."""
    return name if PLAIN_KEY.fullmatch(name) else literal(name)


def literal(value: Any) -> str:
    """A string, number, boolean or None as a type of just this value."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


class Wanted(Struct, frozen=True):
    """What a class could be called."""

    names: Sequence[str]
    """The shorter first."""
    suffixes: Sequence[str] = ("",)
    """What else is named after it: it needs each of its names with all of these."""

    def those(self, level: int) -> Iterator[str]:
        """All that it takes up if it gets the name of this level."""
        return (self.names[level] + suffix for suffix in self.suffixes)


def candidates(cls: Any) -> list[str]:
    """What a class could be called, the shorter first: `Order`, or by the module that it is in `ShopOrder`.

    `Page[Order]` is `PageOrder`; one class in another has the other's name before its own if that is needed.

    Args:
        cls: A class, or a generic one with its arguments.
    """
    whole = get_origin(cls) or cls
    own = whole.__name__
    arguments = shape.text(cls).removeprefix(own) if whole is not cls else ""
    inside = whole.__qualname__.replace("<locals>", "").removesuffix(own)
    module = whole.__module__.removeprefix("plugs.").title()
    parts = [own, f"{inside}{own}", f"{module}.{inside}{own}"]
    return list(dict.fromkeys(_identifier(part + arguments) for part in parts))


def _identifier(text: str) -> str:
    """Make one word of many: `page[list[int]]` is `pageListInt`."""
    words = "".join(char if f"_{char}".isidentifier() else " " for char in text).split()
    if len(words) > 1:
        words = [part for word in words for part in word.split("_")]
        words[1:] = [word[:1].upper() + word[1:] for word in words[1:]]
    name = "".join(words)
    return name if name.isidentifier() else f"_{name}"


def distinct(wanted: Mapping[K, Wanted], taken: Collection[str] = RESERVED) -> dict[K, str]:
    """Give each its shortest name that nobody else wants.

    Of several that want one name none gets it, so that no name changes its meaning when another order comes up. Where
    nothing else tells them apart, they are numbered.

    Args:
        wanted: What each could be called.
        taken: What nobody may be called.
    """
    levels = dict.fromkeys(wanted, 0)
    while clashing := _clashing(wanted, levels, taken):
        for one in clashing:
            levels[one] += 1
    found: dict[K, str] = {}
    used = {*taken}
    for one, want in wanted.items():
        name = want.names[levels[one]]
        numbered = (f"{name}{n}" if n > 1 else name for n in count(1))
        found[one] = next(free for free in numbered if used.isdisjoint(free + suffix for suffix in want.suffixes))
        used.update(found[one] + suffix for suffix in want.suffixes)
    return found


def _clashing(wanted: Mapping[K, Wanted], levels: Mapping[K, int], taken: Collection[str]) -> set[K]:
    """All that share a name and could have a longer one."""
    by_name: dict[str, list[K]] = defaultdict(list)
    for one, want in wanted.items():
        for name in want.those(levels[one]):
            by_name[name].append(one)
    shared = {one for name, those in by_name.items() if len(those) > 1 or name in taken for one in those}
    return {one for one in shared if levels[one] + 1 < len(wanted[one].names)}
