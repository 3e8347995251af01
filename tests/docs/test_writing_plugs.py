"""Every example of the page is loaded, and its test run."""

import re
from pathlib import Path

import pytest

from plugsock.cli.main import main
from plugsock.testing import Granted, Joined, Kicked, Published, Revoked, Sent, client
from support.page import files_of, lay_out, run_tests

PAGE = (Path(__file__).parents[2] / "docs" / "writing-plugs.md").read_text(encoding="utf-8")
FILES = files_of(PAGE)


@pytest.fixture
def place(tmp_path, monkeypatch):
    lay_out(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_is_a_plug_without_problems(place, capsys):
    assert main(["check", str(place / "plugs")]) == 0, capsys.readouterr()


def test_the_example_of_a_test_passes(place):
    run = run_tests(place)

    assert run.returncode == 0, run.stdout


async def test_all_that_can_be_looked_at_in_a_test_is_on_the_page(place):
    table = PAGE.partition("\n## Testing\n")[2]
    said = set(re.findall(r"`c\.(\w+)`", table))
    async with client("plugs") as c:
        assert said == {name for name, value in vars(c).items() if isinstance(value, list)} - {"problems"}

    for record in (Sent, Published, Joined, Kicked, Granted, Revoked):
        assert f"`{record.__name__}({', '.join(record.__struct_fields__)})`" in table
