import sys
from importlib.machinery import ModuleSpec

import pytest

from building.modules import find, within


@pytest.fixture
def folder(tmp_path):
    """A folder with a module and a package; whoever imports one of them fails."""
    for name in (
        "alone",
        "whole/__init__",
        "whole/__main__",
        "whole/part/__init__",
        "whole/part/leaf",
        "whole/tests/__init__",
    ):
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("raise SystemExit", encoding="utf-8")
    (tmp_path / "whole" / "data").mkdir()
    return str(tmp_path)


def test_all_modules_of_a_package_are_found_and_none_is_imported(folder):
    assert list(within(find("whole", [folder]))) == ["whole", "whole.__main__", "whole.part", "whole.part.leaf"]
    assert "whole" not in sys.modules


def test_a_module_has_only_itself(folder):
    assert list(within(find("alone", [folder]))) == ["alone"]


def test_what_is_in_the_interpreter_itself_is_found_anywhere(folder):
    assert isinstance(find("sys", [folder]), ModuleSpec)


def test_what_is_nowhere_is_not_found(folder):
    assert find("nowhere", [folder]) is None
