"""The types of the JavaScript client, with those that `plugsock types` writes: what is wrong does not compile."""

import shutil
from pathlib import Path

import pytest

from support.js_build import MODULES, needs_build, node
from support.tsc import complaints, needs_tsc

HERE = Path(__file__).parent / "typescript"
TYPES = Path(__file__).parents[1] / "shapes/typescript/types.d.ts"


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    """A folder with the client's declarations, and with those of some plugs."""
    folder = tmp_path_factory.mktemp("types")
    run = node(MODULES / "typescript/bin/tsc", "-p", ".", "--outDir", folder / "plugsock")
    assert run.returncode == 0, run.stdout
    shutil.copy(TYPES, folder)
    return folder


def compiled(folder, name):
    return complaints(Path(shutil.copy(HERE / name, folder)), folder / "types.d.ts")


@needs_build
@needs_tsc
def test_what_is_right_compiles(declared):
    assert compiled(declared, "right.ts") == []


@needs_build
@needs_tsc
def test_each_line_that_is_wrong_is_an_error(declared):
    # `@ts-expect-error` over a line that compiles is one itself
    assert compiled(declared, "wrong.ts") == []
