"""What is reported of a folder, where, and for which events."""

import pytest

from plugsock.checks.checker import Checker
from plugsock.checks.rules import Choice, Report
from plugsock.model import Problem
from support.checked import problems, rules
from support.folder_shapes import loaded

ORDERS = """\
class Order(Struct):
    sku: str
    notes: list

@plug
def place(order: Order) -> None: ...

@plug
def change(order: Order) -> Order: ...
"""


def test_a_type_that_events_share_is_reported_once_with_all_of_them(tmp_path):
    events = ("orders.change", "orders.place")

    assert problems(tmp_path, orders=ORDERS) == [
        ("orders.py:1", "open-struct", events),
        ("orders.py:3", "bare-container", events),
    ]


def test_a_type_of_a_helper_is_reported_in_the_helper(tmp_path):
    (tmp_path / "_shapes.py").write_text("from msgspec import Struct\n\nclass Order(Struct):\n    sku: str\n")
    use = "from ._shapes import Order\n@plug\ndef place(order: Order) -> None: ...\n"

    [(place, rule, events)] = problems(tmp_path, a=use)
    assert (place.partition(":")[0], rule, events) == ("_shapes.py", "open-struct", ("a.place",))


def test_what_only_comes_out_may_be_open(tmp_path):
    assert rules(tmp_path, "class Out(Struct):\n    x: str\n@plug\ndef f() -> Out: ...\n") == []


def test_what_no_client_calls_is_not_looked_at(tmp_path):
    text = "from plugsock import on_join\n@on_join\ndef joined(topic): print(topic)\n"
    assert rules(tmp_path, text) == []


def test_parameters_are_reported_at_their_lines_and_a_result_at_its_own(tmp_path):
    text = "@plug\ndef f(\n    a: list,\n    *,\n    b,\n) -> dict:\n    return {}\n"

    assert rules(tmp_path, text) == [(3, "bare-container"), (5, "missing-annotation"), (6, "bare-container")]


def test_a_stream_says_of_what(tmp_path):
    text = "from collections.abc import AsyncIterator\n@plug\nasync def f() -> AsyncIterator: yield 1\n"
    text += "@plug\nasync def g(): yield 1\n"

    assert rules(tmp_path, text) == [(3, "bare-container"), (5, "missing-annotation")]


@pytest.mark.parametrize(
    "text",
    [
        "@plug\ndef f() -> list: ...  # plugsock: allow bare-container\n",
        "@plug  # plugsock: allow bare-container, any\ndef f(a: list) -> dict: ...\n",
        "@plug\ndef f(\n    a: list,  # noqa: X  # plugsock: allow bare-container (for now)\n) -> None: ...\n",
        "class A(Struct):\n    a: list  # plugsock: allow bare-container\n@plug\ndef f() -> A: ...\n",
        "class A(Struct):  # plugsock: allow bare-container, open-struct\n    a: list\n@plug\ndef f(a: A) -> None: ...\n",
        "@plug(examples=[{'a': 1}])  # plugsock: allow wrong-example\ndef f(a: str) -> None: ...\n",
    ],
)
def test_a_comment_silences_a_rule_for_what_it_stands_behind(tmp_path, text):
    assert rules(tmp_path, text) == []


def test_a_comment_is_for_its_own_rule_and_place_alone(tmp_path):
    text = "@plug\ndef f(\n    a: list,  # plugsock: allow any\n    b: list,\n) -> list[str]: ...\n"

    assert rules(tmp_path, text) == [(3, "bare-container"), (4, "bare-container")]


def test_above_all_of_a_file_it_is_for_all_of_it(tmp_path):
    text = '"""A page."""\n# plugsock: allow bare-container\nfrom plugsock import plug\n@plug\ndef f() -> list: ...\n'
    (tmp_path / "whole.py").write_text(text)

    assert problems(tmp_path) == []


def test_a_comment_that_can_not_be_followed_is_a_problem(tmp_path):
    [(line, message)] = rules(tmp_path, "x = 1  # plugsock: allow bare-contaner\n@plug\ndef f() -> str: ...\n")

    assert (line, message.partition(":")[0]) == (1, "there is no rule 'bare-contaner' (did you mean bare-container?)")


def test_rules_are_chosen_for_the_whole_folder(tmp_path):
    text = "@plug\ndef f(a: int) -> list: ...\n"

    assert rules(tmp_path, text, allow=["bare-container"]) == []
    assert rules(tmp_path, text, require=["unbounded-integer"]) == [(2, "bare-container"), (2, "unbounded-integer")]


def test_what_somebody_else_has_found_is_silenced_at_the_function_too(tmp_path):
    text = "@plug  # plugsock: allow wrong-return\ndef f() -> str:\n    return 1\n@plug\ndef g() -> str: ...\n"
    with loaded(tmp_path, a=text) as catalog:
        checker, file = Checker(catalog, Choice()), str(tmp_path / "a.py")
        found = [Problem(file, 5, "no text", ("a.f",)), Problem(file, 6, "no text", ("a.g",))]
        counting = checker.counting("wrong-return", found)

    assert counting == [Report(file, 6, "no text [wrong-return]", ("a.g",), (), "wrong-return")]
