"""On a system that is older than what the executable was built on, it starts or says what is too old.

The test of that needs such a system in a folder, and root: of Debian,

    debootstrap --variant=minbase bullseye FOLDER
    PLUGSOCK_TEST_OLDER_SYSTEM=FOLDER python3 build.py test --exe dist/plugsock
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import plugsock
from support.executable import LIMIT_S, run

OLDER = os.environ.get("PLUGSOCK_TEST_OLDER_SYSTEM")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux programs are built against a C library")

DEMANDS = r"""
import json, plugsock, re, sys
from pathlib import Path

files = [path for path in [Path(sys.executable), *Path(sys._MEIPASS).rglob("*.so*")] if path.is_file()]
found = [found for path in files for found in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", path.read_bytes())]
said = json.loads((Path(plugsock.__file__).parent / "bundled" / "build.json").read_text())["libc"]
print(json.dumps([said, ".".join(map(str, max(tuple(map(int, each)) for each in found)))]))
"""


def as_numbers(version):
    return tuple(map(int, version.split(".")))


@pytest.fixture
def demanded(exe):
    """The oldest C library with which every file in the executable loads, as it says itself."""
    said, found = json.loads(run(exe, "-c", DEMANDS).stdout)
    assert as_numbers(found) <= as_numbers(said)
    return said


@pytest.mark.fault("F8")
def test_no_file_needs_a_newer_c_library_than_the_executable_says(demanded):
    assert as_numbers(demanded) >= (2, 14)


@pytest.fixture
def older(exe):
    """The executable in a folder of the older system."""
    with tempfile.TemporaryDirectory(dir=f"{OLDER}/tmp") as folder:
        shutil.copy2(exe, folder)
        yield Path(folder, exe.name)


@pytest.mark.fault("F8")
@pytest.mark.skipif(OLDER is None, reason="needs PLUGSOCK_TEST_OLDER_SYSTEM to name a folder with an older system")
def test_on_an_older_system_it_starts_or_says_which_c_library_it_needs(older, demanded):
    inside = "/" / older.relative_to(OLDER)

    def there(*command):
        return subprocess.run(
            ["chroot", OLDER, *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(inside.parent)},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    there_is = there("getconf", "GNU_LIBC_VERSION").stdout.split()[1]
    ended = there(str(inside), "--version")

    if as_numbers(there_is) >= as_numbers(demanded):
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"plugsock {plugsock.__version__}\n", "")
    else:
        assert ended.returncode != 0
        assert f"GLIBC_{demanded}" in ended.stderr
    assert [path.name for path in older.parent.iterdir()] == [older.name]
