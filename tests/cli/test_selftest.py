import json
import sys

import pytest

from plugsock.cli.selftests import modules, serving, surroundings
from support import executable

CHECKS = ["modules", "versions", "certificates", "time zones", "server"]


@pytest.mark.end_to_end
@pytest.mark.timeout(120)  # under load a thousand imports take long
def test_all_of_it_holds_here(plugsock):
    status, out, err = plugsock("selftest")

    assert (status, err) == (0, "")
    assert [line[:8].strip() for line in out.splitlines()] == ["ok"] * 5
    assert [line[8:22].strip() for line in out.splitlines()] == CHECKS


@pytest.mark.timeout(120)
def test_for_machines_it_is_one_json_document(plugsock):
    status, out, _ = plugsock("selftest", "--format", "json")

    findings = json.loads(out)
    assert (status, [finding["check"] for finding in findings]) == (0, CHECKS)
    assert all(finding["problems"] == [] and finding["seen"] for finding in findings)


@pytest.mark.skipif(executable.EXE is not None, reason="that needs an executable in which something is wrong")
def test_what_does_not_hold_is_said_and_is_the_exit_status(plugsock, tmp_path):
    (tmp_path / "nobody.pem").write_text("")

    status, out, _ = plugsock("selftest", SSL_CERT_FILE=str(tmp_path / "nobody.pem"), SSL_CERT_DIR=str(tmp_path))

    lines = out.splitlines()
    place = next(number for number, line in enumerate(lines) if "certificates" in line)
    assert status == 1
    assert lines[place].startswith("failed  certificates  0 authorities")
    assert lines[place + 1].startswith("        there are none: ")


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Modules that fail in several ways."""
    sources = {
        "fine": "",
        "prints": "print('tab\\there')",
        "fails": "1 / 0",
        "ends": "import os, sys; sys.stderr.write('no more\\n'); os._exit(3)",
        "leaves": "raise SystemExit(0)",
        "lacks_a_part": "import nowhere_at_all",
        "says_what_it_lacks": "try: import nowhere_at_all\nexcept ImportError as e: raise ImportError('not here') from e",
        "lacks_what_is_inside": "import _winapi, fails",
        "after": "",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return list(sources)


@pytest.mark.skipif(sys.platform == "win32", reason="it has what the others lack")
def test_each_module_that_fails_is_a_problem_even_if_it_ends_the_process(broken):
    failed = modules.attempt([*broken, "_winapi"])

    assert failed == {
        "fails": "ZeroDivisionError: division by zero",
        "ends": "the process ended with 3: no more",
        "leaves": "SystemExit: 0",
        "lacks_what_is_inside": "ModuleNotFoundError: No module named '_winapi'",
        "_winapi": "ModuleNotFoundError: No module named '_winapi'",
    }


def test_a_process_that_says_nothing_is_a_problem_of_the_first_module(monkeypatch):
    monkeypatch.setattr(modules, "LIMIT_S", 0.0)

    failed = modules.attempt(["json"])

    assert failed == {"json": "the import does not end within 0 s"}


def test_a_server_that_does_not_start_is_a_problem_with_its_own_words(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setattr(
        "plugsock.frozen.executable.command", lambda: [sys.executable, "-c", "import sys; sys.exit('so it was')"]
    )

    finding = serving.check()

    assert finding.problems == ["at its beginning: it has ended with status 1; the server says: so it was"]


def test_a_server_that_does_not_answer_is_a_problem(monkeypatch):
    monkeypatch.setattr(serving, "LIMIT_S", 0.0)

    assert serving.check().problems == ["at its beginning: nothing has happened within 0 s"]


def test_a_zone_that_is_not_there_is_a_problem(monkeypatch):
    monkeypatch.setattr(surroundings, "A_ZONE", "Nowhere/At_All")

    (problem,) = surroundings.time_zones().problems

    assert problem.startswith("Nowhere/At_All is not there (")
    assert problem.endswith("): install tzdata")


def test_the_packages_that_plugsock_needs_say_their_versions():
    assert {"click", "msgspec", "websockets"} <= set(surroundings.dependencies())
    assert surroundings.versions().problems == []
