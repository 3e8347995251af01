"""What somebody may do: permissions, wildcards and denials, and whether they meet what an event requires. Pure.

    rights = (what the token says, with what was granted), without what is denied

A permission is a name in parts: `orders.read`, `orders.read:berlin`. What a user holds, and what is denied, may end in
a wildcard: `orders.*` is everything that begins with `orders.`, and `*` is everything. It never stands for a part of a
part, and `orders.*` is not `orders` itself.

Texts are compared as they are: upper and lower case differ, and only ASCII is taken, so that no two permissions look
alike. What is no permission, a value of a payload may have made it, is allowed to nobody.
"""

import re
from collections.abc import Iterable
from typing import Final

from plugsock.model import HELD, PERMISSION, PERMISSION_FORM, Requires

LONGEST: Final = 128
"""Characters of a permission, with its wildcard; see `model.PERMISSION`."""

VALUE: Final = re.compile(r"[A-Za-z0-9_/-]{1,64}")
"""What can be put into a permission so that it is one part of it: with a `.` or `:` in it, it could be several, and
whoever holds `tenant.acme.*` would be let through to the tenant `acme.x`."""

KEPT: Final = 1024
"""Answers that are remembered for one user. The permissions of a few dozen events are the usual; more come from fields
of payloads, which are the client's to choose."""


def check_permission(text: str) -> None:
    """Make sure that a text is a permission.

    Raises:
        ValueError: It is none; the text shows what it was, letters that only look right included.
    """
    if PERMISSION.fullmatch(text) is None:
        raise ValueError(f"{_shown(text)} is no permission: that is {PERMISSION_FORM}")


def check_pattern(text: str) -> None:
    """Make sure that a text is a permission, or a wildcard for several.

    Raises:
        ValueError: It is neither.
    """
    if HELD.fullmatch(text) is None:
        raise ValueError(
            f"{_shown(text)} is no permission: that is {PERMISSION_FORM};"
            " with `.*` or `:*` at its end it is all that begin so, and `*` alone is everything"
        )


def overlap(one: str, other: str) -> bool:
    """Is there a permission that both patterns stand for?"""
    start, begin = one.removesuffix("*"), other.removesuffix("*")
    return one == other or (one != start and begin.startswith(start)) or (other != begin and start.startswith(begin))


class Patterns:
    """A set of patterns.

    Attributes:
        texts: The patterns.
    """

    __slots__ = ("_exact", "_starts", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        """Take them apart.

        Raises:
            ValueError: One of them is no pattern.
        """
        self.texts = frozenset(texts)
        for text in self.texts:
            check_pattern(text)
        self._starts = tuple(text[:-1] for text in self.texts if text.endswith("*"))
        self._exact = frozenset(text for text in self.texts if not text.endswith("*"))

    def cover(self, pattern: str) -> bool:
        """Does one of them stand for all that a permission or a pattern stands for?"""
        return pattern in self._exact or pattern.removesuffix("*").startswith(self._starts)


class Rights:
    """What one user may do. It never changes: after a grant or a revoke there is another one.

    Attributes:
        version: Tells it from earlier ones of the same socket.
        met: Requirements that are known to be met, so that asking again costs one look.
    """

    __slots__ = ("_denied", "_held", "_known", "met", "version")

    def __init__(self, held: Iterable[str], denied: Iterable[str] = (), version: int = 0) -> None:
        """Put together what is held and what is denied.

        Raises:
            ValueError: One of them is no pattern.
        """
        self._held = Patterns(held)
        self._denied = Patterns(denied)
        self._known: dict[str, bool] = {}
        self.version = version
        self.met: set[Requires] = {()}

    def allows(self, permission: str) -> bool:
        """Is a permission held, and not denied?"""
        known = self._known.get(permission)
        return self._find_out(permission) if known is None else known

    def meets(self, requires: Requires) -> bool:
        """Is at least one permission of each inner tuple held, and not denied?"""
        if requires in self.met:
            return True
        if not all(any(map(self.allows, any_of)) for any_of in requires):
            return False
        # A text that is no permission may stand beside one that is held, and be as long as a payload.
        if all(len(text) <= LONGEST for any_of in requires for text in any_of):
            _make_room(self.met)
            self.met.add(requires)
        return True

    def listing(self) -> list[str]:
        """What a client is told, for its menus: what is held, then, each after a `!`, what of that is denied.

        `["orders.*", "!orders.delete"]` is all that begins with `orders.` but `orders.delete`. A client that reads it
        so comes to the same answers as `allows`. What is denied and not held anyway is not told.
        """
        held = sorted(text for text in self._held.texts if not self._denied.cover(text))
        within = Patterns(text for text in held if text.endswith("*"))
        return held + sorted(f"!{text}" for text in self._denied.texts if within.cover(text))

    def _find_out(self, permission: str) -> bool:
        if PERMISSION.fullmatch(permission) is None:
            return False
        _make_room(self._known)
        known = self._known[permission] = self._held.cover(permission) and not self._denied.cover(permission)
        return known


NOBODY: Final = Rights(())
EVERYBODY: Final = Rights(("*",))
"""Of a socket that has not said whose it is."""


def _make_room(answers: dict[str, bool] | set[Requires]) -> None:
    if len(answers) >= KEPT:
        answers.clear()


def _shown(text: str) -> str:
    """As it is written in ASCII, where letters that look alike differ."""
    return ascii(text if len(text) <= LONGEST else f"{text[:LONGEST]}...")
