from plugsock.checks.rules import Choice, named, report, unknown
from plugsock.model import Problem


def test_a_report_ends_in_its_rule_and_has_its_events_in_order():
    found = report("any", "a.py", 3, "it is so", {"b", "a"})

    assert (found.message, found.events, found.rule) == ("it is so [any]", ("a", "b"), "any")


def test_what_is_allowed_does_not_count_even_if_it_is_required():
    choice = Choice(allow=frozenset({"any", "unbounded-integer"}), require=frozenset({"unbounded-integer"}))

    assert [choice.is_on(rule) for rule in ("any", "open-struct", "unbounded-integer")] == [False, True, False]
    assert not Choice().is_on("unbounded-integer")


def test_an_unknown_rule_is_said_with_all_that_there_are():
    assert unknown("opn-struct").startswith(
        "there is no rule 'opn-struct' (did you mean open-struct?): the rules are any,"
    )
    assert unknown("x").startswith("there is no rule 'x': the rules are any, bare-container,")


def test_of_what_does_not_load_only_a_union_is_a_rules():
    other = Problem("a.py", 1, "SyntaxError: invalid syntax")
    union = Problem("a.py", 1, "the type of `a` can't come: all Struct types must be tagged - `A | B`", ("a",))

    assert named(other) is other
    assert named(union).message.endswith("give each of them a tag: `class Order(Struct, tag=True)` [untagged-union]")
    assert named(union).events == ("a",)
