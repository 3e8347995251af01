"""The page about the JavaScript client names all that its types have."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/javascript.md").read_text(encoding="utf-8")
TYPES = (ROOT / "clients/js/src/types.ts").read_text(encoding="utf-8")
ERRORS = (ROOT / "clients/js/src/errors.ts").read_text(encoding="utf-8")


def words(union):
    """What a type of words may be."""
    return re.findall(r'"(\w+)"', re.search(rf"^export type {union} = (.+);$", TYPES, re.MULTILINE)[1])


def members(interface):
    """What an interface has, without what stands in brackets."""
    body = re.search(rf"^export interface {interface}\b.*?\{{\n(.*?)^\}}", TYPES, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^  (?:readonly )?(\w+)[?(<:]", body, re.MULTILINE)


@pytest.mark.parametrize("union", ["State", "Status"])
def test_it_has_a_row_for_each_word(union):
    assert [word for word in words(union) if f"| `{word}` |" not in PAGE] == []


@pytest.mark.parametrize(
    ("interface", "called"),
    [
        ("Client", r"client\.{}\b"),
        ("View", r"view\.{}\b"),
        ("Topic", r"(?:room|topic)\.{}\b|\b{}\b"),
        ("Options", r"^\|.*`{}`"),
        ("CallOptions", r"\b{}\b"),
        ("StreamOptions", r"\b{}\b"),
        ("Permissions", r"permissions\.{}\b|\bthe {}\b"),
    ],
)
def test_it_names_everything(interface, called):
    found = members(interface)
    assert found
    missing = [name for name in found if not re.search(called.replace("{}", name), PAGE, re.MULTILINE)]
    assert missing == []


def test_it_names_the_fields_of_an_error():
    fields = re.findall(r"^  readonly (\w+)", ERRORS, re.MULTILINE)
    assert fields
    assert [field for field in fields if f"`{field}`" not in PAGE] == []
