import shutil
import subprocess

import pytest

from building.manual import manual
from plugsock.cli.main import plugsock
from plugsock.settings import SETTINGS

DATE = 1_700_000_000


@pytest.fixture(scope="module")
def page():
    return manual(DATE)


def test_it_shows_every_command_and_every_setting(page):
    text = page.replace("\\-", "-")

    assert all(f"\\fBplugsock {name}\\fP" in text for name, each in plugsock.commands.items() if not each.hidden)
    assert all(setting.flag in text and setting.variable in text for setting in SETTINGS)
    assert "\\fBplugsock add plug\\fP" in text


def test_options_stand_under_the_titles_of_their_groups(page):
    serve = page[page.index(".SS \\fBplugsock serve") :]

    titles = [line for line in serve[: serve.index("\n.SS ")].splitlines() if line.startswith("\\fI") and ":" in line]
    assert titles == ["\\fIWhere:\\fP", "\\fIHow it runs:\\fP", "\\fIWho may connect:\\fP", "\\fILimits:\\fP"]


def test_examples_keep_their_lines(page):
    assert ".EX\n  plugsock eject\n  plugsock eject chat\n  plugsock eject chat.send\n.EE" in page


def test_its_date_is_that_of_what_was_built(page):
    assert page.startswith('.TH PLUGSOCK 1 "2023-11-14" "plugsock ')
    assert manual(DATE) == page


def test_no_text_is_taken_for_a_request(page):
    requests = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".PP", ".TP", ".EX", ".EE"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff (apt-get install groff)")
def test_it_is_set_without_a_warning(page):
    groff = ["groff", "-man", "-Tutf8", "-ww", "-k"]
    ended = subprocess.run(groff, input=page, capture_output=True, text=True, check=True)

    assert ended.stderr == ""
    assert "serve ./plugs on ws://127.0.0.1:8765" in ended.stdout
