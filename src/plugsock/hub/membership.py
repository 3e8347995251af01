"""Who is in which topic. Pure: nobody is told here, and the time is told."""

from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct

from plugsock.hub.history import Histories, History
from plugsock.hub.presence import Names, Presence
from plugsock.hub.rules import Rule, Rules
from plugsock.model import Requires, User


class Attendant(Protocol):
    """What is asked of whoever is in topics."""

    id: str
    user: User | None
    topics: set[str]
    """Those that it is in; changed here alone."""


P = TypeVar("P", bound=Attendant)

MOST_TOPICS: Final = 100_000
"""When there are so many, what is pushed where nobody is is not kept any more, so that a plug which makes names up can't
fill the memory: an empty topic takes some 2 KiB. Who comes there later is told that nothing can be recovered."""


class Seat(Struct):
    """How somebody is in a topic."""

    id: str
    """What it is called there."""
    is_own: bool
    """It has joined by itself; else a plug has put it in."""
    data: bytes | None
    """What a plug has said of it last, as JSON."""


class Topic(Generic[P]):
    """One topic.

    Attributes:
        name: What it is called.
        rule: Its rule, if it has one.
        needs: What it takes to be in it; None if nobody may.
        members: Who is in it, in the order of their joining.
        presence: The same, as those who are told see it.
        history: What was pushed lately, if its rule keeps that.
    """

    __slots__ = ("history", "members", "name", "needs", "presence", "rule")

    def __init__(self, name: str, rule: Rule | None) -> None:
        self.name = name
        self.rule = rule
        self.needs = needs_of(name, rule)
        self.members: dict[P, Seat] = {}
        self.presence = Presence(is_told=self.has_presence)
        self.history: History | None = None

    @property
    def has_presence(self) -> bool:
        """Are its members told who else is there?"""
        return self.rule is not None and self.rule.rule.presence


def needs_of(name: str, rule: Rule | None) -> Requires | None:
    """What it takes to be in a topic; None if nobody may."""
    return () if rule is None else rule.needs(name)


class Membership(Generic[P]):
    """All topics that anybody is in, or of which anything is kept.

    Attributes:
        rules: Those in force.
        histories: What was pushed on them.
    """

    def __init__(self) -> None:
        self.rules = Rules()
        self.histories = Histories()
        self._names = Names()
        self._topics: dict[str, Topic[P]] = {}

    def __iter__(self) -> Iterator[Topic[P]]:
        return iter(tuple(self._topics.values()))

    def __len__(self) -> int:
        return len(self._topics)

    def get(self, name: str) -> Topic[P] | None:
        """A topic, if there is one of that name."""
        return self._topics.get(name)

    def rule_of(self, name: str) -> Rule | None:
        """The rule of a topic, whether or not there is one of that name."""
        topic = self._topics.get(name)
        return self.rules.of(name) if topic is None else topic.rule

    def keeps(self, name: str) -> bool:
        """Is what is pushed on a topic kept, even if nobody is there?"""
        if name not in self._topics and len(self._topics) >= MOST_TOPICS:
            return False
        rule = self.rule_of(name)
        return rule is not None and rule.rule.history > 0 and rule.needs(name) is not None

    def at(self, name: str, now: float) -> Topic[P]:
        """A topic, which is there from now on; whoever asks puts somebody in, or keeps something of it."""
        topic = self._topics.get(name)
        if topic is None:
            rule = self.rules.of(name)
            topic = self._topics[name] = Topic(name, rule)
            if rule is not None and rule.rule.history:
                topic.history = self.histories.open(name, rule.rule, now)
        return topic

    def enter(self, peer: P, topic: Topic[P], data: bytes | None, *, is_own: bool) -> bool:
        """Put somebody in, or say something new of somebody who is; was it not in?"""
        seat = topic.members.get(peer)
        if seat is not None:
            seat.is_own = seat.is_own and is_own
            seat.data = seat.data if data is None else data
            topic.presence.say(seat.id, data)
            return False
        seat = topic.members[peer] = Seat(self._names.of(peer.id, peer.user), is_own, data)
        topic.presence.enter(seat.id, None if peer.user is None else peer.user.id, data)
        peer.topics.add(topic.name)
        return True

    def leave(self, peer: P, topic: Topic[P], now: float) -> Seat:
        """Take somebody out who is in."""
        seat = topic.members.pop(peer)
        topic.presence.leave(seat.id)
        peer.topics.discard(topic.name)
        if not topic.members and (topic.history is None or not self.histories.rest(topic.history, now)):
            self.forget(topic)
        return seat

    def rename(self, peer: P, topic: Topic[P]) -> bool:
        """See whether somebody who is in has become somebody else, and let them be that; have they?"""
        seat = topic.members[peer]
        name = self._names.of(peer.id, peer.user)
        if seat.id == name:
            return False
        topic.presence.leave(seat.id)
        seat.id = name
        topic.presence.enter(name, None if peer.user is None else peer.user.id, seat.data)
        return True

    def forget(self, topic: Topic[P]) -> None:
        """Nobody is in it and nothing of it is needed any more."""
        if topic.history is not None:
            self.histories.drop(topic.history)
            topic.history = None
        self._topics.pop(topic.name, None)

    def sweep(self, now: float) -> None:
        """Forget what is over."""
        for name in self.histories.sweep(now):
            topic = self._topics.get(name)
            if topic is not None and not topic.members:
                self.forget(topic)

    def govern(self, rules: Rules, now: float) -> list[Topic[P]]:
        """Put rules in force; which topics have another one now. Who may not be in these any more is still there."""
        self.rules = rules
        changed = []
        for topic in self:
            rule = rules.of(topic.name)
            if rule == topic.rule:
                continue
            self._govern(topic, rule, now)
            changed.append(topic)
        return changed

    def _govern(self, topic: Topic[P], rule: Rule | None, now: float) -> None:
        topic.rule, topic.needs = rule, needs_of(topic.name, rule)
        topic.presence.tell(is_told=topic.has_presence)
        if rule is not None and rule.rule.history:
            if topic.history is None:
                topic.history = self.histories.open(topic.name, rule.rule, now)
            else:
                self.histories.bound(topic.history, rule.rule, now)
        elif topic.history is not None:
            self.histories.drop(topic.history)
            topic.history = None
            if not topic.members:
                self.forget(topic)
