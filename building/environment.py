"""Virtual environments: made from one lock file, with nothing but Python and pip, or with uv where it is installed."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STAMP = "plugsock.stamp"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment with all that a lock file names."""

    folder: Path
    lock: Path
    project: Path
    """The folder of pyproject.toml."""
    editable: bool = False
    """Is plugsock itself in it, as it lies in the project?"""

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        """The file that is there once the environment is complete, and says what it was made from."""
        return self.folder / STAMP

    def prepare(self) -> None:
        """Make it, unless the one that is there was made from the same files by the same Python."""
        wanted = self.origin()
        if self.stamp.is_file() and self.python.exists() and self.stamp.read_text(encoding="utf-8") == wanted:
            return
        name = self.folder.relative_to(self.project)
        print(f"build.py: making {name} from {self.lock.name} ...", file=sys.stderr, flush=True)
        self.stamp.unlink(missing_ok=True)
        if self.folder.exists() and not self.may_be_built_upon():
            shutil.rmtree(self.folder)
        uv = shutil.which("uv")
        for step in self._with_uv(uv) if uv else self._with_pip():
            must(step)
        self.stamp.write_text(wanted, encoding="utf-8")

    def may_be_built_upon(self) -> bool:
        """Can packages be put on top of the one that is there? Only if the same minor version has made it.

        Without plugsock itself in it, it is there to build from, and what an earlier lock has left would be built in.
        """
        if not self.editable:
            return False
        config = self.folder / "pyvenv.cfg"
        made_by = r"version(_info)? = {}\.{}\b".format(*sys.version_info)
        return config.is_file() and re.search(made_by, config.read_text(encoding="utf-8")) is not None

    def origin(self) -> str:
        """Name everything that it is made from."""
        files = [self.lock, *([self.project / "pyproject.toml"] if self.editable else [])]
        parts = (*(file.read_text(encoding="utf-8") for file in files), sys.version, sys.base_prefix, str(self.project))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _with_uv(self, uv: str) -> Iterator[list[str]]:
        install = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        yield [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(self.folder)]
        yield [*install, "--require-hashes", "--requirements", str(self.lock)]
        yield from self._itself(install)

    def _with_pip(self) -> Iterator[list[str]]:
        install = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        yield [sys.executable, "-m", "venv", str(self.folder)]
        yield [*install, "--require-hashes", "--requirement", str(self.lock)]
        yield from self._itself(install)

    def _itself(self, install: list[str]) -> Iterator[list[str]]:
        if self.editable:
            yield [*install, "--no-deps", "--no-build-isolation", "--editable", str(self.project)]


def must(step: Sequence[str]) -> None:
    """Run a program that has to succeed; what it says goes where ours does.

    Raises:
        SystemExit: It did not.
    """
    status = subprocess.call(step)
    if status:
        sys.exit(f"build.py: this failed with status {status}: {subprocess.list2cmdline(step)}")
