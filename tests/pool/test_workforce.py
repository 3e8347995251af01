"""Workers come in whatever happens to the place of their pages."""

import shutil
import stat
import sys
from pathlib import Path

import pytest

from support.server import running
from support.workforce import PID, address, come, ready, reload

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the socket that tells where the place is is POSIX'")


async def test_new_workers_have_room_where_the_directory_of_pages_was_cleaned_away(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "2", pid=PID) as server:
        before = set((await ready(server)).values())
        pages = Path(address(server).admin.path).with_suffix("")
        shutil.rmtree(pages)

        await reload(server)

        await come(server, 2, without=before)
        assert stat.S_IMODE(pages.stat().st_mode) == 0o700
