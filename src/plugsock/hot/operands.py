"""Which expressions of the source each instruction works on.

Python says of each instruction which part of the source it comes from; that part is an expression, whose own parts are
what the instruction is given.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

Position: TypeAlias = tuple[int, int, int, int]
"""First line and column, last line and column (in bytes of UTF-8)."""

KINDS: Final[Mapping[str, tuple[type[ast.AST], ...]]] = {
    "BINARY_OP": (ast.BinOp, ast.AugAssign, ast.Subscript),
    "BINARY_SUBSCR": (ast.Subscript,),
    "STORE_SUBSCR": (ast.Subscript,),
    "COMPARE_OP": (ast.Compare,),
    "CONTAINS_OP": (ast.Compare,),
    "LOAD_ATTR": (ast.Attribute,),
    "LOAD_METHOD": (ast.Attribute,),
    "STORE_ATTR": (ast.Attribute,),
    "CALL": (ast.Call,),
    "CALL_KW": (ast.Call,),
    "PRECALL": (ast.Call,),
    "SEND": (ast.Await,),
    "UNPACK_SEQUENCE": (ast.Tuple, ast.List),
}
"""What each instruction comes from; any other one works on the value of the very expression that it comes from."""

LONGEST_TEXT: Final = 40
"""Characters of an expression that are shown."""


def position(node: ast.AST) -> Position:
    """Where a statement or expression stands."""
    assert isinstance(node, ast.stmt | ast.expr)
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


class Operands:
    """The expressions of a file, by where they stand."""

    def __init__(self, tree: ast.Module) -> None:
        self._whole: dict[tuple[type[ast.AST], Position], ast.AST] = {}
        self._by_end: dict[tuple[type[ast.AST], int, int], ast.AST] = {}
        self._expressions: dict[Position, ast.expr] = {}
        self._unpacked: dict[Position, ast.expr] = {}
        for node in ast.walk(tree):
            self._add(node)

    def of(self, instruction: str, at: Position) -> list[ast.expr]:
        """What an instruction works on, as far as that can be seen in the source.

        Args:
            instruction: The name of its general form.
            at: Where it comes from.
        """
        kinds = KINDS.get(instruction)
        if kinds is None:
            return _value(instruction, self._expressions.get(at))
        if instruction == "UNPACK_SEQUENCE":
            return [self._unpacked[at]] if at in self._unpacked else []
        return next((list(_parts(node)) for kind in kinds if (node := self._find(kind, at)) is not None), [])

    def _find(self, kind: type[ast.AST], at: Position) -> ast.AST | None:
        """The end alone tells which attribute or call: of those on several lines, the first line is the method's."""
        found = self._whole.get((kind, at))
        return (
            found if found is not None or kind not in (ast.Attribute, ast.Call) else self._by_end.get((kind, *at[2:]))
        )

    def _add(self, node: ast.AST) -> None:
        if not isinstance(node, ast.expr | ast.AugAssign):
            if isinstance(node, ast.Assign):
                self._unpacked |= {position(target): node.value for target in node.targets}
            elif isinstance(node, ast.For):
                self._expressions[position(node)] = node.iter  # in 3.12 the whole loop stands for what it goes through
            return
        at = position(node)
        self._whole[type(node), at] = node
        self._by_end[type(node), at[2], at[3]] = node
        if isinstance(node, ast.expr):
            self._expressions[at] = node


def _value(instruction: str, node: ast.expr | None) -> list[ast.expr]:
    """What is looked at where an instruction comes from: of `a or b` that is `a`, of `[x for x in a]` likewise."""
    if isinstance(node, ast.BoolOp):
        return node.values[:-1]
    if instruction == "FOR_ITER" and isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return [node.generators[0].iter]
    return [] if node is None else [node]


def _parts(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp():
            yield from (node.left, node.right)
        case ast.AugAssign():
            yield from (node.target, node.value)
        case ast.Compare():
            yield from (node.left, *node.comparators)
        case ast.Subscript():
            yield from (node.value, node.slice)
        case ast.Attribute() | ast.Await():
            yield node.value
        case ast.Call():
            yield node.func
            yield from (each.value if isinstance(each, ast.Starred) else each for each in node.args)
            yield from (each.value for each in node.keywords)


def text(node: ast.expr) -> str:
    """An expression for people, short."""
    written = ast.unparse(node)
    return written if len(written) <= LONGEST_TEXT else f"{written[: LONGEST_TEXT - 3]}..."
