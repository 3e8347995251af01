"""Small files that outlive a crash and a power cut: each is there as it was, or as it is now, and never in between."""

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import Final

_NO_SUCH_SYNC: Final = {errno.EINVAL, errno.ENOTSUP}
"""What syncing a directory says on file systems that do not know it; PostgreSQL goes on as well there."""


def write(path: Path, content: bytes) -> None:
    """Write a file that only this user can open, and return when it is on the disk; it blocks for as long as that takes.

    The new content is complete beside the old one before it takes its place. Nobody else may write the file meanwhile.

    Raises:
        OSError: It could not be written: what was there is as before. Only if the very last step fails, which makes
            the change of place durable, the new content is there and may be gone after a power cut.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # of a process that died while it wrote
    try:
        with open(new, "xb", opener=_open_private) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def read(path: Path) -> bytes | None:
    """Read a file; None if there is none.

    Raises:
        OSError: It is there and can't be read, or is a link to nowhere.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise
        return None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if sys.platform == "win32":

    def _sync_directory(path: Path) -> None:
        """Directories can't be opened there; the file system writes its own changes down before it makes them."""
else:

    def _sync_directory(path: Path) -> None:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        except OSError as error:
            if error.errno not in _NO_SUCH_SYNC:
                raise
        finally:
            os.close(directory)
