"""Node, and what tests need of npm: in the folders into which `.ci/npm` installs it, in the versions that it names."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients/js"
STATIC = ROOT / "src/plugsock/static"
LIMIT_S = 50

_INSTALLED = {
    name: packages.split()
    for name, packages in re.findall(
        r"^into (\S+) ([^#\n]+)", (ROOT / ".ci/npm").read_text(encoding="utf-8").replace("\\\n", ""), re.MULTILINE
    )
}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node: apt-get install nodejs")


def packages(name):
    """What is installed into a folder: `vite@8.3.8`, and so on."""
    return _INSTALLED[name]


def modules(name):
    """The `node_modules` of a folder, there or not."""
    return Path.home() / ".cache/plugsock" / name / "node_modules"


def needs(name):
    """Mark tests that need node and all that is installed into a folder."""
    is_there = all((modules(name) / each.rpartition("@")[0]).is_dir() for each in packages(name))
    return pytest.mark.skipif(
        shutil.which("node") is None or not is_there, reason="needs node and npm, and: bash .ci/npm"
    )


def node(*arguments, cwd=CLIENT, path=None):
    """Run node, with a `node_modules` beside what is found without; what it printed, and its exit status."""
    environment = os.environ | ({"NODE_PATH": str(path)} if path else {})
    command = ["node", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
