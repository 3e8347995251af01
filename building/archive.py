"""The files that people download: a folder in a .tar.gz or a .zip, the same bytes each time."""

import gzip
import os
import platform
import stat
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

OPERATING_SYSTEMS: Final = {"win32": "windows", "darwin": "macos"}
MACHINES: Final = {"amd64": "x86_64", "aarch64": "arm64"}
"""What one system calls otherwise than another, as one word for both."""

Members = dict[str, Path]
"""The path of each file below the archive's folder, and where it is now."""


def target() -> str:
    """The system that this is, as `linux-x86_64`."""
    machine = platform.machine().lower()
    return f"{OPERATING_SYSTEMS.get(sys.platform, sys.platform)}-{MACHINES.get(machine, machine)}"


def tree(folder: Path, below: str = "") -> Members:
    """All files and symbolic links in a folder as members, but for what Python leaves behind."""
    found = (file for file in folder.rglob("*") if not file.is_dir() or file.is_symlink())
    kept = (file for file in found if "__pycache__" not in file.parts)
    return {f"{below}{file.relative_to(folder).as_posix()}": file for file in kept}


def pack(members: Members, archive: Path, epoch: int) -> Path:
    """Write members into a .tar.gz or a .zip, in one folder with the archive's name, and return its path.

    Args:
        members: Symbolic links stay links, which a .zip has none of.
        archive: Its suffix decides.
        epoch: The date of all of them, in seconds since 1970.
    """
    write = _zip if archive.suffix == ".zip" else _tar
    write(dict(sorted(members.items())), archive, epoch)
    return archive


def _tar(members: Members, archive: Path, epoch: int) -> None:
    folder = archive.name.removesuffix(".tar.gz")

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.mtime, info.uid, info.gid, info.uname, info.gname = epoch, 0, 0, "", ""
        info.mode = _mode(info.mode)
        return info

    with (
        archive.open("wb") as opened,
        gzip.GzipFile("", "wb", 9, opened, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for place in _folders(f"{folder}/{name}" for name in members):
            info = tarfile.TarInfo(place)
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, epoch
            tar.addfile(info)
        for name, file in members.items():
            tar.add(file, f"{folder}/{name}", recursive=False, filter=plain)


def _folders(names: Iterable[str]) -> list[str]:
    """All folders that files are in. Named, they get their mode; else a umask might let others write to plugs."""
    return sorted({str(folder) for name in names for folder in PurePosixPath(name).parents} - {"."})


def _zip(members: Members, archive: Path, epoch: int) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, file in members.items():
            info = zipfile.ZipInfo(f"{archive.stem}/{name}", time.gmtime(epoch)[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, everywhere: it is what lets the mode be read
            info.external_attr = (stat.S_IFREG | _mode(file.stat().st_mode)) << 16
            packed.writestr(info, file.read_bytes())


def _mode(mode: int) -> int:
    """What may be run may be run by all; who built it and with which umask must not show."""
    return 0o755 if mode & 0o100 or os.name == "nt" else 0o644
