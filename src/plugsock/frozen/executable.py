"""Which file this process was started from: where it lies, whether it was replaced, how it is started once more."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from plugsock.frozen import IS_FROZEN

LIBRARY_PATH: Final = "LD_LIBRARY_PATH"
"""Where the system looks for shared libraries first; it reads that when a program starts, and never again."""

ORIGINAL_LIBRARY_PATH: Final = "LD_LIBRARY_PATH_ORIG"
"""What it was before PyInstaller's launcher put its own folder in front; missing if there was nothing."""

USES_LIBRARY_PATH: Final = sys.platform not in {"win32", "darwin"}
"""On Windows and macOS the libraries know by themselves where the others are."""

STARTED_BY: Final = "_PLUGSOCK_STARTED_BY"
"""Names the unpacked folder of the plugsock that has started this one, if one has."""

INSTALLED: Final = "installed"
"""The file beside an executable that a package of the system has brought."""

REPLACED: Final = "the executable was replaced: restart plugsock"

_LAUNCHERS: Final = "_PYI_"
"""How the variables begin by which PyInstaller's launcher knows that it is started once more, and has unpacked all."""


class Replaced(OSError):
    """Nothing can be started from this executable any more, as it is another one by now."""

    def __init__(self) -> None:
        super().__init__(REPLACED)


class _Identity(NamedTuple):
    """What tells one file from another one that lies in the same place."""

    device: int
    inode: int
    size: int


def _identity() -> _Identity | None:
    """Whose name the executable's is now; nobody's if it was deleted."""
    try:
        status = Path(sys.executable).stat()
    except OSError:
        return None
    return _Identity(status.st_dev, status.st_ino, status.st_size)


_STARTED_FROM: Final = _identity()

_GIVEN: Final = {name: value for name, value in os.environ.items() if name.startswith(_LAUNCHERS)}


def folder() -> Path:
    """The folder in which the executable lies, whatever links have led to it."""
    return Path(os.path.realpath(sys.executable)).parent


def is_installed() -> bool:
    """Is plugsock a part of this system or of an environment, and not a file that somebody has put into a folder?

    What is installed works where it is started; what lies in a folder, with what lies beside it. A package of the
    system that brings the executable brings the empty file `installed` with it.
    """
    return not IS_FROZEN or (folder() / INSTALLED).is_file()


def is_replaced() -> bool:
    """Is the file that this process was started from another one by now, or none? Only executables are looked at.

    One with another time is the same: systems let nobody write into a program that runs, but backups touch it.
    """
    return IS_FROZEN and _identity() != _STARTED_FROM


def has_replaced(launcher: int) -> bool:
    """Is this another executable than the one that has unpacked what this process uses? Only Linux can tell.

    Programs that plugs start by `sys.executable` would mix the modules of the one with the libraries of the other.

    Args:
        launcher: The process that has unpacked it.
    """
    with suppress(OSError):  # it has ended, or can't be seen from here
        return not Path(f"/proc/{launcher}/exe").samefile("/proc/self/exe")
    return False


def command() -> list[str]:
    """What starts plugsock once more, as this process was started.

    `-m` puts the working directory in front of everything that is imported, where a user's `queue.py` would be taken
    for the library's; so it is told not to, unless this process was started in the same way.
    """
    if IS_FROZEN:
        return [sys.executable]
    is_module = sys.modules["__main__"].__spec__ is not None and not sys.flags.safe_path
    return [sys.executable, *([] if is_module else ["-P"]), "-m", "plugsock"]


def environment() -> dict[str, str]:
    """What plugsock's own processes get for their environment: this one's, and what they need to share its files.

    The variables of this process name neither our libraries nor, if somebody has cleared them, what is unpacked
    already: without the first a process takes the system's libraries, without the others it unpacks everything again.
    """
    variables = dict(os.environ)
    if IS_FROZEN:
        variables |= _GIVEN | {STARTED_BY: _contents()}
        if USES_LIBRARY_PATH:
            variables |= _with_our_libraries(variables.get(LIBRARY_PATH))
    return variables


def is_started_by_plugsock() -> bool:
    """Has another process of this very executable started this one with `environment()`?

    It can be asked only once: programs that plugs start are not to know.
    """
    return os.environ.pop(STARTED_BY, None) == _contents()


def pin() -> None:
    """Let modules be imported from the file that runs, even when it was replaced or deleted.

    PyInstaller opens the executable by its name whenever a module is imported: of another file it would import noise,
    and where there is none it raises SystemExit. Linux has a name for the running file itself, which forked workers can
    use as well. The attributes are private: without them, everything is as it was.
    """
    running = Path("/proc/self/exe")
    archive: Any = getattr(sys.modules.get("pyimod02_importers"), "pyz_archive", None)
    with suppress(AttributeError, OSError):  # another PyInstaller, another system
        if running.samefile(archive._filename):
            archive._filename = str(running)


def _contents() -> str:
    """The folder with what belongs to the executable; of one file, where it has unpacked itself."""
    return str(getattr(sys, "_MEIPASS", ""))


def _with_our_libraries(original: str | None) -> dict[str, str]:
    if not original:
        return {LIBRARY_PATH: _contents()}
    return {LIBRARY_PATH: f"{_contents()}:{original}", ORIGINAL_LIBRARY_PATH: original}
