import shutil
from pathlib import Path

import pytest

from building import executable

ROOT = Path(__file__).parents[2]
MADE = shutil.ignore_patterns(".venv", "build", "dist", "__pycache__", ".plugsock", ".build", ".hypothesis", ".*_cache")


@pytest.mark.timeout(600)
def test_the_same_sources_in_another_folder_give_the_same_bytes(exe, tmp_path):
    if exe != ROOT / "dist" / executable.NAME or not (ROOT / "build/work").is_dir():
        pytest.skip("it was not built here")
    environment = executable.environment(ROOT)
    environment.prepare()
    copy = tmp_path / "somewhere else"
    shutil.copytree(ROOT, copy, ignore=MADE, symlinks=True)
    shutil.copytree(ROOT / "build/wheels", copy / "build/wheels")

    built = executable.build(copy, environment.python, onedir=False)

    assert built.read_bytes() == exe.read_bytes()
