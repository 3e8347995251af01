"""Who is in which topic, and what of a topic goes on when nobody is."""

import pytest

from plugsock.hub import membership as module
from plugsock.hub.membership import Membership
from plugsock.hub.rules import Rule, Rules
from plugsock.model import TopicRule, User


class Somebody:
    def __init__(self, id, user=None):
        self.id = id
        self.user = User(user) if user else None
        self.topics = set()


def ruled(*rules):
    membership = Membership()
    membership.govern(Rules(rules), 0.0)
    return membership


def keeping(history=5, **more):
    return Rule(TopicRule("room.*", history=history, **more))


def enter(membership, peer, name="room.a", *, is_own=True, data=None):
    topic = membership.at(name, 0.0)
    membership.enter(peer, topic, data, is_own=is_own)
    return topic


@pytest.mark.fault("R4")
def test_a_topic_is_there_while_somebody_is_in_it():
    membership = Membership()
    ada = Somebody("1", "ada")
    topic = enter(membership, ada)
    assert ada.topics == {"room.a"}
    assert membership.get("room.a") is topic
    membership.leave(ada, topic, 0.0)
    assert (ada.topics, len(membership)) == (set(), 0)


@pytest.mark.fault("R4", "R11")
def test_or_while_it_has_pushes_for_who_comes_back():
    membership = ruled(keeping(ttl_s=10.0))
    ada = Somebody("1", "ada")
    topic = enter(membership, ada)
    membership.leave(ada, topic, 0.0)
    assert len(membership) == 0, "nothing was pushed"
    topic = enter(membership, ada)
    membership.histories.add(topic.history, b"news", b"1", None, (), 1.0)
    membership.leave(ada, topic, 2.0)
    membership.sweep(11.9)
    assert membership.get("room.a") is topic
    membership.sweep(12.0)
    assert len(membership) == 0


def test_a_topic_with_somebody_in_it_is_not_swept_away_and_goes_once_they_leave_and_it_is_over():
    membership = ruled(keeping(ttl_s=10.0))
    ada = Somebody("1", "ada")
    topic = enter(membership, ada)
    membership.histories.add(topic.history, b"news", b"1", None, (), 0.0)
    membership.sweep(100.0)
    assert membership.get("room.a") is topic
    membership.leave(ada, topic, 100.0)
    membership.sweep(109.0)
    assert len(membership) == 1
    membership.sweep(110.0)
    assert len(membership) == 0


def test_whom_a_plug_has_put_in_is_not_in_by_themselves_whoever_came_first():
    membership = Membership()
    peer = Somebody("1")
    topic = enter(membership, peer, is_own=True, data=b"1")
    enter(membership, peer, is_own=False)
    enter(membership, peer, is_own=True)
    seat = topic.members[peer]
    assert (seat.is_own, seat.data) == (False, b"1")
    assert len(topic.members) == 1


def test_somebody_who_becomes_known_is_somebody_else():
    membership = Membership()
    peer = Somebody("1")
    topic = enter(membership, peer, data=b"1")
    assert not membership.rename(peer, topic)
    peer.user = User("ada")
    assert membership.rename(peer, topic)
    [entry] = topic.presence.listing()
    assert (entry.id, entry.user, entry.data) == ("ada", "ada", b"1")


def test_other_rules_change_the_topics_that_are_there_and_say_which():
    membership = ruled(keeping())
    ada = Somebody("1", "ada")
    topic, other = enter(membership, ada), enter(membership, ada, "lobby")
    epoch = topic.history.epoch
    membership.histories.add(topic.history, b"news", b"1", None, (), 1.0)
    requiring = Rule(TopicRule("room.*", history=5, presence=True), (("room:{*}",),))
    assert membership.govern(Rules([requiring]), 2.0) == [topic]
    assert (topic.needs, topic.has_presence, topic.history.epoch) == ((("room:a",),), True, epoch)
    assert topic.presence.has_changed
    assert membership.govern(Rules([requiring]), 2.0) == []
    assert membership.govern(Rules(), 3.0) == [topic]
    assert (topic.history, topic.needs, membership.histories.bytes) == (None, (), 0)
    assert membership.govern(Rules([keeping()]), 4.0) == [topic]
    assert topic.history.epoch != epoch
    assert other.rule is None


def test_what_is_kept_of_a_topic_with_nobody_in_it_goes_with_its_rule():
    membership = ruled(keeping())
    topic = membership.at("room.a", 0.0)
    membership.histories.add(topic.history, b"news", b"1", None, (), 0.0)
    membership.govern(Rules(), 1.0)
    assert len(membership) == 0
    assert membership.histories.bytes == 0


def test_pushes_are_kept_where_a_rule_says_so_and_somebody_could_be():
    membership = ruled(keeping(), Rule(TopicRule("shop.*", history=5), (("shop:{*}",),)), Rule(TopicRule("a")))
    assert [membership.keeps(name) for name in ("room.a", "shop.a", "shop.a.b", "a", "b")] == [
        *(True, True, False, False, False)
    ]


def test_where_there_are_too_many_topics_nothing_new_is_kept_for_nobody(monkeypatch):
    monkeypatch.setattr(module, "MOST_TOPICS", 1)
    membership = ruled(keeping())
    enter(membership, Somebody("1"), "room.a")
    assert membership.keeps("room.a")
    assert not membership.keeps("room.b")
