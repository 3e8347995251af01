"""`types.d.ts`, as text and as TypeScript's own compiler reads it."""

import re
import shutil
from pathlib import Path

import pytest

from plugsock.errors import CODES
from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.shapes.events import read
from plugsock.shapes.typescript import declarations
from support.folder_shapes import shapes
from support.tsc import complaints, needs_tsc

HERE = Path(__file__).parent / "typescript"
"""A rich folder of plugs, what is written of it, and files that use that rightly and wrongly."""


def test_a_rich_folder_is_written_exactly_so():
    loader = Loader([Folder(HERE / "plugs", is_trusted=True)])
    try:
        look = loader.look()
        text = declarations(read(loader.commit(look.stage, [group.id for group in look.groups])))
    finally:
        loader.close()

    assert look.problems == ()
    assert text == (HERE / "types.d.ts").read_text(encoding="utf-8")


@needs_tsc
def test_who_uses_it_rightly_hears_nothing():
    assert complaints(HERE / "types.d.ts", HERE / "right.ts") == []


@needs_tsc
def test_each_wrong_use_is_refused():
    lines = (HERE / "wrong.ts").read_text(encoding="utf-8").splitlines()
    wanted = [("wrong.ts", n, int(m[1])) for n, line in enumerate(lines, 1) if (m := re.search(r"// (\d+):", line))]

    assert len(wanted) == 19
    assert complaints(HERE / "wrong.ts") == wanted


@needs_tsc
def test_a_field_that_a_plug_renames_is_an_error_in_what_uses_it(tmp_path):
    for file in ("client.ts", "right.ts"):
        shutil.copy(HERE / file, tmp_path)
    text = (HERE / "types.d.ts").read_text(encoding="utf-8")
    (tmp_path / "types.d.ts").write_text(text.replace("  sku: string;", "  name: string;"))

    assert ("right.ts", 7, 2353) in complaints(tmp_path / "right.ts")


def written(tmp_path, **files):
    return declarations(shapes(tmp_path, **files))


def between(text, begin, end):
    return text.partition(begin)[2].partition(end)[0]


def test_its_head_has_the_hash_that_the_server_says(tmp_path):
    text = written(tmp_path, a="@plug\ndef go(n: int) -> int: ...\n")
    found = shapes(tmp_path, a="@plug\ndef go(n: int) -> int: ...\n")

    assert text.splitlines()[1] == f"// Hash of all shapes: {found.digest}"
    assert "`plugsock types`" in text.splitlines()[0]


def test_nothing_in_it_is_run():
    assert set(re.findall(r"^export (\w+)", (HERE / "types.d.ts").read_text(), re.MULTILINE)) == {"interface", "type"}


@needs_tsc
def test_a_folder_without_events_has_no_event(tmp_path):
    text = written(tmp_path)
    (tmp_path / "types.d.ts").write_text(text)

    assert "  calls: {};\n  streams: {};\n  views: {};\n  topics: {};\n" in text
    assert complaints(tmp_path / "types.d.ts") == []


def test_every_code_of_the_servers_is_there(tmp_path):
    assert re.findall(r'\| "(\w+)"', between(written(tmp_path), "ErrorCode =", ";")) == list(CODES)


@needs_tsc
def test_rules_for_topics_may_overlap(tmp_path):
    text = written(tmp_path, a='topic("room.*", history=3)\ntopic("room.a", presence=True)\ntopic("*")\ntopic("r/*")\n')
    (tmp_path / "types.d.ts").write_text(text)

    keys = re.findall(r"^    (\S.*): Record", text, re.MULTILINE)
    assert keys == ["[topic: string]", "[topic: `r/${string}`]", "[topic: `room.${string}`]", '"room.a"']
    assert complaints(tmp_path / "types.d.ts") == []


def test_what_a_docstring_says_can_not_end_the_comment_or_be_a_tag(tmp_path):
    text = written(tmp_path, a='@plug\ndef go() -> int:\n    """One */ two.\n\n    @deprecated\x1b[2J\n    """\n')

    assert between(text, "    /**\n", "    */") == "     * One *\\/ two.\n     *\n     * \\@deprecated [2J\n "


def test_a_default_that_can_not_be_shown_is_left_vague(tmp_path):
    text = written(
        tmp_path,
        a="""
        from typing import Any
        class Odd: ...
        @plug
        def go(odd: Any = Odd(), long: str = "x" * 90) -> int: ...
        """,
    )

    assert re.findall("@defaultValue (.*) \\*/", text) == [f'"{"x" * 36}...']


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"a": "class A(Struct):\n    n: int\n@plug\ndef go(a: A) -> A: ...\n"}, ["A"]),
        ({"a": "class A(Struct):\n    n: int = 1\n@plug\ndef go(a: A) -> None: ...\n"}, ["AInput"]),
        ({"a": "class A(Struct):\n    n: int = 1\n@plug\ndef go(a: A) -> A: ...\n"}, ["A", "AInput"]),
        (
            {
                "a": "class A(Struct):\n    n: int = 1\n@plug\ndef go(a: A) -> A: ...\n",
                "b": "class AInput(Struct):\n    n: int\n@plug\ndef go(a: AInput) -> None: ...\n",
            },
            ["AA", "AAInput", "BAInput"],
        ),
        ({"a_b": "class string(Struct):\n    n: int\n@plug\ndef go(a: string) -> None: ...\n"}, ["ABString"]),
        (
            {
                "a": """
                from typing import Generic, TypeVar
                T = TypeVar("T")
                class Page(Struct, Generic[T]):
                    items: list[T]
                class A(Struct):
                    n: int
                @plug
                def go(a: Page[A], b: Page[list[int]]) -> None: ...
                """
            },
            ["A", "PageA", "PageListInt"],
        ),
    ],
    ids=["alike", "in", "in and out", "made and given", "reserved", "generic"],
)
def test_each_class_has_a_name_of_its_own(tmp_path, files, names):
    declared = re.findall(r"^export interface (\w+)", written(tmp_path, **files), re.MULTILINE)

    assert declared == ["Plugs", *names]


def test_another_file_with_a_class_of_that_name_is_told_apart_whatever_the_order(tmp_path):
    one = "class A(Struct):\n    one: int\n@plug\ndef go(a: A) -> None: ...\n"
    two = one.replace(" one:", " two:")
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()

    first = written(tmp_path / "1", a=one, b=two)
    second = written(tmp_path / "2", z=one, b=two)

    assert between(first, "export interface BA ", "}") == between(second, "export interface BA ", "}") != ""


def test_what_may_be_unset_may_be_absent_on_both_sides(tmp_path):
    text = written(
        tmp_path,
        a="""
        from msgspec import UNSET, UnsetType
        class A(Struct):
            n: int | UnsetType = UNSET
            m: int | UnsetType | None = UNSET
        @plug
        def go(a: A) -> A: ...
        """,
    )

    assert between(text, "export interface A {\n", "}") == "  n?: number;\n  m?: number | null;\n"
