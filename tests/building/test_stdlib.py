import subprocess
import sys

import pytest

from building import stdlib


def test_it_has_what_plugs_import_down_to_the_last_submodule():
    found = set(stdlib.modules())

    wanted = {"sqlite3", "decimal", "csv", "xml.etree.ElementTree", "zoneinfo", "ctypes.util", "ssl", "unittest.mock"}
    assert wanted <= found
    assert {"encodings.idna", "concurrent.futures.process", "multiprocessing.popen_spawn_posix"} <= found


def test_what_is_left_out_is_not_in_it_nor_anything_below():
    assert not stdlib.LEFT_OUT.keys() & {name.partition(".")[0] for name in stdlib.modules()}


def test_no_tests_are_in_it():
    assert not [name for name in stdlib.modules() if {"test", "tests"} & set(name.split("."))]


def test_every_name_that_is_spelt_out_is_a_module_of_some_python():
    gone = {"_crypt", "_msi", "crypt", "lib2to3", "msilib", "nis", "ossaudiodev", "spwd"}
    known = sys.stdlib_module_names | gone | {"_wmi", "test"}
    foreign = stdlib.WINDOWS | stdlib.MACOS | stdlib.LINUX | stdlib.POSIX

    assert not (stdlib.LEFT_OUT.keys() | stdlib.MAY_BE_MISSING.keys() | foreign) - known


def test_nothing_is_missing_in_a_python_that_can_build():
    stdlib.must_be_complete()


@pytest.mark.parametrize(("platform", "theirs"), [("linux", "winreg"), ("darwin", "msvcrt"), ("win32", "fcntl")])
def test_what_only_other_systems_have_is_not_missing(platform, theirs):
    assert theirs in stdlib.foreign(platform)
    assert theirs not in stdlib.missing(platform)


def test_a_python_without_something_is_told_which_and_does_not_build():
    wanting = "import sys; sys.stdlib_module_names |= {'_sqlite4', '_ssl5'}; from building import stdlib; stdlib.must_be_complete()"

    ended = subprocess.run([sys.executable, "-c", wanting], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "was built without _sqlite4, _ssl5, which plugs may import. Build with a complete Python" in ended.stderr
