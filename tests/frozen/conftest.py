import subprocess
import sys

import pytest


@pytest.fixture
def dead():
    """The pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as started:
        pass
    return started.pid
