"""Which types the expressions of a file have while it runs.

The file is compiled once more, so that each expression in it says the type of its value on its way, and its functions
run that for a while. They do the same as before, but for what only looks at their own source or bytecode. What is not
seen: the code that runs while the file is imported, and the targets of assignments but for a plain name of `x += y`.
"""

import ast
import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any, Final, TypeAlias, TypeVar

from plugsock.hot.operands import Position, position

NAME: Final = "__plugsock_met__"

Node = TypeVar("Node", bound=ast.AST)
Key: TypeAlias = tuple[str, int]


class Met:
    """While it is entered, the functions of a file say which types they meet.

    Args:
        tree: Of the file.
        file: Its name, as its code has it.
        codes: The code of its functions that run.
    """

    def __init__(self, tree: ast.Module, file: str, codes: Sequence[CodeType]) -> None:
        self._types: dict[Position, dict[str, None]] = defaultdict(dict)
        positions: list[Position] = []
        changed = ast.fix_missing_locations(_Saying(positions).visit(tree))
        self._positions = positions
        whole = compile(changed, file, "exec", dont_inherit=True)
        codes_within = list(_within(whole))
        times = Counter(map(_key, codes_within))
        self._codes = {_key(code): code for code in codes_within if times[_key(code)] == 1}  # not two lambdas of a line
        self._functions = [(each, each.__code__) for code in codes for each in _made_of(code)]

    def __enter__(self) -> None:
        for function, code in self._functions:
            saying = self._codes.get(_key(code))
            if saying is not None and saying.co_freevars == code.co_freevars:
                function.__globals__[NAME] = self._meet
                function.__code__ = saying

    def __exit__(self, *_: object) -> None:
        for function, code in self._functions:
            function.__code__ = code
            function.__globals__.pop(NAME, None)

    def types(self, node: ast.expr) -> list[str]:
        """The types that an expression had, in the order in which they came."""
        return [_name(node.value)] if isinstance(node, ast.Constant) else list(self._types[position(node)])

    def _meet(self, number: int, value: Any) -> Any:
        self._types[self._positions[number]][_name(value)] = None
        return value


def _name(value: Any) -> str:
    return f"type[{value.__qualname__}]" if isinstance(value, type) else type(value).__qualname__


def _key(code: CodeType) -> Key:
    return code.co_qualname, code.co_firstlineno


def _within(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _within(constant)


def _made_of(code: CodeType) -> list[FunctionType]:
    return [each for each in gc.get_referrers(code) if isinstance(each, FunctionType) and each.__code__ is code]


class _Saying(ast.NodeTransformer):
    """Wraps each expression that is read in a call which says what it is."""

    def __init__(self, positions: list[Position]) -> None:
        self._positions = positions

    def visit(self, node: ast.AST) -> Any:
        """Leave out what is no value: patterns, annotations, and the `super` that the compiler looks for."""
        if isinstance(node, ast.pattern | ast.Constant | ast.Starred | ast.Slice | ast.JoinedStr | ast.FormattedValue):
            return self._inside(node)
        if isinstance(node, ast.Name) and node.id == "super":
            return node
        if isinstance(node, ast.Tuple) and any(isinstance(each, ast.Slice) for each in node.elts):
            return self._inside(node)
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None) or ast.Load(), ast.Load):
            where = position(node)
            return self._said(where, self._inside(node))
        return super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """What it is said to return is no value."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """Likewise."""
        return self._function(node)

    def _function(self, node: Node) -> Node:
        returns = vars(node).pop("returns", None)
        node = self._inside(node)
        vars(node)["returns"] = returns
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Its annotation is no value."""
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """Likewise."""
        node.value = node.value and self.visit(node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AugAssign:
        """A plain name is read once more, which does nothing else."""
        target, value = node.target, self.visit(node.value)
        if isinstance(target, ast.Name):
            before = self._said(position(target), ast.copy_location(ast.Name(target.id, ast.Load()), target))
            pair = ast.Tuple([before, value], ast.Load())
            value = ast.Subscript(ast.copy_location(pair, node.value), ast.Constant(1), ast.Load())
        else:
            node.target = self._inside(target)
        node.value = ast.copy_location(value, node.value)
        return node

    def _inside(self, node: Node) -> Node:
        if isinstance(node, ast.pattern):
            return node
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(each) if isinstance(each, ast.AST) else each for each in value])
        return node

    def _said(self, where: Position, node: ast.expr) -> ast.expr:
        self._positions.append(where)
        number = ast.Constant(len(self._positions) - 1)
        return ast.copy_location(ast.Call(ast.Name(NAME, ast.Load()), [number, node], []), node)
