"""PyInstaller, run so that the same sources always give the same bytes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from building.environment import Environment

NAME: Final = "plugsock.exe" if sys.platform == "win32" else "plugsock"
FIRST_EPOCH: Final = 1_735_689_600
"""The date of what is built outside of git: 2025-01-01."""


def environment(root: Path) -> Environment:
    """The environment that it is built in, with PyInstaller and what is bundled, each in a version that is locked."""
    return Environment(folder=root / "build/venv", lock=root / "requirements-build.lock", project=root)


def build(root: Path, python: Path, *, onedir: bool) -> Path:
    """Build `dist/plugsock`, and `dist/plugsock-onedir` as well if asked for; return the path of the first.

    Args:
        root: The folder of plugsock.spec; everything is written to `build/` and `dist/` in it.
        python: That of the build environment.
        onedir: Build the folder, too?

    Raises:
        SystemExit: PyInstaller failed; all that it said is in `build/log.txt`.
    """
    work = root / "build/work"
    # That of an earlier build would be taken for this one's.
    shutil.rmtree(root / "dist/plugsock-onedir", ignore_errors=True)
    options = ["--noconfirm", "--clean", "--distpath", str(root / "dist"), "--workpath", str(work)]
    command = [str(python), "-m", "PyInstaller", *options, str(root / "plugsock.spec"), *(["--", "--onedir"] * onedir)]
    log = root / "build/log.txt"
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.call(command, cwd=root, env=surroundings(root), stdout=output, stderr=output)
    if status:
        last = log.read_text(encoding="utf-8").strip().splitlines()[-1:]
        sys.exit("\n".join([*last, f"build.py: PyInstaller failed with status {status}; {log} has all that it said."]))
    return root / "dist" / NAME


def surroundings(root: Path, outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that PyInstaller runs with: ours, and those without which two builds would differ."""
    own = {
        "PYTHONHASHSEED": "1",  # else sets are written in another order each time
        "SOURCE_DATE_EPOCH": str(epoch(root, outer)),
        "PYINSTALLER_CONFIG_DIR": str(root / "build/pyinstaller"),  # its cache, which `--clean` empties
        "PYTHONPATH": str(root / "src"),
    }
    return {**outer, **own}


def epoch(root: Path, outer: Mapping[str, str] = os.environ) -> int:
    """The date of what is built, in seconds since 1970: what SOURCE_DATE_EPOCH says, else that of the last commit."""
    if said := outer.get("SOURCE_DATE_EPOCH"):
        return int(said)
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        shown = ""
    return int(shown or FIRST_EPOCH)
