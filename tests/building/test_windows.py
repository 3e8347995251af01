import ast

import pytest

from building import windows


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.2.3", (1, 2, 3, 0)), ("0.1.0.dev4+abc5", (0, 1, 0, 4)), ("2", (2, 0, 0, 0))]
)
def test_a_version_is_a_text_and_four_numbers(tmp_path, version, numbers):
    file = tmp_path / "version.txt"
    assert windows.describe(version, file) == str(file)
    described = ast.parse(file.read_text(encoding="utf-8"), mode="eval")

    fixed = next(word.value for word in described.body.keywords if word.arg == "ffi")
    texts = [
        node.value for node in ast.walk(described) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert ast.literal_eval(next(word.value for word in fixed.keywords if word.arg == "filevers")) == numbers
    assert texts.count(version) == 2
