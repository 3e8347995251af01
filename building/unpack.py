"""`python -m building.unpack EXECUTABLE FOLDER`: everything in an executable, as files. It needs PyInstaller.

Modules come as they are stored, one file each, below `modules/`; all else below `files/`.
"""

import sys
from pathlib import Path

from PyInstaller.archive.readers import CArchiveReader


def unpack(executable: Path, folder: Path) -> None:
    """Write everything that is in an executable into a folder."""
    archive = CArchiveReader(str(executable))
    for name, (*_, kind) in archive.toc.items():
        if kind == "z":
            modules = archive.open_embedded_archive(name)
            for module in modules.toc:
                _write(folder / "modules" / module, modules.extract(module, raw=True) or b"")
        elif kind in "mM":  # those without which no archive can be read
            _write(folder / "modules" / name, archive.extract(name))
        elif kind != "n":  # a symbolic link to another of the files
            _write(folder / "files" / name, archive.extract(name))


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
