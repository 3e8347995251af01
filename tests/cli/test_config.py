import sys
from pathlib import Path

import pytest

from plugsock.cli import config
from plugsock.errors import SettingsError
from plugsock.frozen import executable


@pytest.fixture
def home(tmp_path):
    (tmp_path / "plugs").mkdir()
    return tmp_path


def write(home, text):
    (home / "plugsock.toml").write_text(text, encoding="utf-8")


def read(home, flags=None, environ=None):
    return config.read(flags or {}, environ or {}, home)


def refusal(home, flags=None, environ=None):
    with pytest.raises(SettingsError) as refused:
        read(home, flags, environ)
    return str(refused.value)


def test_with_nothing_said_there_are_defaults(home):
    settings = read(home)

    assert settings.plugs == home / "plugs"
    assert settings.data == home / ".plugsock"
    assert settings.port == 8765


def test_flags_beat_the_environment_which_beats_the_file_which_beats_the_defaults(home):
    write(home, 'port = 1\nhost = "file"\nmax_open = 3\n')

    settings = read(home, {"port": "3"}, {"PLUGSOCK_PORT": "2", "PLUGSOCK_HOST": "environment"})

    assert (settings.port, settings.host, settings.max_open, settings.timeout_s) == (3, "environment", 3, 30)


def test_a_flag_can_switch_off_what_the_file_switched_on(home):
    write(home, "dev = true\npoll = true\n")

    settings = read(home, {"dev": False, "poll": None})

    assert (settings.dev, settings.poll) == (False, True)


def test_a_flag_that_was_given_several_times_is_a_list(home):
    assert read(home, {"allow_host": ("a.example", "b.example")}).allow_host == ("a.example", "b.example")
    assert read(home, {"allow_host": ()}).allow_host == ()


def test_the_file_is_looked_for_beside_the_plugs_folder(home, tmp_path):
    other = tmp_path / "elsewhere"
    (other / "plugs").mkdir(parents=True)
    write(home, "port = 1\n")
    write(other, "port = 2\n")

    settings = read(home, {"plugs": str(other / "plugs")})

    assert settings.port == 2
    assert settings.data == other / ".plugsock"


def test_a_path_in_the_file_is_seen_from_the_file(home):
    write(home, 'data = "state"\nplugs = "functions"\n')

    settings = read(home)

    assert settings.data == home / "state"
    assert settings.plugs == home / "functions"


def test_a_path_on_the_command_line_is_seen_from_the_working_directory(home, monkeypatch):
    monkeypatch.chdir(home)

    settings = config.read({"data": "state"}, {"PLUGSOCK_PLUGS": "other/plugs"}, Path("/usr/bin"))

    assert settings.data == home / "state"
    assert settings.plugs == home / "other" / "plugs"


def test_an_executable_starts_from_its_own_folder(home, monkeypatch):
    monkeypatch.setattr(executable, "IS_FROZEN", True)
    monkeypatch.setattr(sys, "executable", str(home / "plugsock"))

    assert config.home() == home


def test_one_that_is_installed_starts_from_the_working_directory(home, tmp_path, monkeypatch):
    (tmp_path / executable.INSTALLED).touch()
    monkeypatch.setattr(executable, "IS_FROZEN", True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "plugsock"))
    monkeypatch.chdir(home)

    assert config.home() == home


def test_otherwise_it_starts_from_the_working_directory(home, monkeypatch):
    monkeypatch.chdir(home)

    assert config.home() == home


@pytest.mark.fault("D9")
def test_a_wrong_value_names_the_flag_that_it_came_from(home):
    assert refusal(home, {"port": "http"}) == "--port: expected a whole number from 0 to 65535, not 'http'"


@pytest.mark.fault("D9")
def test_a_wrong_value_names_the_variable_that_it_came_from(home):
    assert refusal(home, environ={"PLUGSOCK_SLOW": "-1"}).startswith("PLUGSOCK_SLOW: expected seconds")


@pytest.mark.fault("D9")
def test_a_wrong_value_names_the_line_that_it_came_from(home):
    write(home, '# where\nhost = "::1"\nport = "9000"\n')

    assert refusal(home).startswith("plugsock.toml:3: port: expected a whole number")


def test_a_wrong_value_is_reported_even_where_a_stronger_source_hides_it(home):
    write(home, "port = -1\n")

    assert refusal(home, {"port": "9000"}).startswith("plugsock.toml:1:")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\nprot = 1", "plugsock.toml:2: there is no setting 'prot'; did you mean port?"),
        ("max-calls = 1", "plugsock.toml:1: there is no setting 'max-calls'; did you mean max_calls?"),
        ("port = 1\n\n[limits]\nping = 3", "plugsock.toml:3: there is no setting 'limits'"),
        ('"zz\\u0007" = 1', "plugsock.toml:1: there is no setting 'zz\\x07'"),
    ],
)
def test_an_unknown_key_is_no_setting(home, text, sentence):
    write(home, text)

    assert refusal(home) == sentence


def test_an_unknown_variable_is_no_setting(home):
    assert refusal(home, environ={"PLUGSOCK_HOTS": "x"}) == (
        "PLUGSOCK_HOTS: there is no such setting; did you mean PLUGSOCK_HOST?"
    )


def test_what_all_variables_begin_with_makes_none_of_them_nearer(home):
    assert refusal(home, environ={"PLUGSOCK_QUUX": "x"}) == "PLUGSOCK_QUUX: there is no such setting"


def test_variables_of_the_commands_and_of_others_are_left_alone(home):
    assert read(home, environ={"PLUGSOCK_TOKEN": "t", "PLUGSOCK_URL": "ws://x", "PATH": "/bin", "PLUGSOCKET": "1"})


def test_variables_of_default_plugs_are_left_to_them(home):
    assert read(home, environ={"PLUGSOCK_JWT_SECRET": "x", "PLUGSOCK_JWT_SECRTE": "x"})
    assert refusal(home, environ={"PLUGSOCK_JWT": "x"}) == "PLUGSOCK_JWT: there is no such setting"


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("text", "place"),
    [("port = ", "plugsock.toml:1: "), ("port = 1\nport = 2\n", "plugsock.toml:2: "), ("a\n\n", "plugsock.toml:1")],
)
def test_a_file_that_is_no_toml_is_one_line_with_its_place(home, text, place):
    write(home, text)

    message = refusal(home)

    assert message.startswith(place)
    assert "this is not TOML" in message
    assert message.isprintable()


@pytest.mark.fault("D9")
def test_a_file_that_is_no_text_is_one_line(home):
    (home / "plugsock.toml").write_bytes(b"\xff\xfe")

    assert refusal(home).endswith("it can't be read: it is not UTF-8 text")


@pytest.mark.fault("D9")
def test_a_file_that_can_not_be_opened_is_one_line(home):
    (home / "plugsock.toml").mkdir()

    assert "it can't be read" in refusal(home)


def test_a_byte_order_mark_is_no_reason_to_fail(home):
    (home / "plugsock.toml").write_bytes(b"\xef\xbb\xbfport = 7\n")

    assert read(home).port == 7


def test_a_certificate_needs_its_key_and_the_key_its_certificate(home):
    assert refusal(home, {"tls_cert": "c.pem"}) == "--tls-cert: it is of no use without tls_key"
    assert refusal(home, environ={"PLUGSOCK_TLS_KEY": "k.pem"}).startswith("PLUGSOCK_TLS_KEY: ")
    assert read(home, {"tls_cert": "c.pem", "tls_key": "k.pem"}).tls_key.name == "k.pem"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("workers = 2", ("2",)),
        ('workers = "auto"', ("auto",)),
        ('workers = "2-8, reports=2"', ("2-8", "reports=2")),
        ('workers = [2, "reports=2"]', ("2", "reports=2")),
        ("workers = []", ()),
        ("", ("auto",)),
    ],
)
def test_workers_are_a_number_a_text_or_a_list_of_either_in_the_file(home, text, counts):
    write(home, text)

    assert read(home).workers == counts


def test_workers_are_separate_flags_or_separated_by_commas(home):
    assert read(home, {"workers": ("2-8", "reports=2,mail=auto")}).workers == ("2-8", "reports=2", "mail=auto")
    assert read(home, environ={"PLUGSOCK_WORKERS": "0"}).workers == ("0",)


@pytest.mark.fault("D9")
def test_workers_that_can_not_be_together_name_where_they_were_said(home):
    assert refusal(home, {"workers": ("8-2",)}) == "--workers: 8-2 begins with more than it ends with"
    assert refusal(home, environ={"PLUGSOCK_WORKERS": "2,3"}) == (
        "PLUGSOCK_WORKERS: 3 is a second count without a name"
    )
    write(home, "port = 1\nworkers = 1000")
    assert refusal(home) == "plugsock.toml:2: workers: 1000 workers are more than 256"


@pytest.mark.fault("D9")
@pytest.mark.parametrize("text", ["workers = true", "workers = 2.5", "workers = [true]", "workers = {reports = 2}"])
def test_workers_that_are_no_count_name_the_line_and_what_would_be_one(home, text):
    write(home, text)

    assert refusal(home).startswith("plugsock.toml:1: workers: expected auto, a number as 4, a range as 2-8, or ")


def test_what_somebody_chose_is_told_from_what_nobody_did(home):
    write(home, "max_open = 3\n")

    sources = config.reading({"port": "1", "dev": None}, {"PLUGSOCK_HOST": "localhost"}, home).sources

    assert sources == {"port": "--port", "host": "PLUGSOCK_HOST", "max_open": "plugsock.toml:1: max_open"}
