"""TypeScript's compiler, which `.ci/run` installs where there is npm."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path.home() / ".cache/plugsock/typescript"
TSC = FOLDER / "node_modules/typescript/bin/tsc"
NEEDED = f"needs node, and: npm install --no-save --prefix {FOLDER} typescript@7.0.2"

needs_tsc = pytest.mark.skipif(shutil.which("node") is None or not TSC.exists(), reason=NEEDED)


def complaints(*files):
    """What the compiler says of some files, which lie in one folder: (file, line, code)."""
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "preserve", "--pretty", "false"]
    command = ["node", TSC, *options, "--types", "", *(file.name for file in files)]
    run = subprocess.run(command, cwd=files[0].parent, capture_output=True, text=True, check=False, timeout=50)
    found = re.findall(r"^(\S+)\((\d+),\d+\): error TS(\d+)", run.stdout, re.MULTILINE)
    assert found or run.returncode == 0, run.stdout + run.stderr
    return [(file, int(line), int(code)) for file, line, code in found]
