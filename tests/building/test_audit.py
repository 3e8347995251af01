import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from building import audit

SUFFIX = ".pyd" if sys.platform == "win32" else ".abi3.so"


def test_files_that_need_a_newer_glibc_than_allowed_are_named():
    needs = {Path("lib/libnew.so"): (2, 35), Path("lib/libold.so"): (2, 9), Path("lib/libnone.so"): ()}

    assert list(audit.too_new(needs, (2, 28))) == ["libnew.so needs glibc 2.35, newer than 2.28"]
    assert list(audit.too_new(needs, None)) == []


def test_all_kinds_of_modules_are_found_in_what_was_unpacked(tmp_path):
    for name in (
        "modules/one.two",
        f"files/python3.11/lib-dynload/_three{SUFFIX}",
        f"files/four/_five{SUFFIX}",
        "files/six.txt",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with zipfile.ZipFile(tmp_path / "files/base_library.zip", "w") as base:
        base.writestr("seven/__init__.pyc", "")
        base.writestr("seven/eight.pyc", "")

    found = set(audit.modules(tmp_path)) - set(sys.builtin_module_names)

    assert found >= {"one.two", "_three", "four._five", "seven", "seven.eight"}
    assert not [name for name in found if "six" in name]


@pytest.mark.parametrize(
    ("line", "is_fault"),
    [
        ("missing module named nowhere - imported by plugsock.cli.main (delayed)", True),
        ("missing module named 'nowhere.below' - imported by click (optional), plugsock.app (top-level)", True),
        ("missing module named trio - imported by anyio._backends._trio (top-level)", False),
        ("missing module named winreg - imported by plugsock.frozen.launcher (delayed)", False),
        ("excluded module named pip - imported by plugsock.cli.pip (delayed)", False),
    ],
)
def test_only_what_plugsock_itself_imports_and_no_python_has_is_missed(line, is_fault):
    assert list(audit.unfound(f"heading\n\n{line}\n")) == [line] * is_fault


def test_files_that_name_the_folder_of_the_build_are_found(tmp_path):
    for name, text in {"names": "/home/me/plugsock/src", "longer": "/home/me/plugsock-too", "not": "/home/you"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    found = audit.naming(Path("/home/me/plugsock"), sorted(tmp_path.iterdir()))

    assert [file.name for file in found] == ["names"]


def test_a_library_under_the_gpl_is_not_for_others(tmp_path):
    for name in ("libreadline.so.8", "libedit.so.2"):
        (tmp_path / name).touch()

    assert list(audit.private(sorted(tmp_path.iterdir()))) == [
        "libreadline.so.8 is under the GPL, and so would be all of it"
    ]


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("gcc"), reason="needs gcc")
def test_nor_is_one_that_has_libraries_looked_for_in_a_folder_of_this_machine(tmp_path):
    for name, path in {"ours": "/home/me/lib", "theirs": "$ORIGIN"}.items():
        command = ["gcc", "-shared", "-x", "c", "/dev/null", f"-Wl,-rpath,{path}", "-o", tmp_path / f"{name}.so"]
        subprocess.run(command, check=True)

    found = list(audit.private(sorted(tmp_path.iterdir())))

    assert found == ["its libraries are looked for in /home/me/lib, a folder of this machine"]


def test_it_says_what_it_found_in_a_line():
    found = audit.Audit(size=audit.MIB * 3 // 2, files=7, glibc=(2, 17), faults=[])

    assert str(found) == "1.5 MiB, 7 files inside, needs glibc 2.17"
