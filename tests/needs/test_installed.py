"""Which requirements are met by what lies in some folders."""

import pytest
from packaging.requirements import Requirement

from plugsock.needs.installed import Installed, Package, packages


def put(folder, name, version, *metadata):
    """Install a package, as far as its metadata go."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
    (info / "METADATA").write_text("\n".join(lines) + "\n\n")


@pytest.fixture
def lacks(tmp_path):
    put(tmp_path / "first", "Two_Parts", "1.5")
    put(tmp_path / "second", "two-parts", "9.0")
    put(tmp_path / "second", "pre", "2.0rc1")
    put(tmp_path / "second", "odd", "not-a-version")
    put(
        tmp_path / "second",
        "base",
        "1.0",
        "Provides-Extra: fast",
        "Provides-Extra: slow",
        "Requires-Dist: pre; extra == 'slow'",
        "Requires-Dist: absent>=2; extra == 'fast'",
        "Requires-Dist: base[slow]; extra == 'all'",
        "Requires-Dist: base[all]; extra == 'slow'",
        "Requires-Dist: needed-anyway",
        "Requires-Dist: !!!",
    )
    (tmp_path / "second" / "broken-1.0.dist-info").mkdir()
    installed = Installed([str(tmp_path / "first"), str(tmp_path / "second")])
    return lambda text: installed.lacks(Requirement(text))


@pytest.mark.parametrize(
    "text",
    [
        "two-parts",
        "TWO.PARTS>=1,<2",
        "pre>=2.0rc1",
        "pre>1",
        "two-parts @ https://example.org/two-parts.whl",
        "absent; sys_platform == 'no such system'",
        "base",
        "base[slow]",
        "base[all]",
        "base[unknown]",
    ],
)
def test_what_is_met(lacks, text):
    assert lacks(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("absent", "which is not installed"),
        ("broken", "which is not installed"),
        ("odd", "which is not installed"),
        ("two-parts>=2", "and 1.5 is installed"),
        ("base[fast]", 'and absent>=2; extra == "fast" is missing for [fast]'),
        ("absent; python_version > '3'", "which is not installed"),
    ],
)
def test_what_is_not(lacks, text, why):
    assert lacks(text) == why


def test_a_list_of_packages_has_each_name_once_and_leaves_out_what_is_broken(tmp_path):
    put(tmp_path / "a", "Flask", "3.0")
    put(tmp_path / "b", "flask", "2.0")
    put(tmp_path / "b", "odd", "not-a-version")
    (tmp_path / "b" / "broken-1.0.dist-info").mkdir()

    assert packages([str(tmp_path / "a"), str(tmp_path / "b")]) == {"flask": Package("Flask", "3.0")}


def test_what_was_installed_a_moment_ago_is_seen(tmp_path):
    assert Installed([str(tmp_path)]).lacks(Requirement("late")) != ""
    put(tmp_path, "late", "1.0")

    assert Installed([str(tmp_path)]).lacks(Requirement("late")) == ""
