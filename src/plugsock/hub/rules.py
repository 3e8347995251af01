"""Which rule a topic has, and what that requires of whoever is in it. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from plugsock.hub.rights import VALUE
from plugsock.model import Requires, TopicRule

STAR = "{*}"
"""In a permission: what the `*` of the rule's pattern stands for."""


class Rule(Struct, frozen=True):
    """A rule for topics, and what it requires."""

    rule: TopicRule
    requires: Requires = ()

    @property
    def start(self) -> str:
        """What all its topics begin with; of a rule for one topic its name."""
        return self.rule.pattern.removesuffix("*")

    @property
    def is_exact(self) -> bool:
        """Is it for one topic?"""
        return not self.rule.pattern.endswith("*")

    def needs(self, topic: str) -> Requires | None:
        """What it takes to be in one of its topics; None if no permission can be about that, so nobody may."""
        value = topic.removeprefix(self.start)
        is_value = VALUE.fullmatch(value) is not None
        needs = [
            tuple(text.replace(STAR, value) for text in any_of if is_value or STAR not in text)
            for any_of in self.requires
        ]
        return tuple(needs) if all(needs) else None


class Rules:
    """The rules in force. The most specific one counts: that for the topic alone, then the one that says most of it."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.all = frozenset(rules)
        self._exact = {rule.rule.pattern: rule for rule in self.all if rule.is_exact}
        wild = [rule for rule in self.all if not rule.is_exact]
        self._wild = sorted(((rule.start, rule) for rule in wild), key=lambda pair: len(pair[0]), reverse=True)

    def of(self, topic: str) -> Rule | None:
        """The rule of a topic, if there is one. `room.*` is none for `room.` itself."""
        exact = self._exact.get(topic)
        if exact is not None:
            return exact
        for start, rule in self._wild:
            if topic.startswith(start) and len(topic) > len(start):
                return rule
        return None
