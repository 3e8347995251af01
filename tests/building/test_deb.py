import re
import shutil
import subprocess
from pathlib import Path

import pytest

from building import deb

UNIT = (deb.HERE / "plugsock.service").read_text(encoding="utf-8")


def test_the_files_with_a_licence_are_read_from_all_paragraphs():
    text = "Files: *\nCopyright: 2026 A\n\nFiles: usr/a*\n usr/b\nLicense: Expat\n\nLicense: Expat\n Files: are free.\n"

    assert deb.licensed_files(text) == ["*", "usr/a*", "usr/b"]


def test_each_licence_that_is_named_has_a_paragraph():
    text = (deb.HERE / "copyright").read_text(encoding="utf-8")
    files, *licences = re.split(r"\n(?=License: .*\n )(?<=\n\n)", text)

    used = {name for line in re.findall(r"^License: (.+)$", files, re.MULTILINE) for name in line.split(" or ")}
    assert used - {re.match(r"License: (.+)", each)[1] for each in licences} == set()


def test_a_library_without_a_licence_is_named(tmp_path):
    bundled = tmp_path / deb.HOME / "_internal"
    (bundled / "plugsock/bundled/licences").mkdir(parents=True)
    (bundled / "plugsock/bundled/licences/click.txt").touch()
    (bundled / "libz.so.1").touch()
    deb._must_be_licensed(tmp_path)

    (bundled / "libmystery.so.1").touch()
    (bundled / "plugsock/bundled/licences/mysterious.txt").touch()
    with pytest.raises(SystemExit, match=r"these are: usr/lib/plugsock/_internal/libmystery\.so\.1, mysterious\.txt"):
        deb._must_be_licensed(tmp_path)


def test_who_makes_the_package_can_say_who_answers_for_it(monkeypatch):
    monkeypatch.delenv("DEBEMAIL", raising=False)
    monkeypatch.delenv("DEBFULLNAME", raising=False)
    assert deb._maintainer() == deb.MAINTAINER

    monkeypatch.setenv("DEBFULLNAME", "Ada Lovelace")
    monkeypatch.setenv("DEBEMAIL", "ada@example.org")
    assert deb._maintainer() == "Ada Lovelace <ada@example.org>"


def test_the_date_of_the_changelog_is_that_of_what_was_built():
    assert deb._changelog("1.2.3", 1_700_000_000).endswith("  Tue, 14 Nov 2023 22:13:20 -0000\n")


@pytest.mark.parametrize("script", deb.SCRIPTS)
def test_scripts_are_plain_sh_and_do_nothing_where_systemd_does_not_run(script, tmp_path):
    subprocess.run(["sh", "-n", deb.HERE / script], check=True)
    text = (deb.HERE / script).read_text(encoding="utf-8")

    assert text.startswith("#!/bin/sh\n")
    assert "set -e\n" in text
    assert text.index("/run/systemd/system") < text.index("systemctl --") if "systemctl --" in text else True


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze (apt-get install systemd)")
def test_systemd_knows_every_word_of_the_unit(tmp_path):
    program = tmp_path / "plugsock"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "plugsock.service"
    unit.write_text(UNIT.replace("/usr/bin/plugsock", str(program)))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )

    assert [line for line in verified.stderr.splitlines() if "plugsock" in line] == []
    assert verified.returncode == 0


def test_what_the_unit_starts_is_what_the_package_has():
    starts = re.findall(r"^Exec\w+=(\S+) (\w+) --plugs (\S+)$", UNIT, re.MULTILINE)

    assert starts == [("/usr/bin/plugsock", word, "/etc/plugsock/plugs") for word in ("serve", "reload")]


def test_settings_of_the_service_are_those_that_there_are(tmp_path):
    from plugsock.cli import config

    commented = (deb.HERE / "plugsock.toml").read_text(encoding="utf-8")
    (tmp_path / "plugsock.toml").write_text(re.sub(r"^# (\w+ = )", r"\1", commented, flags=re.MULTILINE))

    settings = config.read({"plugs": str(tmp_path / "plugs")}, {}, tmp_path)
    assert settings.data == Path("/var/lib/plugsock/server")
