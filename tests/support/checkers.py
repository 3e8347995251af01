"""What those say of a file who look at it for a living: a type checker and a linter."""

import subprocess
import sys

RULES = "E,F,W,I,B,UP,ANN,PIE,PYI,RET,RUF,SIM"
IGNORED = "E501,ANN401,RET504"
"""A type can be long, or `Any`; and a variable's type may be what it is there for."""


def mypy(*files):
    """The errors of mypy under `--strict`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", ".mypy_cache", *files]
    return _said(command, files[0].parent)


def ruff(*files):
    """The complaints of ruff, as somebody has it who has asked for much."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--output-format",
        "concise",
        "--quiet",
    ]
    return _said([*command, "--select", RULES, "--ignore", IGNORED, *files], files[0].parent)


def _said(command, folder):
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=55)
    assert run.stderr == ""
    return run.stdout.splitlines()
