"""The JavaScript client as it is handed out: its size, and that it is what the sources give."""

import gzip
import json
import sys
import tomllib

import pytest

from support.js_build import build, needs_build
from support.npm import CLIENT, ROOT, STATIC, packages

MOST = 6 * 1024
"""Bytes of the client, minified and compressed by gzip."""

NAMES = ("plugsock.js", "plugsock-mock.js")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"))


@needs_build
@pytest.mark.parametrize("name", NAMES)
def test_what_is_served_is_what_the_sources_give(built, name):
    same = (built / name).read_bytes() == (STATIC / name).read_bytes()
    assert same, f"{name} is older than clients/js/src: say `npm run build` in clients/js"


def test_it_is_small(capsys):
    size = len(gzip.compress((STATIC / "plugsock.js").read_bytes(), 9, mtime=0))
    with capsys.disabled():
        sys.stdout.write(f"\nplugsock.js: {size} bytes of {MOST}, minified and compressed\n")
    assert size <= MOST


def test_it_loads_nothing_but_the_mock_and_that_only_when_it_is_asked_for():
    source = (STATIC / "plugsock.js").read_text(encoding="utf-8")
    assert "import{" not in source
    assert source.count("import(") == source.count('import("./plugsock-mock.js")') == 1


def test_its_version_is_that_of_the_server():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in ("package.json", "package-lock.json"):
        assert json.loads((CLIENT / name).read_text(encoding="utf-8"))["version"] == project["version"]


def test_its_tools_are_pinned_and_come_from_wherever_npm_is_told():
    package = json.loads((CLIENT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((CLIENT / "package-lock.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    assert [f"{name}@{version}" for name, version in package["devDependencies"].items()] == packages("client")
    assert [name for name, each in lock["packages"].items() if "resolved" in each] == []


def test_its_licence_is_that_of_the_server():
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
