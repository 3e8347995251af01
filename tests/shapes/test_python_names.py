"""What Python takes for names, literals and docstrings, whatever authors have written."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.shapes.python_names import OURS, attributes, docstring, imports, literal, or_unset


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("count", "count"),
        ("class", "class_"),
        ("match", "match"),
        ("list", "list"),
        ("Struct", "Struct_"),
        ("x-y", "x_y"),
        ("3d", "_3d"),
        ("__private", "private"),
        ("__", "_"),
        ("_own", "_own"),
        ("größe", "größe"),
    ],
)
def test_a_name_stays_as_much_like_itself_as_python_lets_it(name, expected):
    assert attributes([name], OURS) == {name: expected}


def test_no_two_are_called_alike_and_who_is_called_so_anyway_keeps_it():
    assert attributes(["a-b", "a_b", "a.b", "a_b2"], ()) == {"a_b": "a_b", "a-b": "a_b3", "a.b": "a_b4", "a_b2": "a_b2"}


@given(st.lists(st.text(max_size=4), unique=True, max_size=6))
def test_all_are_names(names):
    found = attributes(names, OURS)

    assert set(found) == set(names)
    assert len(set(found.values())) == len(names)
    for attribute in found.values():
        ast.parse(f"class A:\n    def {attribute}(self): self.{attribute}")
        assert not attribute.startswith("__")


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.binary(max_size=6))
def test_a_literal_is_its_value(value):
    assert repr(eval(literal(value), {"float": float})) == repr(value)


def test_a_literal_has_the_quotes_that_people_use():
    assert [literal(each) for each in ("a", "it's", 'a"b', b"x", 1, None)] == [
        '"a"',
        '"it\'s"',
        "'a\"b'",
        'b"x"',
        "1",
        "None",
    ]


@given(st.lists(st.text(alphabet='a"\\ \n\t\x1b\u2028é', max_size=8), max_size=4))
def test_a_docstring_is_one_whatever_is_in_it(lines):
    written = docstring(lines, "    ")
    body = ast.parse(f"def f():\n{written}    return\n").body[0].body

    assert len(body) == (2 if written else 1)
    assert "\x1b" not in written


def test_a_type_that_may_be_left_out():
    assert [or_unset(each) for each in ("int", "int | None", "None", "Any", "ANone")] == [
        "int | UnsetType",
        "int | UnsetType | None",
        "UnsetType | None",
        "Any",
        "ANone | UnsetType",
    ]


def test_what_is_used_is_imported_and_what_is_only_talked_about_is_not():
    assert imports('def f(at: dt.date) -> Any:\n    """Final, View."""\n    return UNSET, msgspec, Raw, Meta\n') == (
        "import datetime as dt\nfrom typing import Any\n\n"
        "import msgspec\nfrom msgspec import UNSET, Meta\nfrom plugsock import Raw\n"
    )
