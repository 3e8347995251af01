"""Functions that say which types they meet, and do the same as before."""

import ast
import sys
import types

import pytest

from plugsock.hot.met import NAME, Met

RICH = '''
from __future__ import annotations
from contextlib import contextmanager

class Base:
    def __init__(self, x=1):
        self.__x = x
    def value(self):
        return self.__x
    def __getitem__(self, key):
        return key

class Child(Base):
    """A class that asks its base."""
    def value(self):
        return super().value() + 1

@contextmanager
def within(value):
    yield value

def outer(add):
    count = 0
    def inner(by: int = 2) -> int:
        nonlocal count
        count += by
        return count + add
    return inner

closure = outer(10)

def numbers(upto):
    left = yield from range(upto)
    return left

def choose(value):
    match value:
        case {"kind": Base.__name__ | "b", **rest}:
            return rest
        case [first, *others]:
            return first, others
        case Child() as child:
            return child.value()
        case None | 3:
            return "none"

def it(a, *rest, key="k", **named):
    """Everything at once."""
    total: int = 0
    grid = {}
    grid[a, 1] = [1, 2, *rest]
    grid[a, 1] += [5]
    total += a; total -= 1
    for n, each in enumerate(rest):
        total += each if n % 2 else -each
    first, (second, *others) = 1, (2, 3, 4)
    text = f"{total:>{a + 3}} {key!r} {[x * 2 for x in rest if x]}"
    pairs = {k: v for k, v in named.items()} | {**named}
    sliced = Base()[1:2, a], rest[:1], text[-1]
    double = lambda y, z=2: y * z
    both = (lambda q: q)(1), (lambda q: q + 1)(1)
    try:
        raise KeyError(a)
    except (KeyError, ValueError) as error:
        caught = error.args
    finally:
        total += 1
    with within(a) as one, within(2):
        total += one
    while (left := total % 3) > 0:
        total -= left
    assert total is not None, text
    del grid[a, 1]
    chosen = [choose(x) for x in ({"kind": "b", "c": 1}, [1, 2], Child(), None)]
    print(text, end="", file=__import__("io").StringIO())
    return (total, text, pairs, sliced, double(a), both, caught, closure(), closure(by=3), list(numbers(3)), chosen,
            first, second, others, not a, a and key, 0 < a < 10, sorted(rest, key=lambda x: -x), any(x for x in rest),
            locals()["a"])
'''


def loaded(text, name="it"):
    """A function of a text that was loaded as a module, its tree, and all code of its functions."""
    module = types.ModuleType("it")
    sys.modules["it"] = module
    whole = compile(text, "it.py", "exec")
    exec(whole, module.__dict__)
    codes = []

    def add(code):
        codes.append(code)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                add(constant)

    add(whole)
    return getattr(module, name), ast.parse(text), codes


def test_they_do_what_they_did_before():
    plain, _, _ = loaded(RICH)
    expected = plain(2, 3, 4, key="b", c=1)
    function, tree, codes = loaded(RICH)
    own = function.__code__

    with Met(tree, "it.py", codes):
        assert function.__code__ is not own
        assert function(2, 3, 4, key="b", c=1) == expected
    assert function.__code__ == own
    assert NAME not in function.__globals__


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("def it(a):\n    return a + 1.5", {"a": ["int", "str"], "1.5": ["float"]}),
        ("def it(a):\n    total = 0\n    total += 1\n    return total", {"total": ["int"]}),
        ("def it(a):\n    return type(a)(1)", {"type(a)": ["type[int]", "type[str]"]}),
        ("class Own: ...\ndef it(a):\n    return [Own()]", {"Own()": ["Own"], "Own": ["type[Own]"]}),
        ("def helper(x):\n    return x * 2\ndef it(a):\n    return helper(a)", {"x": ["int", "str"]}),
        ("def it(a):\n    return [x for x in (a,)]", {"x": ["int", "str"], "(a,)": ["tuple"]}),
    ],
)
def test_each_expression_says_the_types_of_its_values(text, types):
    function, _, codes = loaded(text)
    tree = ast.parse(text)
    met = Met(ast.parse(text), "it.py", codes)

    with met:
        for value in (1, "b"):
            try:
                function(value)
            except TypeError:
                continue

    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            found.setdefault(ast.unparse(node), [])
            found[ast.unparse(node)] += [each for each in met.types(node) if each not in found[ast.unparse(node)]]
    assert {name: found[name] for name in types} == types


def test_two_functions_that_can_not_be_told_apart_stay_as_they_are():
    function, tree, codes = loaded("f, g = lambda x: x, lambda x: -x", "g")

    with Met(tree, "it.py", codes):
        assert function(1) == -1


def test_what_has_failed_is_put_back():
    function, tree, codes = loaded("def it():\n    return 1 / 0")
    own = function.__code__

    with pytest.raises(ZeroDivisionError), Met(tree, "it.py", codes):
        function()
    assert function.__code__ == own
