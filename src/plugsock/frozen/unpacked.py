"""The folder that a one-file executable unpacks itself into: kept while it is used, taken away afterwards.

Its launcher makes it, `_MEI` with the launcher's pid, and removes it when the process below has ended. Three things
go wrong with that. Cleaners of temporary folders (systemd's after ten days) empty it under a server that runs: they
spare what is locked. A launcher that is killed removes nothing: then the process below does. And one that is killed
while it still unpacks has no process below: what it leaves is swept by the next server.

On Windows there are no such locks; nothing but the launcher removes anything there.
"""

import os
import re
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from plugsock.frozen import IS_FROZEN

MARKER: Final = Path("plugsock", "bundled", "build.json")
"""The file by which an unpacked folder is known to be plugsock's."""

RECENT_S: Final = 2.0
"""Nothing that has changed within this time is swept: its launcher may be one of another container, still at work."""

_NAME: Final = re.compile(r"_MEI([0-9a-f]{8}).+")
"""As the launcher makes it: its pid in hexadecimal digits, and chance."""

_held: list[int] = []


def folder() -> Path | None:
    """The folder that this process's files were unpacked into; None unless it is a one-file executable."""
    unpacked = Path(getattr(sys, "_MEIPASS", ""))
    return unpacked if IS_FROZEN and launcher_of(unpacked) is not None else None


def launcher_of(unpacked: Path) -> int | None:
    """The pid of the launcher that has made a folder; None if none has."""
    name = _NAME.fullmatch(unpacked.name)
    return int(name[1], 16) if name else None


def hold(unpacked: Path) -> None:
    """Keep cleaners of temporary folders away from a folder for as long as this process lives.

    They look for a lock on the folder itself (https://systemd.io/TEMPORARY_DIRECTORIES), and it may be shared.
    """
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    with suppress(OSError):  # a file system without locks
        descriptor = os.open(unpacked, os.O_RDONLY | os.O_DIRECTORY)
        _held.append(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def remove(unpacked: Path) -> None:
    """Remove a folder, as much of it as can be."""
    import shutil  # noqa: PLC0415 - takes longer than all else here, and is hardly ever needed

    shutil.rmtree(unpacked, ignore_errors=True)


def sweep_in_background() -> threading.Thread | None:
    """Remove what killed launchers have left where this one has unpacked, and nobody uses; who does it."""
    own = folder()
    if own is None or sys.platform == "win32":
        return None
    sweeper = threading.Thread(target=_sweep_twice, args=(own,), name="sweep", daemon=True)
    sweeper.start()
    return sweeper


def sweep(own: Path, *, recent_s: float = RECENT_S) -> bool:
    """Remove abandoned folders that lie beside one's own; was there one that is too recent to be judged?

    A folder is abandoned if it belongs to this user, its launcher has died, nobody holds it and it is plugsock's.
    """
    abandoned = [path for path in own.parent.glob("_MEI*") if path != own and _has_lost_its_launcher(path)]
    is_too_early = False
    for path in abandoned:
        with suppress(OSError), _alone(path):
            files = _files(path)
            if not _is_ours(path, files, own):
                continue
            if time.time() - max(status.st_mtime for status in (path.stat(), *files.values())) < recent_s:
                is_too_early = True
            else:
                remove(path)
    return is_too_early


def _sweep_twice(own: Path) -> None:
    if sweep(own):
        time.sleep(RECENT_S)
        sweep(own)


def _has_lost_its_launcher(path: Path) -> bool:
    launcher = launcher_of(path)
    if launcher is None:
        return False
    with suppress(OSError):
        status = path.lstat()
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not _is_alive(launcher)
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Have a folder for oneself; OSError if somebody holds it."""
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _files(path: Path) -> dict[str, os.stat_result]:
    """All that is in a folder and no folder itself, by its path from there."""
    found = (Path(place, name) for place, _, names in os.walk(path) for name in names)
    return {str(file.relative_to(path)): file.lstat() for file in found}


def _is_ours(path: Path, files: dict[str, os.stat_result], own: Path) -> bool:
    """Has plugsock been unpacked here? Or, if not wholly, as far as it goes? Then one file may be cut short."""
    if str(MARKER) in files:
        return (path / MARKER).is_file()
    mine = _files(own)
    if not files.keys() <= mine.keys():
        return False
    different = [name for name, status in files.items() if status.st_size != mine[name].st_size]
    return len(different) <= 1 and all(files[name].st_size < mine[name].st_size for name in different)
