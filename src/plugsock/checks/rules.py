"""The rules by name, and what is reported."""

import difflib
from collections.abc import Collection
from typing import Final

from msgspec import Struct, structs

from plugsock.model import Problem

ANY: Final = "any"
BARE_CONTAINER: Final = "bare-container"
UNTAGGED_UNION: Final = "untagged-union"
MISSING_ANNOTATION: Final = "missing-annotation"
OPEN_STRUCT: Final = "open-struct"
BIG_INTEGER: Final = "big-integer"
UNBOUNDED_INTEGER: Final = "unbounded-integer"
WRONG_EXAMPLE: Final = "wrong-example"
WRONG_RETURN: Final = "wrong-return"
BREAKING_CHANGE: Final = "breaking-change"

RULES: Final = (
    *(ANY, BARE_CONTAINER, UNTAGGED_UNION, MISSING_ANNOTATION, OPEN_STRUCT, BIG_INTEGER, UNBOUNDED_INTEGER),
    *(WRONG_EXAMPLE, WRONG_RETURN, BREAKING_CHANGE),
)
OFF: Final = frozenset({UNBOUNDED_INTEGER})
"""Rules that are off unless somebody requires them."""


UNTAGGED: Final = ("all Struct types must be tagged", "more than one dict-like type")
"""How msgspec says that it could not tell the members of a union apart."""


class Report(Problem, frozen=True):
    """What a rule says of a place."""

    rule: str = ""


class Choice(Struct, frozen=True):
    """Which rules count for a whole folder."""

    allow: frozenset[str] = frozenset()
    """Rules that are off."""
    require: frozenset[str] = frozenset()
    """Rules that are on although they are off by default."""

    def is_on(self, rule: str) -> bool:
        """Does a rule count? What is both allowed and required does not."""
        return rule not in self.allow and (rule not in OFF or rule in self.require)


def report(rule: str, file: str, line: int, sentence: str, events: Collection[str] = ()) -> Report:
    """Put a report together; its message ends in the name of the rule."""
    return Report(file, line, f"{sentence} [{rule}]", tuple(sorted(events)), (), rule)


def named(problem: Problem) -> Problem:
    """A problem of loading, as a report where it is what a rule is about; the file is not served either way."""
    if not any(sign in problem.message for sign in UNTAGGED):
        return problem
    told = f"{problem.message}; give each of them a tag: `class Order(Struct, tag=True)`"
    return structs.replace(
        report(UNTAGGED_UNION, problem.file, problem.line, told, problem.events), needs=problem.needs
    )


def unknown(rule: str) -> str:
    """Say that there is no such rule, and which there are."""
    near = difflib.get_close_matches(rule, RULES, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"there is no rule {rule!r}{hint}: the rules are {', '.join(RULES)}"
