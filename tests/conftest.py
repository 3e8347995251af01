"""What all tests share: the built executable, where `--exe` names one, and that it leaves nothing behind."""

import signal
import tempfile
import time
from pathlib import Path

import pytest

from support import executable

NEEDED = "needs the built executable: python3 build.py, then python3 build.py test --exe dist/plugsock"
BUILT = Path(__file__).with_name("built")

GONE_S = 10.0
"""How long a process may need to take away what it had unpacked, after the one that waited for it was killed."""


def pytest_addoption(parser):
    parser.addoption("--exe", type=Path, metavar="FILE", help="run the end-to-end tests against this built executable")


def pytest_configure(config):
    executable.use(config.getoption("--exe"))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else no program started by a test would hear Ctrl-C


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        if BUILT in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)
            if config.getoption("--exe") is None:
                item.add_marker(pytest.mark.skip(reason=NEEDED))


@pytest.fixture(scope="session")
def exe():
    """The built executable."""
    assert executable.EXE is not None
    return executable.EXE


@pytest.fixture(scope="session", autouse=True)
def session_temporary(tmp_path_factory):
    """The folder that every executable of this session unpacks itself into, unless its test says otherwise."""
    if executable.EXE is None:
        yield None
        return
    tmp_path_factory.getbasetemp()  # pytest's own folders stay where they are, so that they can be looked at
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in executable.unpacking_into(folder).items():
            patch.setenv(name, value)
        yield Path(folder)


@pytest.fixture(autouse=True)
def nothing_stays_unpacked(session_temporary):
    """Whatever a test does to the executable, no copy of its contents is left afterwards."""
    yield
    if session_temporary is None:
        return
    by = time.monotonic() + GONE_S
    while (left := executable.unpacked(session_temporary)) and time.monotonic() < by:
        time.sleep(0.02)  # whoever takes it away may be nobody's child any more, so nothing tells
    assert left == []


@pytest.fixture
def temporary():
    """A private, empty folder for what the executable unpacks; its path is short, unlike pytest's."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)
