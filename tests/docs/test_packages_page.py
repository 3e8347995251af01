"""The page on packages says what the code says."""

import re
from pathlib import Path

from plugsock.cli.pip import WHERE, group
from plugsock.needs.metadata import read
from plugsock.pool import installer

PAGE = (Path(__file__).parents[2] / "docs" / "packages.md").read_text(encoding="utf-8")


def test_each_command_is_in_the_table():
    assert set(re.findall(r"^\| `plugsock pip (\w+)", PAGE, re.MULTILINE)) == set(group.commands)


def test_each_option_of_pips_is_named():
    options = {f"--{name.replace('_', '-')}" for name in WHERE} | {"--no-index", "--upgrade"}

    assert all(f"`{option}`" in PAGE for option in options)


def test_the_example_says_what_it_needs_at_the_line_that_the_log_names():
    (example,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    line = int(re.findall(r"plugs/size\.py:(\d+): it needs orjson>=3", PAGE)[0])

    assert [(each.line, each.text) for each in read(example).dependencies] == [
        (line, "orjson>=3"),
        (line + 1, "humanize"),
    ]


def test_pip_has_as_long_as_it_says():
    assert installer.LIMIT_S == 600.0
    assert "pip has ten minutes" in PAGE
