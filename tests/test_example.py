"""The example that people begin with: its plugs are good, and the page is built of what they are now."""

import json
import re
import shutil

import pytest

from support import executable
from support.npm import packages
from support.site import EXAMPLE


@pytest.fixture
def plugs(tmp_path, monkeypatch):
    """Its plugs, with books of their own."""
    shutil.copytree(EXAMPLE / "plugs", tmp_path / "plugs", ignore=shutil.ignore_patterns("__pycache__"))
    executable.move_to(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "plugs"


def plugsock(*arguments):
    ended = executable.run(executable.command()[0], *executable.command()[1:], *arguments)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.end_to_end
def test_its_plugs_have_nothing_wrong(plugs):
    assert plugsock("check", "plugs", "--run-examples") == (0, "no problems, 6 events\n", "")


@pytest.mark.end_to_end
@pytest.mark.parametrize(("command", "file"), [("types", "types.d.ts"), ("schema", "shapes.json")])
def test_what_it_is_built_of_is_what_the_plugs_are(plugs, command, file):
    """Else: plugsock types --output src/types.d.ts; plugsock schema > src/shapes.json."""
    assert plugsock(command)[1] == (EXAMPLE / "src" / file).read_text(encoding="utf-8")


def test_what_it_is_built_with_is_what_the_tests_build_it_with():
    wanted = json.loads((EXAMPLE / "package.json").read_text(encoding="utf-8"))["devDependencies"]

    assert wanted.keys() == {"typescript", "vite"}
    for name, version in wanted.items():
        assert f"{name}@{version}" in packages("typescript") + packages("vite")


def test_its_lock_says_nothing_of_where_packages_come_from():
    lock = json.loads((EXAMPLE / "package-lock.json").read_text(encoding="utf-8"))

    assert [each["resolved"] for each in lock["packages"].values() if "resolved" in each] == ["../../clients/js"]


def test_it_shows_no_markup_that_it_is_sent():
    for file in (EXAMPLE / "src").glob("*.ts"):
        assert not re.search("innerHTML|outerHTML|insertAdjacentHTML", file.read_text(encoding="utf-8"))
