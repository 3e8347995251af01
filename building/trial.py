"""An executable and its archive, tried as somebody would who has just downloaded them."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 120.0
"""For one command: a selftest imports a thousand modules, and the machine may be a slow one."""


def try_archive(archive: Path, executable: str, version: str) -> None:
    """Unpack an archive, and try the executable in it.

    Args:
        archive: A .tar.gz or a .zip.
        executable: Its path below the archive's folder.
        version: What it must say that it is.

    Raises:
        SystemExit: It does not do what it should, or what it unpacked stays behind.
    """
    with _folder() as folder:
        _unpack(archive, folder)
        inside = folder / archive.name.removesuffix(".zip").removesuffix(".tar.gz")
        try_executable(inside / executable, version)


def try_executable(executable: Path, version: str) -> None:
    """Let an executable say its version, and test itself, with an empty environment.

    Args:
        executable: The one file, or that of the folder.
        version: What it must say that it is.

    Raises:
        SystemExit: It does not do what it should, or what it unpacked stays behind.
    """
    with _folder() as temporary:
        said = _run(executable, temporary, "--version")
        if said.strip() != f"plugsock {version}":
            sys.exit(f"build.py: {executable} --version said `{said.strip()}` instead of `plugsock {version}`.")
        _run(executable, temporary, "selftest")
        if left := [file.name for file in temporary.glob("_MEI*")]:
            sys.exit(f"build.py: {executable} has unpacked {', '.join(left)} and not taken it away.")


def _run(executable: Path, temporary: Path, *arguments: str) -> str:
    command = [str(executable), *arguments]
    ended = subprocess.run(
        command, env=_surroundings(temporary), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if ended.returncode:
        print(ended.stdout + ended.stderr, file=sys.stderr)
        sys.exit(f"build.py: this failed with status {ended.returncode}: {subprocess.list2cmdline(command)}")
    return ended.stdout


def _surroundings(temporary: Path) -> dict[str, str]:
    """As little as a system starts programs with; Windows itself needs a few."""
    own = {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    windows = {name: os.environ[name] for name in ("SYSTEMROOT", "USERPROFILE") if name in os.environ}
    return windows | own if sys.platform == "win32" else {"TMPDIR": str(temporary)}


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".zip":
        shutil.unpack_archive(archive, folder)
        return
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "tar_filter", None)  # since Python 3.11.4
        tar.extractall(folder)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="plugsock-build-") as folder:
        yield Path(folder)
