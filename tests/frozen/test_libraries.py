"""Libraries, certificates and time zones: what is set for whom."""

import os
import subprocess
import sys

import pytest

from plugsock.frozen import executable, libraries

OURS = "/tmp/_MEI00000001abcdef"


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    """As if this were an executable, in an environment that says nothing of libraries and certificates."""
    monkeypatch.setattr(sys, "_MEIPASS", OURS, raising=False)
    monkeypatch.setattr(executable, "IS_FROZEN", True)
    monkeypatch.setattr(executable, "USES_LIBRARY_PATH", True)
    for name in (executable.LIBRARY_PATH, executable.ORIGINAL_LIBRARY_PATH, *libraries.CERTIFICATE_VARIABLES):
        monkeypatch.setenv(name, "")  # so that it is restored afterwards, whatever sets it
        monkeypatch.delenv(name)


@pytest.fixture
def anew(monkeypatch):
    """The environments with which this process would have been started anew."""
    asked = []
    monkeypatch.setattr(os, "execve", lambda _file, _arguments, variables: asked.append(variables))
    return asked


@pytest.mark.fault("F6")
def test_ours_are_named_to_nobody_else(monkeypatch, anew):
    monkeypatch.setenv(executable.LIBRARY_PATH, OURS)

    libraries.settle(by_plugsock=False)

    assert executable.LIBRARY_PATH not in os.environ
    assert anew == []


@pytest.mark.fault("F6")
def test_the_user_s_are_named_as_before(monkeypatch, anew):
    monkeypatch.setenv(executable.LIBRARY_PATH, f"{OURS}:/theirs")
    monkeypatch.setenv(executable.ORIGINAL_LIBRARY_PATH, "/theirs")

    libraries.settle(by_plugsock=False)

    assert os.environ[executable.LIBRARY_PATH] == "/theirs"
    assert executable.ORIGINAL_LIBRARY_PATH not in os.environ
    assert anew == []


@pytest.mark.parametrize("theirs", [None, "/theirs"])
def test_a_process_that_was_started_without_ours_is_started_anew_with_them(monkeypatch, anew, theirs):
    if theirs:
        monkeypatch.setenv(executable.LIBRARY_PATH, theirs)

    libraries.settle(by_plugsock=False)

    [variables] = anew
    assert variables[executable.LIBRARY_PATH].split(":")[0] == OURS
    assert variables.get(executable.ORIGINAL_LIBRARY_PATH) == theirs
    assert variables[executable.STARTED_BY] == OURS


def test_but_only_once_even_where_the_system_takes_the_variable_away(anew):
    libraries.settle(by_plugsock=True)  # as it does for a program that has more rights than its user

    assert anew == []


def test_where_the_executable_is_gone_it_goes_on_without(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/executable")
    monkeypatch.setenv(executable.LIBRARY_PATH, "/theirs")

    libraries.settle(by_plugsock=False)

    assert os.environ[executable.LIBRARY_PATH] == "/theirs"


def test_where_libraries_find_each_other_nothing_is_changed(monkeypatch, anew):
    monkeypatch.setattr(executable, "USES_LIBRARY_PATH", False)
    monkeypatch.setenv(executable.LIBRARY_PATH, OURS)

    libraries.settle(by_plugsock=False)

    assert os.environ[executable.LIBRARY_PATH] == OURS
    assert anew == []


@pytest.fixture
def openssl_knows(monkeypatch, tmp_path):
    """Where OpenSSL looks, which is nowhere until a test puts something there."""
    places = "SSL_CERT_FILE", str(tmp_path / "cert.pem"), "SSL_CERT_DIR", str(tmp_path / "certs")
    monkeypatch.setattr("_ssl.get_default_verify_paths", lambda: places)
    return tmp_path


@pytest.mark.parametrize("name", libraries.CERTIFICATE_VARIABLES)
def test_certificates_that_somebody_has_chosen_are_used(monkeypatch, openssl_knows, name):
    monkeypatch.setenv(name, "/theirs")

    libraries.find_certificates()

    assert {name: os.environ[name] for name in libraries.CERTIFICATE_VARIABLES if name in os.environ} == {
        name: "/theirs"
    }


@pytest.mark.parametrize("place", ["cert.pem", "certs/1d3472b9.0"])
def test_nothing_is_set_where_openssl_finds_some(openssl_knows, place):
    (openssl_knows / place).parent.mkdir(exist_ok=True)
    (openssl_knows / place).touch()

    libraries.find_certificates()

    assert "SSL_CERT_FILE" not in os.environ


def test_else_the_system_s_are_looked_for_where_systems_have_them(openssl_knows, tmp_path):
    (tmp_path / "certs").mkdir()  # empty
    second = tmp_path / "second.pem"
    second.touch()

    libraries.find_certificates([str(tmp_path / "first.pem"), str(second)])

    assert os.environ["SSL_CERT_FILE"] == str(second)


def test_else_ours_are_taken(monkeypatch, openssl_knows, tmp_path):
    monkeypatch.setattr(libraries, "BUNDLED", tmp_path)
    (tmp_path / "cacert.pem").touch()

    libraries.find_certificates([])

    assert os.environ["SSL_CERT_FILE"] == str(tmp_path / "cacert.pem")


def test_where_there_are_none_at_all_nothing_is_set(monkeypatch, openssl_knows, tmp_path):
    monkeypatch.setattr(libraries, "BUNDLED", tmp_path)

    libraries.find_certificates([])

    assert "SSL_CERT_FILE" not in os.environ


@pytest.fixture
def bundled(monkeypatch, tmp_path):
    wheel = tmp_path / "tzdata-2025.2-py2.py3-none-any.whl"
    wheel.touch()
    monkeypatch.setattr(libraries, "BUNDLED", tmp_path)
    monkeypatch.setattr(sys, "path", ["somewhere"])
    return wheel


def test_our_time_zones_are_found_after_everything_else_where_the_system_has_none(bundled, tmp_path):
    (tmp_path / "zoneinfo").mkdir()  # minimal systems have it, with little in it

    libraries.find_time_zones([str(tmp_path / "zoneinfo")])

    assert sys.path == ["somewhere", str(bundled)]


def test_the_system_s_time_zones_are_used_where_there_are_some(bundled, tmp_path):
    zone = tmp_path / "zoneinfo" / "America" / "New_York"
    zone.parent.mkdir(parents=True)
    zone.touch()

    libraries.find_time_zones(["/no/such/folder", str(tmp_path / "zoneinfo")])

    assert sys.path == ["somewhere"]


def test_the_places_are_those_where_python_looks():
    code = "import sysconfig; print(sysconfig.get_config_var('TZPATH'))"
    known = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert set(known.split(os.pathsep)) <= set(libraries.TIME_ZONES)
