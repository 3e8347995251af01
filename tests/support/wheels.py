"""Small packages as files, for pip to find without a network: wheels, and sources that nobody builds."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Final

WHEEL: Final = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

SETUP: Final = "raise SystemExit('somebody has run this')\n"


def wheel(
    folder: Path, name: str, version: str = "1.0", files: dict[str, str] | None = None, *, metadata: str = ""
) -> Path:
    """Write a wheel: by default one module of its name, which knows its version.

    Args:
        folder: Where to.
        name: Of the package.
        version: Of it.
        files: What is in it, by path.
        metadata: Further lines: `Requires-Dist: other`.
    """
    info = f"{name}-{version}.dist-info"
    inside = files if files is not None else {f"{name}.py": f"VERSION = {version!r}\n"}
    inside = inside | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}\n",
        f"{info}/WHEEL": WHEEL,
    }
    record = "".join(f"{path},,\n" for path in [*inside, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in (inside | {f"{info}/RECORD": record}).items():
            archive.writestr(inner, text)
    return path


def source(folder: Path, name: str, version: str = "1.0") -> Path:
    """Write a source distribution whose `setup.py` must never run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with tarfile.open(path, "w:gz") as archive:
        for inner, text in {"PKG-INFO": metadata, "setup.py": SETUP}.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{inner}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path
