"""Which modules of Python's standard library are put into the executable: all that a plug can import on this platform.

What is left out, and what may be missing, stands here alone; tests read it, too.
"""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from building.modules import find, within

LEFT_OUT: Final = {
    "antigravity": "importing it opens a web browser",
    "ensurepip": "it installs pip from a wheel of its own; `plugsock pip` has pip already",
    "idlelib": "an editor with windows; it needs tkinter",
    "lib2to3": "it rewrites Python 2; gone in Python 3.13",
    "nis": "it brings Kerberos and Sun's RPC, five libraries that nothing else needs; gone in Python 3.13",
    "test": "the tests of Python itself, 30 MB of them",
    "this": "importing it prints a poem",
    "tkinter": "windows on a screen; it brings Tcl, Tk and X11, and a server has no screen",
    "_tkinter": "what tkinter is made of",
    "turtle": "it draws in a window of tkinter",
    "turtledemo": "it draws in a window of tkinter",
}
"""Top-level modules that are never put in, and why. Tests within other packages are left out as well."""

WINDOWS: Final = frozenset(
    {"_msi", "_overlapped", "_winapi", "_wmi", "msilib", "msvcrt", "nt", "winreg", "winsound"},
)
MACOS: Final = frozenset({"_scproxy"})
LINUX: Final = frozenset({"ossaudiodev", "spwd"})
POSIX: Final = frozenset(
    {
        *("_crypt", "_curses", "_curses_panel", "_posixshmem", "_posixsubprocess", "fcntl", "grp", "posix", "pwd"),
        *("readline", "resource", "syslog", "termios"),
    }
)
"""Modules that only one kind of system has."""

MAY_BE_MISSING: Final = {
    "_dbm": "needs a library that many systems do not have; `dbm` goes on with `dbm.dumb`, and from 3.13 on with SQLite",
    "_gdbm": "needs a library under the GPL; `dbm` goes on as above",
    "_crypt": "needs a library that newer systems do not have; gone in Python 3.13",
    "crypt": "as `_crypt`",
    "ossaudiodev": "sound of the 1990s; gone in Python 3.13",
    "spwd": "the passwords of the system, for root alone; gone in Python 3.13",
}
"""Modules that a Python may do without, and why: of all others the build makes sure that they are there."""


def folders() -> list[str]:
    """Where the standard library lies."""
    compiled = sysconfig.get_config_var("DESTSHARED") or str(Path(sys.base_prefix, "DLLs"))
    return [sysconfig.get_path("stdlib"), compiled]


def modules() -> Iterator[str]:
    """The names of all modules to put in, those within packages too; `sys.platform` and this Python decide."""
    for name in sorted(sys.stdlib_module_names - LEFT_OUT.keys()):
        spec = find(name, folders())
        if spec is not None:
            yield from within(spec)


def missing(platform: str = sys.platform) -> list[str]:
    """The modules that a Python of this platform should have, and this one does not."""
    expected = sys.stdlib_module_names - LEFT_OUT.keys() - MAY_BE_MISSING.keys() - foreign(platform)
    return sorted(name for name in expected if find(name, folders()) is None)


def foreign(platform: str) -> frozenset[str]:
    """The modules that only other systems have."""
    own = {"win32": WINDOWS, "darwin": MACOS | POSIX, "linux": LINUX | POSIX}.get(platform, POSIX)
    return (WINDOWS | MACOS | LINUX | POSIX) - own


def must_be_complete() -> None:
    """See that nothing is missing.

    Raises:
        SystemExit: Something is: it names it, and says what to do.
    """
    if lost := missing():
        sys.exit(
            f"plugsock.spec: {sys.executable} was built without {', '.join(lost)}, which plugs may import. "
            "Build with a complete Python: with one from python.org, from uv, or with all of Debian's python3-* packages."
        )
