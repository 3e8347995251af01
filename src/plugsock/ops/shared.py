"""A piece of memory that two processes share, through a file that both map."""

import contextlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import Self


class Shared:
    """Memory of a file.

    Attributes:
        path: The file, for the other process.
        view: The memory as words of eight bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Map a file that `create` made.

        Raises:
            OSError: It can't be opened.
            ValueError: It is smaller than that.
        """
        self.path = path
        file = os.open(path, os.O_RDWR)
        try:
            self._map = mmap.mmap(file, size)
        finally:
            os.close(file)
        self.view: memoryview[int] = memoryview(self._map).cast("Q")

    @classmethod
    def create(cls, directory: Path, size: int) -> Self:
        """Make a file that only this user can open, full of zeros, and map it.

        Raises:
            OSError, ValueError: There is no room for it.
        """
        file, name = tempfile.mkstemp(".page", dir=directory)
        try:
            os.write(
                file, bytes(size)
            )  # not a hole: where the disk is full, this fails and not a later write to memory
            return cls(Path(name), size)
        except (OSError, ValueError):
            Path(name).unlink()
            raise
        finally:
            os.close(file)

    def forget_path(self) -> None:
        """Take the file away, as nobody else will map it; who has mapped it keeps the memory."""
        with contextlib.suppress(OSError):  # Windows keeps files that are mapped; `close` tries again
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the memory, and of the file if it is still there. Nobody may hold the view any more."""
        self.view.release()
        self._map.close()
        self.forget_path()
