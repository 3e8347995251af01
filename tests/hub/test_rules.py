"""Which rule a topic has, and what that requires."""

import pytest

from plugsock.hub.rules import Rule, Rules
from plugsock.model import TopicRule


def rule(pattern, *requires):
    return Rule(TopicRule(pattern), tuple((each,) if isinstance(each, str) else each for each in requires))


@pytest.mark.parametrize(
    ("topic", "pattern"),
    [
        ("room.kitchen", "room.*"),
        ("room.vip.bar", "room.vip.*"),
        ("room.vip", "room.*"),
        ("room.lobby", "room.lobby"),
        ("room.lobby.x", "room.*"),
        ("room.", "*"),
        ("room", "*"),
        ("orders:7", "orders:*"),
        ("files/a/b", "files/*"),
    ],
)
def test_the_most_specific_rule_counts(topic, pattern):
    rules = Rules(map(rule, ["*", "room.*", "room.vip.*", "room.lobby", "orders:*", "files/*"]))
    assert rules.of(topic).rule.pattern == pattern


def test_a_topic_may_have_no_rule():
    rules = Rules([rule("room.*")])
    assert [rules.of(topic) for topic in ("room", "room.", "rooms.a", "lobby")] == [None] * 4
    assert Rules().of("room.a") is None


def test_what_the_star_stands_for_is_filled_in():
    read = rule("room.*", "room.read:{*}", ("staff", "room.write:{*}"))
    assert read.needs("room.kitchen") == (("room.read:kitchen",), ("staff", "room.write:kitchen"))


@pytest.mark.parametrize("value", ["a.b", "a:b", "*", "x" * 65, ""])
def test_what_could_be_several_parts_of_a_permission_is_none(value):
    assert rule("room.*", "room.read:{*}").needs(f"room.{value}") is None
    assert rule("room.*", ("room.read:{*}", "staff")).needs(f"room.{value}") == (("staff",),)
    assert rule("room.*", "staff").needs(f"room.{value}") == (("staff",),)


def test_a_rule_may_require_nothing():
    assert rule("room.*").needs("room.a.b") == ()
    assert rule("lobby", "staff").needs("lobby") == (("staff",),)


def test_rules_are_the_same_if_they_say_the_same():
    assert Rules([rule("a"), rule("b")]).all == Rules([rule("b"), rule("a")]).all
    assert Rules([rule("a")]).all != Rules([rule("a", "staff")]).all
