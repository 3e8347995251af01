"""TypeScript's compiler, which `.ci/run` installs where there is npm."""

import re

from support import npm

TSC = npm.modules("typescript") / "typescript/bin/tsc"

needs_tsc = npm.needs("typescript")


def complaints(*files):
    """What the compiler says of some files, which lie in one folder: (file, line, code)."""
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "preserve", "--pretty", "false"]
    run = npm.node(TSC, *options, "--types", "", *(file.name for file in files), cwd=files[0].parent)
    found = re.findall(r"^(\S+)\((\d+),\d+\): error TS(\d+)", run.stdout, re.MULTILINE)
    assert found or run.returncode == 0, run.stdout + run.stderr
    return [(file, int(line), int(code)) for file, line, code in found]
