"""Each rule finds the page's example of what is wrong, and nothing in that of what is right."""

import re
from pathlib import Path

import pytest

from plugsock.checks.rules import BREAKING_CHANGE, OFF, RULES
from plugsock.cli.main import main
from support.page import files_of, lay_out

PAGE = (Path(__file__).parents[2] / "docs" / "checking.md").read_text(encoding="utf-8")
HEAD = "from typing import Annotated, Any\nfrom msgspec import Meta, Struct\nfrom plugsock import plug\n\n"
SECTIONS = dict(re.findall(r"^### ([\w-]+)\n(.*?)(?=^###? )", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """The exit status of a folder with one file, and the rules that are reported."""
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugsock.toml").write_text(f"[check]\nrequire = {sorted(OFF)!r}\n")
    monkeypatch.chdir(tmp_path)

    def checked(text):
        (tmp_path / "plugs" / "page.py").write_text(HEAD + text)
        status = main(["check"])
        return status, re.findall(r" \[([\w-]+)\]$", capsys.readouterr().out, re.MULTILINE)

    return checked


def test_every_rule_has_a_section():
    assert list(SECTIONS) == list(RULES)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in {BREAKING_CHANGE, *OFF}])
def test_what_is_wrong_is_found_and_what_is_right_is_not(check, rule):
    wrong, right = re.findall(r"^```python\n(.*?)^```$", SECTIONS[rule], re.MULTILINE | re.DOTALL)

    assert set(check(wrong)[1]) - OFF == {rule}
    assert set(check(right)[1]) - OFF == set()


@pytest.mark.parametrize("rule", sorted(OFF))
def test_so_is_it_for_a_rule_that_is_required(check, rule):
    wrong, right = re.findall(r"^```python\n(.*?)^```$", SECTIONS[rule], re.MULTILINE | re.DOTALL)

    assert check(wrong) == (1, [rule])
    assert check(right) == (0, [])


def test_a_rule_is_silenced_as_the_page_says(tmp_path, monkeypatch, capsys):
    lay_out(files_of(PAGE), tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main(["check"]) == 0, capsys.readouterr()
