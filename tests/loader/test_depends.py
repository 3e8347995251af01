"""Who imports whom, as the text says."""

import ast

import pytest

from plugsock.loader.depends import absolute, components, imports, reached, reverse, top_level_functions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import plugs.a.b", {"plugs.a.b"}),
        ("import plugs.a as x, os, plugs.b", {"plugs.a", "plugs.b"}),
        ("from plugs.a import b", {"plugs.a", "plugs.a.b"}),
        ("from . import a", {"plugs.chat", "plugs.chat.a"}),
        ("from .a import b", {"plugs.chat.a", "plugs.chat.a.b"}),
        ("from ..a import *", {"plugs.a", "plugs.a.*"}),
        ("from ...a import b", set()),
        ("def f():\n    class A:\n        def g(self):\n            import plugs.a", {"plugs.a"}),
        ("try:\n    import plugs.a\nexcept ImportError: pass", {"plugs.a"}),
        ("importlib.import_module('plugs.a')", {"plugs.a"}),
        ("import_module('.a', __package__)", {"plugs.chat.a"}),
        ("__import__('plugs.a')", {"plugs.a"}),
        ("import_module(name)", set()),
        ("import plugsock, plugs_more, os.plugs", set()),
    ],
)
def test_imports_are_found_wherever_they_stand(text, found):
    assert imports(ast.parse(text), "plugs.chat.rooms", is_package=False) == found


def test_relative_imports_of_a_package_begin_in_it():
    assert imports(ast.parse("from . import a"), "plugs.chat", is_package=True) == {"plugs.chat", "plugs.chat.a"}


@pytest.mark.parametrize(
    ("name", "package", "level", "full"),
    [("a", "p", 0, "a"), ("a", "p", 1, "p.a"), ("", "p.q", 1, "p.q"), ("a", "p.q", 2, "p.a"), ("a", "p", 2, "")],
)
def test_a_relative_name_becomes_a_full_one(name, package, level, full):
    assert absolute(name, package, level) == full


def test_functions_under_conditions_are_of_the_module_and_nested_ones_are_not():
    text = """
if True:
    def a(): ...
else:
    def b(): ...
try:
    async def c(): ...
except Exception:
    def d():
        def no(): ...
finally:
    def e(): ...
class F:
    def no(self): ...
"""
    assert [node.name for node in top_level_functions(ast.parse(text))] == ["a", "b", "c", "e", "d"]


def test_what_can_be_reached_includes_the_start_and_circles_end():
    graph = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}
    assert reached(["b"], graph) == {"a", "b", "c"}
    assert reached(["b"], reverse(graph)) == {"a", "b", "c", "d"}


def test_links_join_nodes_and_others_stay_alone():
    found = components("abcdef", [("a", "c"), ("c", "e"), ("f", "b"), ("d", "unknown")])
    assert found == [{"a", "c", "e"}, {"b", "f"}, {"d"}]
