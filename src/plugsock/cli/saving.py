"""Writing files into a folder that a server watches: whole or not at all."""

import os
from pathlib import Path

from plugsock.errors import PlugsockError


def replace(file: Path, text: str) -> None:
    """Write a whole file at once, so that a server that watches never sees half of it; folders are made."""
    _beside(file, text.encode()).replace(file)


def create(file: Path, data: bytes) -> None:
    """Write a file that is not there yet, at once as well.

    Raises:
        FileExistsError: Somebody has made it, even at the last moment; it is left alone.
    """
    new = _beside(file, data)
    try:
        os.link(new, file)  # unlike a rename it never takes the place of something
    except FileExistsError:
        raise
    except OSError as wrong:  # a file system without links
        if file.exists():
            raise FileExistsError(wrong.errno, "File exists", str(file)) from wrong
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def refuse_other_capitals(stem: Path, plugs: Path) -> None:
    """Many file systems take `Greet.py` and `greet.py` for one, so that a folder with both can't be copied there.

    Raises:
        PlugsockError: The folder of plugs has a name that differs only in capitals.
    """
    for path in (stem, *stem.parents):
        if path == plugs:
            return
        for there in path.parent.iterdir() if path.parent.is_dir() else ():
            if there.stem != path.name and there.stem.casefold() == path.name.casefold():
                raise PlugsockError(f"{there} is there already, and differs only in capitals; choose another name")


def _beside(file: Path, data: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    return new
