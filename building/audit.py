"""What must be true of an executable before anybody gets it, seen from what is inside of it."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

from building import elf

MIB: Final = 1024 * 1024
LARGEST: Final = 20 * MIB
"""What the one file may have: a download of seconds."""

GPL: Final = ("libreadline", "libgdbm")
"""Libraries whose licence would be that of the whole executable. A Python built with libedit has neither."""


@dataclass(frozen=True)
class Audit:
    """What was found."""

    size: int
    """Bytes of the one file."""
    files: int
    """How many files it unpacks at each start."""
    glibc: elf.Version
    """The least version that it runs on; empty where there is none."""
    faults: list[str]
    """What is wrong, in sentences."""
    private: list[str] = field(default_factory=list)
    """What is wrong only if others are to get it."""

    def __str__(self) -> str:
        floor = f", needs glibc {elf.as_text(self.glibc)}" if self.glibc else ""
        return f"{self.size / MIB:.1f} MiB, {self.files} files inside{floor}"


def audit(root: Path, executable: Path, python: Path, glibc: elf.Version | None) -> Audit:
    """Look into an executable that was built in `root`.

    Args:
        root: The folder of plugsock.spec; what is inside is unpacked to `build/unpacked` in it.
        executable: The one file.
        python: That of the build environment.
        glibc: The version that it must run on, if that was asked for.
    """
    unpacked = root / "build/unpacked"
    unpack(root, executable, python, unpacked)
    inside = unpacked / "files"
    files = [file for file in unpacked.rglob("*") if file.is_file()]
    needs = {file: elf.glibc(file) for file in (executable, *files) if elf.is_elf(file)}
    size = executable.stat().st_size
    warnings = (root / "build/work/plugsock/warn-plugsock.txt").read_text(encoding="utf-8")
    wanted = (inside / "plugsock/bundled/modules.txt").read_text(encoding="utf-8").split()
    faults = [
        *(f"it has {size / MIB:.1f} MiB, more than {LARGEST // MIB}" for _ in range(size > LARGEST)),
        *too_new(needs, glibc),
        *(f"`{name}` is not in it" for name in sorted(set(wanted) - set(modules(unpacked)))),
        *(f"{line}: what needs it is plugsock's own" for line in unfound(warnings)),
        *(f"{file.relative_to(unpacked)} names the folder in which it was built" for file in naming(root, files)),
    ]
    count = sum(1 for file in inside.rglob("*") if file.is_file())
    return Audit(size, count, max(needs.values(), default=()), faults, list(private(files)))


def unpack(root: Path, executable: Path, python: Path, folder: Path) -> None:
    """Write all that is inside into a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "building.unpack", executable, folder], cwd=root, check=True)


def too_new(needs: dict[Path, elf.Version], limit: elf.Version | None) -> Iterator[str]:
    """Say which files need a newer glibc than the one that it must run on."""
    for file, version in sorted(needs.items()):
        if limit is not None and version > limit:
            yield f"{file.name} needs glibc {elf.as_text(version)}, newer than {elf.as_text(limit)}"


def private(files: list[Path]) -> Iterator[str]:
    """Say what only whoever built it should have."""
    for name in sorted({file.name for file in files if file.name.startswith(GPL)}):
        yield f"{name} is under the GPL, and so would be all of it"
    # Here these folders hold what is inside anyway. Elsewhere they are somebody's who could put a library there.
    for path in sorted({path for file in files if elf.is_elf(file) for path in elf.search_paths(file)}):
        if path.startswith("/"):
            yield f"its libraries are looked for in {path}, a folder of this machine"


def modules(unpacked: Path) -> Iterator[str]:
    """The names of all modules that are inside."""
    yield from (*sys.builtin_module_names, "_frozen_importlib", "_frozen_importlib_external")  # the interpreter itself
    yield from (file.name for file in (unpacked / "modules").iterdir())
    inside = unpacked / "files"
    with zipfile.ZipFile(inside / "base_library.zip") as base:
        for name in base.namelist():
            yield name.removesuffix(".pyc").removesuffix("/__init__").replace("/", ".")
    yield from filter(None, (extension(file.relative_to(inside)) for file in inside.rglob("*")))


def extension(file: Path) -> str | None:
    """The name of the module that a file is, if it is one in machine code."""
    suffix = next((suffix for suffix in EXTENSION_SUFFIXES if file.name.endswith(suffix)), None)
    if suffix is None:
        return None
    path = file.as_posix().removesuffix(suffix)
    return re.sub(r"^(python[\d.]+/)?lib-dynload/", "", path).replace("/", ".")


def unfound(warnings: str) -> Iterator[str]:
    """The lines of PyInstaller's warnings about what plugsock itself imports and does not get."""
    for line in warnings.splitlines():
        name = re.match(r"missing module named '?(\w+)", line)
        importers = re.findall(r"(?:by |, )(plugsock[\w.]*)", line)
        if name and importers and name[1] not in sys.stdlib_module_names:
            yield line


def naming(root: Path, files: list[Path]) -> Iterator[Path]:
    """The files in which the path of the folder stands: it would make each place give another executable."""
    path = re.compile(re.escape(str(root).encode()) + rb"(?![\w.-])")
    return (file for file in files if path.search(file.read_bytes()))
