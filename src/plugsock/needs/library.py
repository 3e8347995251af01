"""A folder's site-packages: only ever changed as a whole, by one process at a time.

    locked ─ staging: a new folder beside it ─ combine: what was there and what is new ─ swap: two renames

Whoever imports meanwhile sees the old state or the new one (or, between the two renames, none), and what fails or is
interrupted has changed nothing. If the process is killed between them, the next one that gets the lock undoes the first.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from plugsock.errors import PlugsockError
from plugsock.needs.installed import Package, packages
from plugsock.needs.places import LIBRARIES, LOCK, STAGING

COMPILED: Final = "__pycache__"


class Library:
    """What plugs can import beside all else.

    Args:
        plugs: The folder of plugs, which has to be there.

    Attributes:
        path: The site-packages; there may be none yet.
    """

    def __init__(self, plugs: Path) -> None:
        self.path = (plugs / LIBRARIES).resolve()  # a link stays one: what it leads to is exchanged

    def packages(self) -> dict[str, Package]:
        """What is installed, by normalized name."""
        return packages([str(self.path)])

    @contextlib.contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[int]:
        """Let no other process change it meanwhile, and clear away what one has left that was killed.

        What is locked is the folder around it: links may lead there from several folders of plugs.

        Args:
            waiting: Called if another one is at it, before its end is waited for.

        Yields:
            What holds the lock: a file descriptor. A process that inherits it holds the lock, too.
        """
        fd = _open_lock(self.path.parent)
        try:
            if not _lock(fd, wait=False):
                waiting()
                _lock(fd, wait=True)
            self._clear_away()
            yield fd
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """Make a folder on the same file system, which is gone in the end whatever happens."""
        folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.path.parent))
        try:
            yield folder
        finally:
            self._discard(folder)

    def replace(self, fresh: Path, staging: Path) -> None:
        """Add packages, and take away other versions of them.

        Args:
            fresh: A folder with the packages and nothing else; it is used up.
            staging: The folder from `staging`.

        Raises:
            PlugsockError: It can't be exchanged, because it is in use; only on Windows.
        """
        ready = staging / "ready"
        if self.path.is_dir():
            shutil.copytree(self.path, ready, symlinks=True, copy_function=_link)
            _remove(ready, packages([str(fresh)]))
        else:
            ready.mkdir()
        _move(fresh, ready)
        self._swap(ready, staging / "before")

    def _swap(self, ready: Path, before: Path) -> None:
        try:
            if self.path.exists():
                self.path.rename(before)
            ready.rename(self.path)
        except BaseException as wrong:
            if before.exists() and not self.path.exists():
                before.rename(self.path)
            if isinstance(wrong, PermissionError):
                raise PlugsockError(
                    f"{self.path} is in use and can't be exchanged: stop the server, and say it again"
                ) from wrong
            raise

    def _clear_away(self) -> None:
        for folder in self.path.parent.glob(f"{STAGING}*"):
            self._discard(folder)

    def _discard(self, folder: Path) -> None:
        before = folder / "before"
        if before.exists() and not self.path.exists():
            before.rename(self.path)
        shutil.rmtree(folder, ignore_errors=True)  # on Windows a library that is in use stays until the next time


def _link(source: str, target: str) -> None:
    """Copy a file without copying its bytes, where the file system can."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _remove(folder: Path, names: Collection[str]) -> None:
    """Remove packages, as what they say they consist of, with the folders that are empty by that."""
    for info in folder.glob("*.dist-info"):
        found = Distribution.at(info)
        if canonicalize_name(found.metadata["Name"] or "") not in names:
            continue
        for file in found.files or ():
            path = Path(os.path.normpath(folder / file))
            if path.is_relative_to(folder):  # commands lie elsewhere
                path.unlink(missing_ok=True)
                _prune(path.parent, folder)
        shutil.rmtree(info, ignore_errors=True)


def _prune(folder: Path, top: Path) -> None:
    """Remove folders in which nothing is left that could be imported, from the inside out."""
    while folder != top and folder.is_dir() and all(each.name == COMPILED for each in folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent


def _move(source: Path, target: Path) -> None:
    """Move everything in a folder into another one; folders that both have are merged, as namespace packages want it."""
    for each in list(source.iterdir()):
        there = target / each.name
        if each.is_dir() and there.is_dir():
            _move(each, there)
        else:
            each.replace(there)


# Windows can't lock a folder, so that a file in it has to be locked.
if sys.platform == "win32":
    import msvcrt

    def _open_lock(folder: Path) -> int:
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)

    def _lock(fd: int, *, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # LK_LOCK gives up after 10 s
            except OSError:
                if not wait:
                    return False
            else:
                return True
else:
    import fcntl

    def _open_lock(folder: Path) -> int:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def _lock(fd: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
