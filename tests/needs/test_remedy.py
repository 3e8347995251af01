"""Which command helps after a failed import."""

import sys

import pytest

from plugsock.needs import remedy


@pytest.mark.parametrize(
    ("module", "package"),
    [("orjson", "orjson"), ("yaml", "PyYAML"), ("PIL.Image", "pillow"), ("Crypto.Cipher", "pycryptodome")],
)
def test_the_package_is_named_that_has_the_module(module, package):
    assert f"`plugsock pip install {package}`" in remedy.remedy(module)


def test_no_name_is_in_the_table_that_needs_none():
    assert [name for name, package in remedy.OTHER_NAMES.items() if name == package] == []


def test_a_part_that_an_installed_package_lacks_is_not_installed_again():
    assert remedy.remedy("packaging.nothing") == "the packaging that is installed has no such part"


def test_what_is_pythons_own_can_not_be_installed():
    assert remedy.remedy("winreg") == "it is of Python's own library, and this Python was built without it"


def test_the_executable_says_for_which_python_there_must_be_a_wheel(monkeypatch):
    monkeypatch.setattr(remedy, "IS_FROZEN", True)

    assert remedy.remedy("orjson").endswith(f"wheel of it for Python {sys.version_info[0]}.{sys.version_info[1]}")
