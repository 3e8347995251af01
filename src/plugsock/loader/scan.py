"""Which files of a folder are plugs, and their bytes.

Contents decide whether a file has changed. A file is not read again while its stat is the same, unless that stat is so
young that a second change may hide behind it (git calls such a file racily clean) or the watcher has named the file.
What others can write to is not read at all, see `trust`.
"""

import itertools
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct, field

from plugsock.loader.settle import Settling, Stamp, Writers, is_regular, read_lease
from plugsock.loader.source import Folder, Source, one_line
from plugsock.loader.trust import Guard, Untrusted
from plugsock.model import Problem

MAX_SOURCE: Final = 2 << 20
"""Bytes of a file. Compiling holds the interpreter for about a second per MiB; tables of data belong into data files."""

RACY_NS: Final = 2_000_000_000
"""A stat is trusted once its times are so much older than the read: FAT, the coarsest, counts in steps of 2 s."""

NEVER: Final = frozenset({"conftest.py", "site-packages", "node_modules", "venv", "__pycache__"})

OPEN_FLAGS: Final = os.O_RDONLY | sum(
    getattr(os, f"O_{name}", 0) for name in ("NONBLOCK", "NOFOLLOW", "CLOEXEC", "BINARY")
)
FOLDER_FLAGS: Final = os.O_RDONLY | sum(getattr(os, f"O_{name}", 0) for name in ("DIRECTORY", "CLOEXEC"))


def is_ignored(name: str) -> bool:
    """Is a file or folder of this name never looked at? Hidden ones, tests, environments."""
    is_test = name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
    return is_test or name.startswith(".") or name in NEVER


class Scan(Struct):
    """What a folder holds."""

    sources: dict[str, Source] = field(default_factory=dict)
    """Complete files by module name."""
    waits: dict[str, float] = field(default_factory=dict)
    """Modules whose file is being written, and the seconds after which to look at it again."""
    kept: set[str] = field(default_factory=set)
    """Modules and packages that are there but can't be used: what was served of them goes on."""
    has_unread: bool = False
    """Something could not be read or trusted this time, so that another look is due."""
    problems: list[Problem] = field(default_factory=list)
    is_gone: bool = False
    """The folder itself can't be found or trusted: everything that was served goes on."""


class _Listed(NamedTuple):
    name: str
    path: str
    is_folder: bool
    is_link: bool


class _Entry(NamedTuple):
    module: str
    path: str
    file: str
    is_package: bool
    is_helper: bool
    name: str
    is_link: bool


class _Known(NamedTuple):
    stamp: Stamp | None
    source: Source
    trusted: bool


class _Unfit(Exception):
    """The file can't be used; the text says why."""


class Scanner:
    """Looks through one folder, again and again."""

    def __init__(self, folder: Folder, wall_ns: Callable[[], int]) -> None:
        self._folder = folder
        self._wall_ns = wall_ns
        self._guard = Guard(is_off=folder.is_trusted)
        self._settling = Settling()
        self._known: dict[str, _Known] = {}
        self._identity: tuple[int, int] | None = None

    def scan(self, now: float, suspects: Collection[str] = ()) -> Scan:
        """Look at every file; never blocks on one.

        Args:
            now: Seconds of a steady clock, for how long a file has been quiet.
            suspects: Base names of files that are read whatever their stat says.
        """
        scan = Scan()
        self._guard = Guard(is_off=self._folder.is_trusted)
        try:
            info = self._folder.path.stat()
            entries = list(self._entries(scan, str(self._folder.path), self._folder.package, helper=False))
        except OSError as error:
            return Scan(is_gone=True, problems=[self._problem("", f"the folder can't be read: {error.strerror}")])
        except Untrusted as error:
            return Scan(is_gone=True, has_unread=True, problems=[self._problem("", f"the folder is skipped: {error}")])
        identity = (info.st_dev, info.st_ino)
        if not entries and self._identity not in (None, identity):  # unmounted, or moved away and made anew
            return Scan(is_gone=True, problems=[self._problem("", "the folder was replaced by an empty one")])
        self._identity = identity
        for entry in self._without_twins(entries, scan):
            self._add(scan, entry, now, suspects)
        self._forget_all_but({entry.path for entry in entries})
        return scan

    def hold(self, sources: Iterable[Source]) -> None:
        """Take these for what the files were when they were last read; they are read again nevertheless."""
        top, absolute = str(self._folder.path), str(self._folder.path.absolute())
        paths = {f"{top}{source.path.removeprefix(absolute)}": source for source in sources}
        self._known = {path: _Known(None, source, trusted=False) for path, source in paths.items()}

    def _entries(self, scan: Scan, path: str, package: str, *, helper: bool) -> Iterator[_Entry]:
        for entry in listing(path, self._guard):
            if is_ignored(entry.name):
                continue
            if entry.is_folder:
                yield from self._subfolder(scan, entry, package, helper=helper)
            elif entry.name.endswith(".py"):
                yield from self._file(scan, entry, package, helper=helper)
            elif entry.is_link and Path(entry.path).is_dir():
                scan.problems.append(self._problem(entry.path, "it is a link to a folder, which is not followed"))

    def _subfolder(self, scan: Scan, entry: _Listed, package: str, *, helper: bool) -> Iterator[_Entry]:
        name = entry.name
        if name.endswith(".py"):
            scan.problems.append(self._problem(entry.path, "it is a folder and is skipped: only files are plugs"))
            return
        try:
            yield from self._entries(scan, entry.path, f"{package}.{name}", helper=helper or name.startswith("_"))
        except OSError as error:
            reason = f"the folder can't be read: {error.strerror}"
        except Untrusted as error:
            reason = f"the folder is skipped: {error}"
        else:
            return
        scan.problems.append(self._problem(entry.path, reason))
        scan.kept.add(f"{package}.{name}")
        scan.has_unread = True

    def _file(self, scan: Scan, entry: _Listed, package: str, *, helper: bool) -> Iterator[_Entry]:
        stem = entry.name.removesuffix(".py")
        is_package = stem == "__init__"
        module = package if is_package else f"{package}.{stem}"
        if not all(part.isidentifier() for part in (*package.split("."), stem)):
            scan.problems.append(
                self._problem(entry.path, "it is skipped: names of plugs and their folders are Python identifiers")
            )
            return
        helper = helper or (stem.startswith("_") and not is_package)
        file = one_line(entry.path)
        yield _Entry(module, entry.path, file, is_package, helper, entry.name, entry.is_link)

    @staticmethod
    def _without_twins(entries: list[_Entry], scan: Scan) -> list[_Entry]:
        """`chat.py` beside `chat/`: which is meant can't be known, so neither is taken."""
        files = {entry.module: entry for entry in entries if not entry.is_package}
        within = {entry: _enclosing(entry, files) for entry in entries}
        doubled = {twin.module: entry for entry, twin in within.items() if twin is not None}
        for module, entry in doubled.items():
            message = f"{entry.file} makes a folder of what this file is too, the module {module}: remove one of them"
            scan.problems.append(Problem(file=files[module].file, line=0, message=message))
        refused = {entry.module for entry, twin in within.items() if twin is not None} | doubled.keys()
        scan.kept |= refused
        return [entry for entry in entries if entry.module not in refused]

    def _add(self, scan: Scan, entry: _Entry, now: float, suspects: Collection[str]) -> None:
        try:
            self._look_at(scan, entry, now, suspects)
        except FileNotFoundError:
            return  # deleted since it was listed
        except _Unfit as error:
            reason = str(error)
        except Untrusted as error:
            reason = str(error)
            scan.has_unread = True
        except OSError as error:
            reason = f"it can't be read: {error.strerror}"
            scan.has_unread = True
        else:
            return
        scan.kept.add(entry.module)
        scan.problems.append(Problem(file=entry.file, line=0, message=f"it is skipped: {reason}"))

    def _look_at(self, scan: Scan, entry: _Entry, now: float, suspects: Collection[str]) -> None:
        target = self._target(entry.path) if entry.is_link else entry.path
        known = self._known.get(entry.path)
        if known is not None and known.trusted and entry.name not in suspects:
            unchanged = Stamp.of(os.lstat(target)) == known.stamp
            if unchanged:
                scan.sources[entry.module] = known.source
                return
        read_ns = self._wall_ns()
        stamp, data, writers = read(target, self._guard)
        wait_s = self._settling.wait_s(entry.path, stamp, writers, now, read_ns)
        if wait_s > 0 and not (known is not None and known.source.data == data):
            scan.waits[entry.module] = wait_s
            return
        source = self._source(entry, data, known)
        self._known[entry.path] = _Known(stamp, source, stamp.touched_ns < read_ns - RACY_NS)
        scan.sources[entry.module] = source

    def _target(self, path: str) -> str:
        """Where a link within the folder leads; Kubernetes mounts its files so."""
        try:
            target = Path(path).resolve()
        except RuntimeError as error:  # a loop, up to Python 3.12
            raise _Unfit("it is a broken link") from error
        top = self._folder.path.resolve()
        if not target.is_relative_to(top):
            raise _Unfit("it is a link that leads out of the folder")
        if not target.exists():
            raise _Unfit("it is a broken link")
        for folder in itertools.takewhile(lambda folder: folder != top, target.parents):
            self._guard.check(str(folder))  # it may be one that is never listed: `..data`
        return str(target)

    def _source(self, entry: _Entry, data: bytes, known: _Known | None) -> Source:
        if known is not None and known.source.data == data and known.source.module == entry.module:
            return known.source
        path = str(Path(entry.path).absolute())
        return Source(entry.module, path, entry.file, data, entry.is_package, entry.is_helper, self._folder.origin)

    def _forget_all_but(self, paths: Collection[str]) -> None:
        for path in self._known.keys() - paths:
            del self._known[path]
        self._settling.forget_all_but(paths)

    def _problem(self, path: str, message: str) -> Problem:
        return Problem(file=one_line(path or str(self._folder.path)), line=0, message=message)


def _enclosing(entry: _Entry, files: dict[str, _Entry]) -> _Entry | None:
    """The file whose module has the name of a folder that the entry lies in."""
    name = entry.module if entry.is_package else entry.module.rpartition(".")[0]
    while name and name not in files:
        name = name.rpartition(".")[0]
    return files.get(name)


def listing(path: str, guard: Guard) -> list[_Listed]:
    """What lies in a folder, in the order of the names.

    Raises:
        OSError: It can't be read.
        Untrusted: Others can write to it.
    """
    if os.scandir not in os.supports_fd:  # Windows, where a folder can't be opened
        return _listed(path, path)
    with guard.opened(path, FOLDER_FLAGS) as fd:
        return _listed(fd, path)


def _listed(folder: str | int, path: str) -> list[_Listed]:
    with os.scandir(folder) as entries:
        return sorted(
            _Listed(each.name, f"{path}{os.sep}{each.name}", each.is_dir(follow_symlinks=False), each.is_symlink())
            for each in entries
        )


def read(path: str, guard: Guard) -> tuple[Stamp, bytes, Writers]:
    """Read a regular file without ever waiting for a pipe, a device or a link.

    Raises:
        OSError: It can't be read.
        Untrusted: Others can write to it.
    """
    with guard.opened(path, OPEN_FLAGS) as fd:
        info = os.fstat(fd)
        if not is_regular(info):
            raise _Unfit("it is no regular file")
        if info.st_size > MAX_SOURCE:
            raise _Unfit(f"it has {info.st_size >> 20} MiB, and {MAX_SOURCE >> 20} are the most")
        with read_lease(fd) as writers:
            data = _read_all(fd, info.st_size)
        return Stamp.of(info), data, writers if len(data) == info.st_size else Writers.SOME


def _read_all(fd: int, size: int) -> bytes:
    """One byte more than the size is asked for, to notice that the file has grown."""
    chunks = []
    left = size + 1
    while left > 0 and (chunk := os.read(fd, left)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
