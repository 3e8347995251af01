"""What a file says that it needs, and at which line it says nonsense."""

import pytest

from plugsock.needs.metadata import NONE, Malformed, read

BLOCK = """\
\"\"\"Orders.\"\"\"
# /// script
# requires-python = ">=3.9"
# dependencies = [
#   "orjson>=3",
#   "humanize[extra] ; python_version > '3'",
# ]
#
# [tool.other]
# anything = 1
# ///
import orjson
"""


def said(text):
    """Line and text of each requirement."""
    return [(each.line, each.text) for each in read(text).dependencies]


def wrong(text):
    """Where it is malformed, and how."""
    with pytest.raises(Malformed) as caught:
        read(text)
    return caught.value.line, str(caught.value)


def block(*lines, before="\n\n"):
    return before + "".join(f"{line}\n" for line in ["# /// script", *(f"# {line}" for line in lines), "# ///"])


def test_each_requirement_has_its_line():
    assert said(BLOCK) == [(5, "orjson>=3"), (6, "humanize[extra] ; python_version > '3'")]


def test_the_versions_of_python_have_theirs():
    metadata = read(BLOCK)

    assert (str(metadata.python), metadata.python_line) == (">=3.9", 3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import orjson\n",
        '# /// script\n# dependencies = ["never closed"]\n',
        '# /// other\n# dependencies = ["not ours"]\n# ///\n',
        '    # /// script\n    # dependencies = ["indented"]\n    # ///\n',
        '# /// script\n#dependencies = ["no blank"]\n# ///\n',
    ],
)
def test_what_is_no_block_says_nothing(text):
    assert read(text) is NONE


def test_a_block_without_dependencies_needs_nothing():
    assert said(block("[tool.uv]")) == []


def test_another_block_may_stand_beside_it():
    assert said("# /// other\n# nonsense\n# ///\n" + block('dependencies = ["a"]')) == [(7, "a")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (block("dependencies = ["), 4, "is not TOML"),
        (block("", "dependencies = nonsense"), 5, "is not TOML: Invalid value"),
        (block("x = 1", 'dependencies = "orjson"'), 5, "dependencies is a list of texts"),
        (block("dependencies = [1]"), 4, "dependencies is a list of texts"),
        (block("dependencies = [", '"good",', '"not good"', "]"), 6, "'not good' is no requirement"),
        (block('requires-python = "3.12 or so"'), 4, """requires-python = '3.12 or so' should be a text such as"""),
        (block("requires-python = 3.12"), 4, "requires-python = 3.12 should be a text such as"),
        (block("x = 1") + block("x = 1", before="\n"), 7, "says what it needs twice, here and in line 3"),
    ],
)
def test_nonsense_is_named_with_its_line(text, line, words):
    where, message = wrong(text)

    assert where == line
    assert words in message
    assert "\n" not in message


def test_a_requirement_that_is_written_otherwise_is_found_at_the_first_line():
    assert said(block(r'dependencies = ["\u0061bc"]')) == [(4, "abc")]
