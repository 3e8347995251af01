"""What is put into the executable as wheels. This runs in the build environment, with the pip that is locked."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

NAMES: Final = ("pip", "tzdata")
"""pip for `plugsock pip`; tzdata for systems that have no time zones. As files they cost a start nothing."""


def fetch(lock: Path, folder: Path) -> list[Path]:
    """Have the wheels in a folder, downloaded if they are not there yet, and return them.

    Raises:
        SystemExit: They could not be had, or are not those that the lock file names.
    """
    entries = {name: _entry(lock, name) for name in NAMES}
    folder.mkdir(parents=True, exist_ok=True)
    if not all(_found(folder, name, entry) for name, entry in entries.items()):
        _download("\n".join(entries.values()), folder)
    wheels = [_found(folder, name, entry) for name, entry in entries.items()]
    if None in wheels:
        sys.exit(f"plugsock.spec: {folder} does not hold the wheels of {', '.join(NAMES)} that {lock.name} names.")
    return [wheel for wheel in wheels if wheel is not None]


def _entry(lock: Path, name: str) -> str:
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    return next(entry for entry in entries if entry.startswith(f"{name}=="))


def _found(folder: Path, name: str, entry: str) -> Path | None:
    locked = set(re.findall(r"sha256:([0-9a-f]{64})", entry))
    wheels = sorted(folder.glob(f"{name}-*.whl"))
    return next((wheel for wheel in wheels if hashlib.sha256(wheel.read_bytes()).hexdigest() in locked), None)


def _download(requirements: str, folder: Path) -> None:
    listed = folder / "requirements.txt"
    listed.write_text(requirements + "\n", encoding="utf-8")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(listed)]
    if subprocess.call(command):
        sys.exit(f"plugsock.spec: pip could not download {', '.join(NAMES)}; without a network put both into {folder}.")
