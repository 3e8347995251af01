import ast

import pytest

from plugsock.checks.comments import read


def comments(text):
    return read(text, ast.parse(text))


def test_a_comment_is_for_its_line_and_one_above_all_for_the_file():
    found = comments('"""Doc."""\n\n# plugsock: allow any\nx = 1  # plugsock: allow open-struct,any\n')

    assert found.everywhere == {"any"}
    assert found.lines == {4: {"open-struct", "any"}}
    assert found.wrong == ()
    assert found.allows("any", frozenset())
    assert found.allows("open-struct", frozenset({3, 4}))
    assert not found.allows("open-struct", frozenset({3}))


def test_what_a_text_says_is_no_comment():
    assert comments('x = "# plugsock: allow any"\n').lines == {}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1  # plugsock: ignore\n", 1, "after `# plugsock:` come `allow`"),
        ("x = 1  # plugsock: allow\n", 1, "after `# plugsock:` come `allow`"),
        ("x = 1  # plugsock: allow every\n", 1, "there is no rule 'every'"),
        ("x = 1\n# plugsock: allow any\n", 2, "this is for nothing"),
        ("@f\n# plugsock: allow any\ndef g(): ...\n", 2, "this is for nothing"),
    ],
)
def test_what_can_not_be_followed_is_said(text, line, said):
    [(where, why)] = comments(text).wrong
    assert (where, why.startswith(said)) == (line, True)


def test_a_file_of_comments_alone_has_a_top():
    assert comments('"""Doc."""\n# plugsock: allow any\n').everywhere == {"any"}
