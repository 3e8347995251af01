"""Which types which rule is about, wherever they stand."""

import pytest

from support.checked import problems, rules

HEAD = """\
import dataclasses, enum
from collections.abc import Mapping, Sequence
from typing import *
import msgspec
T = TypeVar("T")
class Page(Struct, Generic[T], forbid_unknown_fields=True):
    items: list[T]
class Big(enum.IntEnum):
    A = 2**53
class Row(NamedTuple):
    a: str
    b: object = None
class Told(TypedDict, total=False):
    a: Required[str]
@dataclasses.dataclass
class Data:
    a: str
class Tree(Struct, forbid_unknown_fields=True):
    inner: "Tree | None" = None
    more: dict[str, "Tree"] = {}
Id = NewType("Id", str)
"""

ABOUT = {
    "any": [
        *("Any", "object", "list[Any]", "dict[str, Any]", "tuple[str, Any]", "Any | None", "Row", "Page[Any]", "Page"),
        *("Annotated[Any, Meta(title='x')]", "dict[str, list[Any | None]]"),
    ],
    "bare-container": ["list", "dict", "tuple", "set", "frozenset", "List", "Sequence", "Mapping", "list[dict] | None"],
    "open-struct": ["Told", "Data", "list[Data]", "dict[str, Told]", "Page[Data]"],
    "big-integer": [
        *("Annotated[int, Meta(le=2**53)]", "Annotated[int, Meta(gt=-(2**60))]", "Literal[1, 9007199254740992]", "Big"),
        "Page[Annotated[int, Meta(ge=2**53)]]",
    ],
    "unbounded-integer": ["int", "list[int]", "Annotated[int, Meta(ge=0)]", "int | None", "Page[int]"],
    "": [
        *("str", "None", "list[str]", "Id", "Tree", "Page[Tree]", "Literal['a', 1, True]", "dict[int, str]", "float"),
        *("Annotated[int, Meta(gt=-(2**53), lt=2**53)]", "tuple[str, ...]", "bool", "Sequence[bytes]"),
    ],
}


@pytest.mark.parametrize(("rule", "type"), [(rule, type) for rule, types in ABOUT.items() for type in types])
def test_a_type_is_found_wherever_it_stands(tmp_path, rule, type):
    text = f"{HEAD}@plug\ndef f(a: {type}, b: str) -> None: ...\n"

    found = {rule for _, rule in rules(tmp_path, text, require=["unbounded-integer"])}
    assert found - ({"unbounded-integer"} if rule == "big-integer" else set()) == ({rule} if rule else set())


@pytest.mark.parametrize("text", ["a: Annotated[int, Meta(ge=0)] = 2**53", "a: int = 2**60", "a: float = 2**60"])
def test_a_default_is_a_value_too(tmp_path, text):
    field = f"from typing import Annotated\nclass A(Struct):\n    {text}\n@plug\ndef f() -> A: ...\n"
    parameter = f"from typing import Annotated\n@plug\ndef f({text}) -> str: ...\n"

    assert rules(tmp_path, field) == [(3, "big-integer")]
    assert rules(tmp_path, parameter) == [(3, "big-integer")]


def test_what_is_inherited_is_reported_where_it_stands(tmp_path):
    text = """\
from typing import Any, TypedDict
class Base(TypedDict):
    a: Any
class Told(Base):
    b: list
class Low(Struct):
    c: dict
class High(Low):
    d: str
@plug
def f() -> Told: ...
@plug
def g() -> High: ...
"""
    assert rules(tmp_path, text) == [(3, "any"), (5, "bare-container"), (7, "bare-container")]


def test_a_class_of_somebody_else_is_reported_where_it_is_taken(tmp_path):
    text = "from plugsock import Hello\n@plug\ndef f(\n    hello: Hello\n) -> None: ...\n"

    assert problems(tmp_path, a=text) == [("a.py:4", "open-struct", ("a.f",))]
