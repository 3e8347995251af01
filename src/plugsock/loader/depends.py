"""Who imports whom, read from the syntax tree; and so which modules move together."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Graph: TypeAlias = Mapping[str, Collection[str]]
"""Module -> the modules that it may import."""


def top_level_functions(tree: ast.Module) -> list[Function]:
    """Functions that end up as names of the module, those under `if` and `try` included."""
    return [node for node in _statements(tree.body) if isinstance(node, Function)]


def bodiless(tree: ast.Module) -> frozenset[tuple[str, int]]:
    """Functions of any level that do nothing and do not even say `return`: name, and the line that their code names."""
    found = (node for node in ast.walk(tree) if isinstance(node, Function) and _has_no_body(node))
    return frozenset((node.name, min([node.lineno, *(each.lineno for each in node.decorator_list)])) for node in found)


def _has_no_body(node: Function) -> bool:
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return all(isinstance(each, ast.Pass) or _is_ellipsis(each) for each in body)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def top_level_calls(tree: ast.Module) -> list[ast.Call]:
    """Calls that are statements of the module, those under `if` and `try` included."""
    return [
        node.value for node in _statements(tree.body) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, field, ()))
            for handler in getattr(node, "handlers", ()):
                yield from _statements(handler.body)


def imports(tree: ast.Module, module: str, *, is_package: bool) -> frozenset[str]:
    """Every module below the same top package that a file may import: at the top, in functions, by constant name.

    `from plugs.a import b` counts as both `plugs.a` and `plugs.a.b`: which of them it is depends on what is there.
    """
    root = module.partition(".")[0]
    package = module if is_package else module.rpartition(".")[0]
    found = (name for node in ast.walk(tree) for name in _imported(node, package))
    return frozenset(name for name in found if name == root or name.startswith(f"{root}."))


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=name, names=names, level=level):
            base = absolute(name or "", package, level)
            yield base
            yield from (f"{base}.{alias.name}" for alias in names)
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if _is_import(function):
            yield absolute(name.lstrip("."), package, len(name) - len(name.lstrip(".")))


def _is_import(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")


def absolute(name: str, package: str, level: int) -> str:
    """Full name of a relative import; empty if it leads out of the top package."""
    if not level:
        return name
    parts = package.split(".")
    if level > len(parts):
        return ""
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base


def reached(starts: Iterable[str], graph: Graph) -> set[str]:
    """The modules that can be reached from some, themselves included."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def reverse(graph: Graph) -> dict[str, set[str]]:
    """Module -> who may import it."""
    importers: dict[str, set[str]] = {}
    for module, imported in graph.items():
        for name in imported:
            importers.setdefault(name, set()).add(module)
    return importers


def components(nodes: Collection[str], links: Iterable[tuple[str, str]]) -> list[frozenset[str]]:
    """Split nodes into sets that no link crosses, in order of their smallest member."""
    parent = {node: node for node in nodes}
    root = _finder(parent)
    for one, other in links:
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    members: dict[str, set[str]] = {}
    for node in nodes:
        members.setdefault(root(node), set()).add(node)
    return sorted(map(frozenset, members.values()), key=min)


def _finder(parent: dict[str, str]) -> Callable[[str], str]:
    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    return root
