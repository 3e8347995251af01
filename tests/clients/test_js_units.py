"""The JavaScript client on a scripted WebSocket and a clock that is turned by hand, run by node's own test runner."""

import re

import pytest

from support.npm import CLIENT, needs_node, node

FILES = sorted((CLIENT / "tests").glob("*.test.mjs"))


@needs_node
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_what_is_written_in_javascript_passes(file):
    run = node("--test", "--test-reporter=tap", file)

    failed = re.findall(r"^not ok \d+ - (.*)$", run.stdout, re.MULTILINE)
    assert failed == [], run.stdout
    assert run.returncode == 0, run.stdout + run.stderr
    assert int(re.search(r"^# pass (\d+)$", run.stdout, re.MULTILINE)[1]) > 0
