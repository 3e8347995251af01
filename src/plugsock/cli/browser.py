"""Showing a page in the browser of whoever sits at this machine."""

import os
import subprocess
import sys
import threading
import webbrowser
from typing import Final

from plugsock.ops.output import write_line

START_S: Final = 3.0
"""A program that still runs after so long has begun to show the page; one that can't do that ends sooner."""


def show(url: str) -> None:
    """Show the start page, whose address is said as well; wait no longer than `START_S` for the browser to begin."""
    write_line(sys.stdout, f"start page: {url}")
    if not (_has_windows() and _open(url)):
        write_line(sys.stdout, "no browser could be opened: type the address into one")


def show_beside(url: str) -> None:
    """Show the start page, and do not wait at all."""
    threading.Thread(target=show, args=(url,), name="open the browser", daemon=True).start()


def _has_windows() -> bool:
    """Is there a browser, or would one of those open that take the terminal for themselves?"""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open(url: str) -> bool:
    try:
        browser = webbrowser.get()
        if isinstance(browser, webbrowser.GenericBrowser):  # these would print into our terminal
            return _start([browser.name, *(part.replace("%s", url) for part in browser.args)])
        return browser.open(url)
    except (webbrowser.Error, OSError):
        return False


def _start(command: list[str]) -> bool:
    """Start a program that is on its own: it prints nowhere, and no Ctrl-C that is meant for us reaches it."""
    nowhere = subprocess.DEVNULL
    program = subprocess.Popen(  # noqa: S603 - the user's own browser
        command, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        return program.wait(START_S) == 0
    except subprocess.TimeoutExpired:
        return True
