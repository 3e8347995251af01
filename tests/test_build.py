import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import plugsock
from building import archive

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clone(tmp_path):
    """A clone as `build.py` sees it, with no environment yet."""
    for name in ("build.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "building", tmp_path / "building", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def ready(clone):
    """A clone whose environment, this one, has been made already."""
    (clone / ".venv").mkdir()
    bin = "Scripts" if sys.platform == "win32" else "bin"
    (clone / ".venv" / bin).symlink_to(Path(sys.prefix, bin), target_is_directory=True)
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), clone / ".venv")
    shutil.copytree(ROOT / "src", clone / "src")
    lib = "Lib" if sys.platform == "win32" else "lib"
    (clone / ".venv" / lib).symlink_to(Path(sys.prefix, lib), target_is_directory=True)
    (clone / ".venv" / "plugsock.stamp").write_text(module(clone).WORKING.origin(), encoding="utf-8")
    return clone


def module(clone):
    spec = importlib.util.spec_from_file_location("build", clone / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return build


def build(clone, *arguments, cwd=None, program=None):
    command = [sys.executable, *(program or [str(clone / "build.py")]), *arguments]
    return subprocess.run(command, cwd=cwd or clone, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments", [["sing"], ["lock", "it"], ["--onefile"], ["--glibc"], ["--glibc", "new"], ["--onedir", "dist"]]
)
def test_what_it_can_not_do_is_answered_with_what_it_can(clone, arguments):
    ended = build(clone, *arguments)

    assert ended.returncode == 2
    assert "python3 build.py run" in ended.stderr
    assert "python3 build.py test" in ended.stderr
    assert "python3 build.py [--onedir]" in ended.stderr
    assert not (clone / ".venv").exists()
    assert not (clone / "build").exists()


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_who_asks_for_help_gets_it(clone, flag):
    ended = build(clone, flag)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "python3 build.py run" in ended.stdout


def test_an_old_python_is_turned_away_in_one_sentence(clone):
    older = "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name='__main__')"

    ended = build(clone, "run", program=["-c", older, str(clone / "build.py")])

    assert ended.returncode == 1
    assert ended.stderr == "plugsock needs Python 3.11 or newer, and this is 3.9.\n"


def test_an_old_python_can_read_the_file_that_turns_it_away():
    ast.parse((ROOT / "build.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_run_passes_arguments_on_and_the_exit_status_back(ready, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    version = build(ready, "run", "--version", cwd=elsewhere)
    wrong = build(ready, "run", "--prot", cwd=elsewhere)

    assert (version.returncode, version.stdout[:9], version.stderr) == (0, "plugsock ", "")
    assert (wrong.returncode, wrong.stderr.partition(":")[0]) == (2, "plugsock")


def test_with_arguments_test_is_pytest(ready):
    ended = build(ready, "test", "--version")

    assert (ended.returncode, ended.stdout.partition(" ")[0], ended.stderr) == (0, "pytest", "")


@pytest.mark.parametrize("arguments", [["--exe", "dist/plugsock", "-k", "it"], ["--exe=dist/plugsock", "-k", "it"]])
def test_with_an_executable_test_is_the_end_to_end_tests_against_it(arguments, monkeypatch):
    build, asked = module(ROOT), []
    monkeypatch.setattr(build, "pytest", lambda words: asked.append(words) or 0)

    assert build.test(arguments) == 0
    assert asked == [["-m", "end_to_end", "--exe=dist/plugsock", "-k", "it"]]


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements.lock"])
def test_a_change_of_what_the_environment_is_made_from_is_noticed(clone, file):
    before = module(clone).WORKING.origin()

    with (clone / file).open("a", encoding="utf-8") as changed:
        changed.write("# one more line\n")

    assert module(clone).WORKING.origin() != before


def test_the_executable_can_be_asked_for_in_two_forms_and_for_an_old_c_library():
    build = module(ROOT)

    assert build.what_to_build([]) == (False, False, None)
    assert build.what_to_build(["--glibc", "2.28", "--onedir"]) == (True, False, (2, 28))
    assert build.what_to_build(["--public"]) == (False, True, None)


def test_an_archive_has_the_executable_what_to_read_and_a_first_plug(tmp_path, monkeypatch):
    build = module(ROOT)
    monkeypatch.setattr(build, "DIST", tmp_path)
    (tmp_path / "plugsock-onedir").mkdir()
    (tmp_path / "plugsock-onedir" / "plugsock").touch()

    (name, members, start), (folder_name, folder, folder_start) = build.archives(ROOT / "dist/plugsock", onedir=True)

    assert (
        name == f"plugsock-{plugsock.__version__}-{archive.target()}.{'zip' if sys.platform == 'win32' else 'tar.gz'}"
    )
    assert folder_name == f"plugsock-{plugsock.__version__}-{archive.target()}-onedir.tar.gz"
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert members.keys() == {"plugsock", "README.md", "LICENSE", "plugs/hello.py"} | pages
    assert folder.keys() >= members.keys()
    assert start == folder_start == "plugsock"


def test_an_environment_that_could_not_be_made_is_not_taken_for_one(clone):
    (clone / "requirements.lock").write_text(
        f"./nowhere-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}\n", encoding="utf-8"
    )

    ended = build(clone, "run", "--version")

    assert ended.returncode == 1
    assert "build.py: this failed with status" in ended.stderr
    assert not (clone / ".venv" / "plugsock.stamp").exists()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock", "requirements-bench.lock"])
def test_a_lock_has_a_hash_for_each_version_and_names_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")

    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()))
    assert "://" not in text
    assert "--index" not in text
