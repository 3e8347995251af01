import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from building.environment import Environment, must


def described(folder):
    lock = folder / "some.lock"
    lock.write_text("# nothing\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    return Environment(folder=folder / "made" / "here", lock=lock, project=folder)


@pytest.fixture(autouse=True)
def without_uv(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An environment with nothing in it, as Python and pip alone have made it: that takes seconds."""
    environment = described(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(environment.project))
        environment.prepare()
    return environment


def test_it_is_made_where_it_belongs(made):
    where = subprocess.check_output([made.python, "-c", "import sys; print(sys.prefix)"], text=True)

    assert Path(where.strip()) == made.folder
    assert made.stamp.read_text(encoding="utf-8") == made.origin()


def test_one_that_is_complete_stays_as_it_is(made, capfd):
    made.prepare()

    assert capfd.readouterr() == ("", "")


def test_one_that_could_not_be_made_is_not_taken_for_complete(made, capfd):
    made.lock.write_text(f"./nowhere-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}\n", encoding="utf-8")

    with pytest.raises(SystemExit, match=r"build\.py: this failed with status 1: .* -m pip install"):
        made.prepare()

    assert not made.stamp.exists()
    assert capfd.readouterr().err.startswith(f"build.py: making {Path('made/here')} from some.lock ...\n")


def test_one_of_another_python_is_not_built_upon(tmp_path):
    environment = replace(described(tmp_path), editable=True)
    environment.folder.mkdir(parents=True)

    made_by = {}
    for version in ("3.1.4", "{}.{}.9".format(*sys.version_info)):
        config = f"home = /usr/bin\nversion = {version}\n"
        (environment.folder / "pyvenv.cfg").write_text(config, encoding="utf-8")
        made_by[version] = environment.may_be_built_upon()

    assert list(made_by.values()) == [False, True]


def test_one_to_build_from_is_made_anew_so_that_nothing_of_an_earlier_lock_is_built_in(made):
    assert replace(made, editable=True).may_be_built_upon()
    assert not made.may_be_built_upon()


def test_a_change_of_the_lock_file_is_noticed(tmp_path):
    environment = described(tmp_path)
    before = environment.origin()

    environment.lock.write_text("# nothing, but otherwise\n", encoding="utf-8")

    assert environment.origin() != before


def test_the_project_counts_only_where_it_is_installed_itself(tmp_path):
    environment = described(tmp_path)
    editable = replace(environment, editable=True)
    before = environment.origin(), editable.origin()

    (tmp_path / "pyproject.toml").write_text("# one more line\n", encoding="utf-8")

    assert environment.origin() == before[0]
    assert editable.origin() != before[1]


def test_what_succeeds_says_nothing(capfd):
    must([sys.executable, "-c", ""])

    assert capfd.readouterr() == ("", "")
