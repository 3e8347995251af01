"""What this Python has written into the code of a function."""

import sys
from types import SimpleNamespace

import pytest

from plugsock.hot.adaptive import forms, why_not


def named(function, name):
    """The one instruction of that name, and how it looks now."""
    ((place, form),) = [(place, form) for place, form in forms(function.__code__) if place.name == name]
    return place, form


def test_what_meets_one_type_gets_a_form_for_it_which_stays():
    def add(a, b):
        return a + b

    for _ in range(1000):
        add(1, 2)
    place, form = named(add, "BINARY_OP")
    for _ in range(1000):
        add(1, 2)

    assert (place.detail, form.name, form.is_special) == ("+", "BINARY_OP_ADD_INT", True)
    assert named(add, "BINARY_OP")[1] == form


def test_what_meets_two_moves():
    def add(a, b):
        return a + b

    looks = set()
    for _ in range(1000):
        add(1, 2)
        add("1", "2")
        looks.add(named(add, "BINARY_OP")[1])

    assert len(looks) > 1


def test_what_has_no_form_for_its_type_stays_general():
    def add(a, b):
        return a + b

    before = named(add, "BINARY_OP")[1]
    for _ in range(1000):
        add([1], [2])
    after = named(add, "BINARY_OP")[1]

    assert not after.is_special
    assert after != before


def test_what_does_not_run_does_not_move():
    def add(a, b):
        return a + b if a else None

    for _ in range(1000):
        add(0, 2)
    before = named(add, "BINARY_OP")[1]
    for _ in range(1000):
        add(0, 2)

    assert named(add, "BINARY_OP")[1] == before
    assert not before.has_given_up


def test_it_is_said_where_in_the_source_an_instruction_comes_from():
    def add(a, b):
        return a + b

    line = add.__code__.co_firstlineno + 1
    assert named(add, "BINARY_OP")[0].position == (line, 15, line, 20)


def test_a_python_that_is_traced_can_not_tell():
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        why = why_not()
    finally:
        sys.settrace(before)

    assert "while it is traced" in why


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with 3.12")
def test_a_python_that_is_monitored_can_not_tell():
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "it")
    monitoring.set_events(4, monitoring.events.LINE)
    try:
        why = why_not()
    finally:
        monitoring.set_events(4, 0)
        monitoring.free_tool_id(4)

    assert "while it is traced" in why


def test_another_python_can_not_tell(monkeypatch):
    monkeypatch.setattr(sys, "implementation", SimpleNamespace(name="pypy"))

    assert why_not().startswith("only CPython tells what it specialises, and this is ")
