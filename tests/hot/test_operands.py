"""Which expressions an instruction works on, by what this Python's compiler says of where it comes from."""

import ast
import sys
import textwrap

import pytest

from plugsock.hot.adaptive import forms
from plugsock.hot.operands import Operands, text


def found(body):
    """Of each instruction of a function: its name, and what it works on."""
    source = f"def it(a, b, c):\n{textwrap.indent(body, '    ')}\n"
    code = compile(source, "it.py", "exec").co_consts[0]
    sources = Operands(ast.parse(source))
    return [(place.name, [text(node) for node in sources.of(place.name, place.position)]) for place, _ in forms(code)]


@pytest.mark.parametrize(
    ("body", "names", "operands"),
    [
        ("return a + b * c", {"BINARY_OP"}, ["a", "b * c"]),
        ("return a + b * c", {"BINARY_OP"}, ["b", "c"]),
        ("a += b", {"BINARY_OP"}, ["a", "b"]),
        ("return a < b", {"COMPARE_OP"}, ["a", "b"]),
        ("return a[b]", {"BINARY_SUBSCR", "BINARY_OP"}, ["a", "b"]),
        ("a[b] = c", {"STORE_SUBSCR"}, ["a", "b"]),
        ("return a.x", {"LOAD_ATTR"}, ["a"]),
        ("a.x.y = b", {"STORE_ATTR"}, ["a.x"]),
        ("return a(b, *c)", {"CALL_FUNCTION_EX", "CALL"}, None),
        ("return a(b, c)", {"CALL"}, ["a", "b", "c"]),
        ("return a.go(b)", {"CALL"}, ["a.go", "b"]),
        ("return (a\n    .go(b)\n    .then(c))", {"CALL"}, ["a.go(b).then", "c"]),
        ("return (a\n    .go(b)\n    .then(c))", {"LOAD_ATTR", "LOAD_METHOD"}, ["a.go(b)"]),
        ("x, y = a.pair", {"UNPACK_SEQUENCE"}, ["a.pair"]),
    ],
)
def test_they_are_the_parts_of_where_it_comes_from(body, names, operands):
    seen = [each for name, each in found(body) if name in names]

    assert operands is None or operands in seen


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 specialises no loop")
@pytest.mark.parametrize("body", ["for x in a.items:\n    pass", "return [x for x in a.items]"])
def test_of_a_loop_it_is_what_it_goes_through(body):
    assert ("FOR_ITER", ["a.items"]) in found(body)


def test_of_a_choice_it_is_what_is_looked_at():
    sources = Operands(ast.parse("a or b"))

    assert [text(node) for node in sources.of("TO_BOOL", (1, 0, 1, 6))] == ["a"]


def test_where_nothing_is_seen_there_is_nothing():
    assert Operands(ast.parse("a + b")).of("BINARY_OP", (1, 0, 1, 3)) == []
    assert Operands(ast.parse("a + b")).of("TO_BOOL", (1, 0, 1, 3)) == []
    assert Operands(ast.parse("for a, b in c: pass")).of("UNPACK_SEQUENCE", (1, 4, 1, 8)) == []


def test_a_long_expression_is_cut():
    node = ast.parse("f(" + "x" * 100 + ")").body[0].value

    assert text(node) == "f(" + "x" * 35 + "..."
