from itertools import groupby
from pathlib import Path

import pytest

from plugsock.cli.config import read
from plugsock.settings import KIB, MIB, SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

DEPENDS = {"plugs": "`plugs` in the working directory", "data": "`.plugsock` beside the plugs folder"}
"""Defaults that depend on something else, in words."""


def default(setting):
    value = setting.default
    if setting.field in DEPENDS:
        return DEPENDS[setting.field]
    if setting.is_switch:
        return "on" if value else "off"
    if setting.is_size and value:
        return f"{value // MIB} MiB" if value % MIB == 0 else f"{value // KIB} KiB"
    if setting.about.metavar == "SECONDS":
        return f"{value:g} s"
    if setting.is_list and value:
        return " ".join(f"`{each}`" for each in value)
    return "none" if value in (None, (), "") else f"`{value}`"


def table(settings):
    rows = [f"| `{setting.key}` | {default(setting)} | {setting.about.help} |" for setting in settings]
    return "\n".join(["| setting | default | what it does |", "|---|---|---|", *rows])


@pytest.mark.parametrize(
    ("group", "settings"),
    [(group, list(settings)) for group, settings in groupby(SETTINGS, key=lambda setting: setting.about.group)],
)
def test_the_page_has_each_setting_as_it_is_declared(group, settings):
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n## {group}\n")

    assert table(settings) in section.partition("\n## ")[0]


def test_the_page_has_no_setting_that_there_is_not():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert len(rows) == len(SETTINGS)


def test_the_example_file_is_one_that_works(tmp_path):
    _, _, example = PAGE.read_text(encoding="utf-8").partition("```toml\n")
    (tmp_path / "plugsock.toml").write_text(example.partition("```")[0], encoding="utf-8")

    settings = read({}, {}, tmp_path)

    assert (settings.host, settings.max_message, settings.timeout_s) == ("0.0.0.0", 64 * KIB, 10)
