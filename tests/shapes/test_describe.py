"""Types as schemas, and what can't be one."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from jsonschema import Draft202012Validator

from plugsock.shapes.describe import only
from support.folder_shapes import described

TREE = """
class Tree(Struct):
    name: {type}

@plug
async def plant(tree: Tree) -> list[Tree]: ...
"""


def parameters(path, signature, before=""):
    """What is said of the parameters of a plug."""
    found = described(path, p=f"{before}\n@plug\nasync def p({signature}): ...\n")
    assert found.problems == []
    return found.sides["p"].payload["properties"]


def test_types_of_one_name_in_two_files_are_called_in_full(tmp_path):
    found = described(tmp_path, oak=TREE.format(type="str"), data=TREE.format(type="int"))

    assert list(found.types) == ["plugs.data.Tree", "plugs.oak.Tree"]
    assert found.sides["oak.plant"].payload == {"$ref": "#/$defs/plugs.oak.Tree"}


def test_a_type_that_two_files_share_is_there_once(tmp_path):
    other = "from plugs.oak import Tree\n\n@plug\nasync def fell(tree: Tree): ...\n"

    assert list(described(tmp_path, oak=TREE.format(type="str"), wood=other).types) == ["Tree"]


def test_an_event_may_be_called_like_a_type(tmp_path):
    found = described(tmp_path, Tree=TREE.format(type="str") + "\n@plug\nasync def Tree_(tree: int) -> int: ...\n")

    assert list(found.types) == ["Tree"]


def test_two_types_of_one_name_in_one_file_are_a_problem_of_the_second_alone(tmp_path):
    twice = TREE.format(type="str") + TREE.format(type="int").replace("plant", "sow")

    found = described(tmp_path, oak=twice)

    [problem] = found.problems
    assert problem.events == ("oak.sow",)
    assert problem.line == 14
    assert problem.message.endswith("Tree has the name of another type in the same file: give one of them another")
    assert list(found.sides) == ["oak.plant"]


def test_a_type_that_json_schema_has_no_word_for_is_a_problem_and_hides_no_other(tmp_path):
    text = TREE.format(type="str = Raw()") + "\n@plug\nasync def good(a: int): ...\n"

    found = described(tmp_path, oak=text)

    [problem] = found.problems
    assert problem.message.startswith("`oak.plant` can't be described as JSON Schema: ")
    assert problem.file.endswith("oak.py")
    assert list(found.sides) == ["oak.good"]


def test_some_events_bring_the_types_that_they_name_and_no_others(tmp_path):
    text = """
    class Leaf(Struct):
        size: int

    class Branch(Struct):
        leaves: list[Leaf]
        branches: dict[str, "Branch"]

    class Root(Struct):
        depth: int

    @plug
    async def grow(branch: Branch) -> None: ...

    @plug
    async def dig(root: Root) -> None: ...
    """

    some = only(described(tmp_path, oak=text), ["oak.grow"])

    assert (list(some.sides), list(some.types)) == (["oak.grow"], ["Branch", "Leaf"])


def test_a_default_that_json_can_t_say_is_left_out(tmp_path):
    before = "from typing import Any\n"
    said = parameters(
        tmp_path, 'a: Any = object(), b: int = None, c: float = float("inf"), d: set[str] = {"x"}', before
    )

    assert said["a"] is True
    assert [said[name].get("default", "none") for name in "bcd"] == ["none", "none", ["x"]]


def test_unions_are_told_apart_by_their_tags_alone(tmp_path):
    before = """
class Circle(Struct, tag="circle"):
    radius: float

class Square(Struct, tag="square"):
    side: float
"""

    [schema] = parameters(tmp_path, "shapes: list[Circle | Square]", before).values()

    assert schema["items"] == {"anyOf": [{"$ref": "#/$defs/Circle"}, {"$ref": "#/$defs/Square"}]}


@pytest.mark.parametrize(
    ("type", "good", "bad"),
    [
        ("dt.timedelta", [dt.timedelta(1), -dt.timedelta(0, 5, 7), dt.timedelta(0)], ["", "P", "PT", "1 day", "P1M"]),
        ("bytes", [b"", b"a", b"ab", b"abc", b"abcd"], ["x", "ab=", "====", "ab cd==="]),
        ("Decimal", [Decimal("1.50"), Decimal("-1E+3"), Decimal(".5"), Decimal("NaN")], ["", "x", "1,5", "."]),
        ("Annotated[dt.time, Meta(tz=False)]", [dt.time(1, 2), dt.time(1, 2, 3, 4)], ["1:02", "25", "x"]),
    ],
)
def test_what_validators_do_not_know_is_said_as_a_pattern(tmp_path, type, good, bad):
    before = "import datetime as dt\nfrom decimal import Decimal\nfrom typing import Annotated\n"
    [schema] = parameters(tmp_path, f"it: {type}", before).values()

    assert "format" not in schema
    fits = Draft202012Validator(schema).is_valid
    assert all(fits(msgspec.to_builtins(value)) for value in good)
    assert not any(fits(value) for value in bad)
