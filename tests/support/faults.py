"""Which tests carry `@pytest.mark.fault("ID")`, and the table of docs/faults.md that names them.

Run as a script it writes the last column of that table anew.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"

ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \| (.+) \|(.*)\|$", re.MULTILINE)
"""A row of the table: id, fault, promise, tests."""

SHOWN = 3
"""Tests that a row names."""


def marked_tests():
    """The tests that carry each id, as `tests/` path and function name, in the order of both."""
    found = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for name, ids in _marks(tree):
            for id in ids:
                found[id].append((path.relative_to(TESTS).as_posix(), name))
    return dict(found)


def cell(tests):
    """The last column of a row."""
    links = [f"[{name}](../tests/{path})" for path, name in tests[:SHOWN]]
    more = ["and more"] if len(tests) > SHOWN else []
    return ", ".join(links + more)


def written(page, tests):
    """The page with its last column as the tests have it."""
    return ROW.sub(lambda row: f"| {row[1]} | {row[2]} | {row[3]} | {cell(tests.get(row[1], []))} |", page)


def _marks(tree):
    """Each test function with the ids on itself, on its parameters, its class and its module."""
    named = {
        target.id: _ids(statement.value, {})
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    everywhere = named.get("pytestmark", set())
    for node in tree.body:
        functions = node.body if isinstance(node, ast.ClassDef) else [node]
        around = everywhere | (_ids_of_decorators(node, named) if isinstance(node, ast.ClassDef) else set())
        for function in functions:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_"):
                yield function.name, sorted(around | _ids_of_decorators(function, named))


def _ids_of_decorators(node, named):
    return set().union(*(_ids(decorator, named) for decorator in node.decorator_list))


def _ids(node, named):
    """The ids of every `fault(...)` inside an expression, and of the tables that it names."""
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "pytest.mark.fault":
            found |= {argument.value for argument in inner.args if isinstance(argument, ast.Constant)}
        elif isinstance(inner, ast.Name):
            found |= named.get(inner.id, set())
    return found


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), marked_tests()), encoding="utf-8")
