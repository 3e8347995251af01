import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from building import packages

ROOT = Path(__file__).parents[2]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def test_it_has_all_that_plugsock_depends_on_and_what_that_depends_on():
    found = packages.needed(DEPENDENCIES)

    assert {Requirement(text).name for text in DEPENDENCIES if "sys_platform" not in text} <= found.keys()
    assert {"anyio", "idna", "typing-extensions"} <= found.keys()
    assert list(found) == sorted(found)


def test_what_is_left_out_is_not_in_it_nor_what_only_that_needs():
    found = packages.needed(DEPENDENCIES)

    assert not packages.LEFT_OUT.keys() & found.keys()
    assert not set(packages.LEFT_OUT_MODULES) & {name.partition(".")[0] for name in packages.modules(found.values())}


def test_what_another_platform_or_an_extra_needs_is_not_in_it():
    assert packages.needed(["nowhere; sys_platform == 'amiga'", "nowhere-either; extra == 'all'"]) == {}


def test_what_is_not_installed_is_said():
    with pytest.raises(PackageNotFoundError, match="nowhere"):
        packages.needed(["nowhere>=1"])


def test_packages_are_whole():
    names = set(packages.modules(packages.needed(["anyio", "watchfiles", "idna"]).values()))

    assert {"anyio._backends._trio", "anyio.streams.file", "watchfiles.cli", "idna.codec"} <= names


def test_of_faker_there_is_what_made_up_answers_need():
    names = set(packages.modules(packages.needed(["polyfactory"]).values()))

    assert {"faker.providers.person.en_US", "faker.providers.bank.en_GB", "faker.providers.sbn.sbn"} <= names
    assert not {"faker.providers.person.de_DE", "faker.providers.person.de", "faker.providers.bank.en_IN"} & names
    files = set(packages.listed(names))
    assert {"faker/providers/person/__init__.py", "faker/providers/person/en_US/__init__.py"} <= files
    assert "faker/providers/sbn/sbn/__init__.py" not in files


def test_constraints_are_lines_that_pip_reads():
    found = packages.needed(["click"])

    assert packages.constraints(found) == f"click=={found['click'].version}\n"


def test_every_package_comes_with_its_licence():
    for distribution in packages.needed(DEPENDENCIES).values():
        assert all(file.is_file() for file in packages.licences(distribution))
        assert packages.licences(distribution), distribution.name


@pytest.mark.parametrize(
    ("place", "is_note"),
    [("click-8.dist-info/RECORD", True), ("click-8.dist-info/METADATA", False), ("click/RECORD", False)],
)
def test_the_description_of_a_package_is_no_note_of_pip(place, is_note):
    assert packages.is_note_of_pip(place) is is_note
