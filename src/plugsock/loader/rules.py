"""The rule for topics that plug authors write at the top of a file: `topic("room.*", history=100)`. Light, as `declare`."""

import re
import sys
from types import FrameType
from typing import Any, Final

from msgspec import Struct

from plugsock.errors import DeclareError
from plugsock.loader.options import LONGEST_S, check_flag, is_number
from plugsock.loader.requires import normalised_for_topics
from plugsock.model import TOPIC, TOPIC_FORM, Required, Requires, TopicRule

RULES: Final = "__plugsock_topics__"
"""Name in a module for the list of what was said in it."""

PATTERN: Final = re.compile(rf"{TOPIC.pattern}|[A-Za-z0-9_.:/-]{{1,126}}[.:/]\*|\*")
"""A topic, or a wildcard for all that begin so."""

MOST_HISTORY: Final = 100_000
"""Pushes; Centrifugo, too, leaves their number to the author, and what they may take in bytes is bounded besides."""


class Said(Struct, frozen=True):
    """A rule, and where it stands."""

    rule: TopicRule
    requires: Requires
    line: int


def topic(
    pattern: str,
    /,
    *,
    requires: Required = None,
    history: int = 0,
    ttl: float = 60.0,
    presence: bool = False,
) -> None:
    """Let clients join topics by themselves: said at the top level of a plug file, about all topics of a pattern.

    Of several rules that fit a topic, the one with the longest pattern counts, and one without `*` before all others.

    Args:
        pattern: A topic, or all that begin so: `"room.*"`, `"orders:*"`, `"files/*"`, `"*"`.
        requires: What somebody must have to be in such a topic: as in `plug`, but the field in it is what `*` stands
            for: `"room.read:{*}"`. Default: nothing.
        history: So many of the latest pushes are kept for those who come back.
        ttl: For so many seconds.
        presence: Tell members who else is there, who joins and who leaves.

    Raises:
        DeclareError: It can't be said so, or not here.
    """
    if callable(pattern):
        raise DeclareError("topic marks no function: it is said by itself, above or below them, as topic('room.*')")
    frame = sys._getframe(1)
    if frame.f_locals is not frame.f_globals:
        raise DeclareError(
            f"topic({pattern!r}) must stand at the top level of a plug file, not in a function, class or comprehension: "
            "a `for` loop says several"
        )
    _check(pattern, history, ttl, presence)
    rule = TopicRule(str.__str__(pattern), int(history), float(ttl), presence)
    _keep(frame, Said(rule, normalised_for_topics(requires, pattern), frame.f_lineno))


def _keep(frame: FrameType, said: Said) -> None:
    # Into the module that says it, by its frame: a rule has no name there by which it could be found, as functions are.
    # Modules are staged side by side, and dropped: one list of all rules would not know which of them hold.
    frame.f_globals.setdefault(RULES, []).append(said)


def _check(pattern: Any, history: Any, ttl: Any, presence: Any) -> None:
    if not isinstance(pattern, str) or not PATTERN.fullmatch(pattern):
        raise DeclareError(
            f"topic({pattern!r}) must name a topic ({TOPIC_FORM}) or all that begin so: "
            '"room.*", "orders:*", "files/*", "*"'
        )
    if isinstance(history, bool) or not isinstance(history, int) or not 0 <= history <= MOST_HISTORY:
        raise DeclareError(f"history={history!r} must be a whole number from 0 to {MOST_HISTORY}")
    if not (is_number(ttl) and 0 < ttl <= LONGEST_S):
        raise DeclareError(f"ttl={ttl!r} must be more than 0 and at most {LONGEST_S} seconds")
    check_flag("presence", presence)
