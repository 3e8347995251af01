"""Was this started by a double click? And how to tell somebody without a terminal why it did not work.

A double click gives a program no arguments, so that only its surroundings tell:

    Windows    Explorer gives it a console of its own: nobody else is in it. A shell would be.
    macOS      Finder types its whole path into a new Terminal, whose working directory is the home directory.
    Linux      A file manager gives it a display and no terminal. Whoever starts it as a service has a service manager,
               which says so.

Only the built executable can be double-clicked. A wrong guess does no harm: it opens a page too many.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from plugsock.cli import style
from plugsock.frozen import IS_FROZEN
from plugsock.ops.output import printable

TITLE: Final = "plugsock"

_DIALOGS: Final = (
    ("zenity", "--error", f"--title={TITLE}", "--no-markup", "--text={}"),
    ("kdialog", "--title", TITLE, "--error", "{}"),
    ("xmessage", "-center", "-title", TITLE, "{}"),
    ("notify-send", f"--app-name={TITLE}", TITLE, "{}"),
)
"""Programs that show a sentence, one of which most desktops have."""


def was_double_clicked(argv: Sequence[str]) -> bool:
    """Has somebody double-clicked this executable?"""
    return IS_FROZEN and len(argv) == 1 and _looks_like_it(argv[0])


def fail(message: str) -> None:
    """Say why it did not work, and let it be read: a window that closes at once tells nobody anything."""
    style.fail(message)
    if sys.stdin is not None and sys.stdin.isatty():
        with suppress(EOFError, KeyboardInterrupt):
            input("press Enter to close ")
    elif sys.platform not in ("win32", "darwin"):
        show(f"{TITLE}: {printable(message)}")


def show(text: str) -> bool:
    """Show a sentence in a window until somebody has closed it; False where nothing can show it."""
    import shutil
    import subprocess

    nowhere = subprocess.DEVNULL
    for name, *arguments in _DIALOGS:
        program = shutil.which(name)
        if program is None:
            continue
        command = [program, *(argument.replace("{}", text) for argument in arguments)]
        with suppress(OSError):
            subprocess.run(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, check=False)  # noqa: S603 - see _DIALOGS
            return True
    return False


if sys.platform == "win32":

    def _looks_like_it(_program: str) -> bool:
        import ctypes

        processes = (ctypes.c_uint * 8)()
        return 0 < ctypes.windll.kernel32.GetConsoleProcessList(processes, len(processes)) <= (2 if _unpacked() else 1)

elif sys.platform == "darwin":

    def _looks_like_it(program: str) -> bool:
        return (
            Path(program).is_absolute() and Path.cwd() == Path.home() and sys.stdin is not None and sys.stdin.isatty()
        )

else:

    def _looks_like_it(_program: str) -> bool:
        has_display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
        return has_display and not _has_terminal() and not _is_service()

    def _has_terminal() -> bool:
        if any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
            return True
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return False
        return True

    def _is_service() -> bool:
        """Did systemd itself start this very program? What a file manager that is a service starts is none."""
        first = os.getppid() if _unpacked() else os.getpid()
        return os.environ.get("SYSTEMD_EXEC_PID") == str(first)


def _unpacked() -> bool:
    """Has a process of its own unpacked this one (the one-file form)?"""
    return Path(getattr(sys, "_MEIPASS", "")).parent != Path(sys.executable).parent
