"""What the page says of `plugsock hot` is what that says."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from plugsock.hot import warm
from plugsock.testing.alone import MOST_ITEMS
from support import executable
from support.page import files_of, lay_out

PAGE = (Path(__file__).parents[2] / "docs" / "hot.md").read_text(encoding="utf-8")


@pytest.mark.end_to_end
def test_its_example_says_what_stands_there(tmp_path):
    lay_out(files_of(PAGE), tmp_path)
    command = [*executable.command(), "hot", "cart.total", "plugs"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=50).stdout

    shown = PAGE.partition("$ plugsock hot cart.total\n")[2].partition("```")[0]
    assert without_numbers(said) == without_numbers(shown)


def without_numbers(text):
    """What is the same on every machine, and with every CPython."""
    lines = re.sub(r"CPython [\d.]+", "", text).splitlines()
    return [re.sub(r"[\d,]+|BINARY_\w+ is not for", "", line) for line in lines if not line.endswith("%)")]


def test_its_figures_are_those_of_the_code():
    assert f"the middle of {warm.BATCHES} measurements" in PAGE
    assert f"up to {MOST_ITEMS} items" in PAGE


@pytest.mark.end_to_end
def test_its_filter_finds_the_time(tmp_path):
    lay_out(files_of(PAGE), tmp_path)
    command = [*executable.command(), "hot", "cart.total", "plugs", "--format", "json"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=50).stdout

    assert json.loads(said)["per_call"]["median"] > 0
