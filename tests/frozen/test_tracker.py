"""What Python starts beside pools of processes has ended when the program does."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is none")

PROGRAM = """
import os
from multiprocessing import resource_tracker
from plugsock.frozen import tracker

tracker.wait()  # of none
resource_tracker.ensure_running()
pid = resource_tracker._resource_tracker._pid
keeper = {keeper}
tracker.LIMIT_S = {limit_s}
tracker.wait()
try:
    os.kill(pid, 0)
except ProcessLookupError:
    print("gone")
tracker.wait()  # once more
{end}
"""


@pytest.mark.parametrize(
    ("keeper", "limit_s", "end", "said"),
    [
        ("None", 50.0, "", "gone\n"),
        ("os.dup(resource_tracker._resource_tracker._fd)", 0.05, "os.close(keeper); os.waitpid(pid, 0)", ""),
    ],
    ids=["nobody has its pipe", "somebody has"],
)
def test_it_is_waited_for_but_not_for_ever(keeper, limit_s, end, said):
    program = PROGRAM.format(keeper=keeper, limit_s=limit_s, end=end)

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50)

    assert (ended.stdout, ended.stderr) == (said, "")
