"""A browser that shows nothing: it tells the test which page it was to show."""

import os
import select

from support.executable import LIMIT_S

SCRIPT = """#!/bin/sh
echo "this is what browsers print"
echo "and this" >&2
read -r _ _ _ _ _ session _ < /proc/self/stat
echo "$1 $session $LD_LIBRARY_PATH" > '{fifo}'
{then}
"""


class Browser:
    """A program that `BROWSER` names.

    Attributes:
        environ: What makes plugsock use it.
        session: Which session it ran in when it was last started.
        libraries: The `LD_LIBRARY_PATH` that it then had.
    """

    def __init__(self, folder, *, then="exit 0"):
        fifo = folder / "pages"
        os.mkfifo(fifo)
        self._pages = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        script = folder / "browser"
        script.write_text(SCRIPT.format(fifo=fifo, then=then), encoding="utf-8")
        script.chmod(0o755)
        self.environ = {"BROWSER": str(script)}
        self.session = 0
        self.libraries = ""

    def shown(self, within_s=LIMIT_S):
        """Wait until it was asked to show a page, and say which; None if it was not."""
        if not select.select([self._pages], [], [], within_s)[0]:
            return None
        page, session, self.libraries = os.read(self._pages, 4096).decode().rstrip("\n").split(" ", 2)
        self.session = int(session)
        return page

    def close(self):
        os.close(self._pages)
