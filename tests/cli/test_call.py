import json
import subprocess
import sys

import pytest

from plugsock.cli import talk
from plugsock.errors import PlugsockError
from support import executable


def write_self_signed(folder):
    """A certificate for localhost and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_it_prints_the_answer(server, plugsock):
    assert plugsock("call", "greet", '{"name": "Ada", "times": 2}') == (0, '["Hello, Ada!","Hello, Ada!"]\n', "")


def test_a_stream_is_one_line_an_item(server, plugsock):
    assert plugsock("call", "greet.count", '{"upto": 2}') == (0, '{"number":0}\n{"number":1}\n', "")


def test_a_payload_is_read_from_the_standard_input(server, plugsock):
    assert plugsock("call", "greet", "-", input='{"name": "Ada"}\n') == (0, '["Hello, Ada!"]\n', "")


def test_without_a_payload_there_are_no_arguments(server, plugsock):
    status, out, _ = plugsock("call", "greet.count")

    assert (status, len(out.splitlines())) == (0, 3)


def test_an_error_is_a_line_on_stderr_and_status_1(server, plugsock):
    assert plugsock("call", "greet", '{"name": "moon"}') == (1, "", "out_of_stock: We have no moon left.\n")


def test_an_error_for_machines_has_all_that_the_server_said(server, plugsock):
    status, out, err = plugsock("call", "greet", '{"name": "moon"}', "--format", "json")

    assert (status, out) == (1, "")
    assert json.loads(err) == {
        "code": "out_of_stock",
        "message": "We have no moon left.",
        "retry": False,
        "data": {"sku": "moon"},
    }


def test_what_does_not_fit_says_where(server, plugsock):
    status, _, err = plugsock("call", "greet", '{"name": 7}')

    assert status == 1
    assert err.startswith("bad_payload: $.name: ")


def test_what_there_is_not_is_not_found(server, plugsock):
    status, _, err = plugsock("call", "greets")

    assert (status, err.partition(":")[0]) == (1, "not_found")


def test_the_server_is_found_by_its_url_too(home, server, plugsock):
    url = json.loads((home / ".plugsock" / "server.json").read_text())["url"]

    assert plugsock("call", "greet", '{"name": "Ada"}', "--url", url, "--data", "elsewhere")[0] == 0
    assert plugsock("call", "greet", '{"name": "Ada"}', PLUGSOCK_URL=url, PLUGSOCK_DATA="elsewhere")[0] == 0


def test_no_server_is_one_line_and_status_1(plugsock):
    status, out, err = plugsock("call", "greet", "--url", "ws://127.0.0.1:9")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("plugsock: no server answers at ws://127.0.0.1:9; start one with `plugsock`")


def test_a_port_that_can_be_none_is_one_line_and_status_1(plugsock):
    status, out, err = plugsock("call", "greet", "--url", "ws://127.0.0.1:94312")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "ws://127.0.0.1:94312" in err


def test_a_server_of_another_folder_is_not_called(home, server, plugsock):
    (home / "other").mkdir()

    status, out, err = plugsock("call", "greet", "--plugs", "other")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"serves {home / 'plugs'}, not {home / 'other'}" in err


def test_a_server_that_can_not_be_verified_says_how_it_can(home, serve, plugsock):
    certificate, key = write_self_signed(home)
    running = serve("--tls-cert", str(certificate), "--tls-key", str(key))
    url = running.introduction[0].split()[-1]

    status, out, err = plugsock("call", "echo", "1")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "--url wss://localhost:PORT" in err

    by_name = url.replace("127.0.0.1", "localhost")
    assert plugsock("call", "echo", "1", "--url", by_name, SSL_CERT_FILE=str(certificate)) == (0, "1\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no C locale")
@pytest.mark.skipif(executable.EXE is not None, reason="the executable writes UTF-8 whatever the locale says")
@pytest.mark.parametrize("color", ["auto", "always"])
def test_an_answer_is_shown_on_a_terminal_that_has_no_letters_for_it(server, plugsock, color):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    status, out, err = plugsock("call", "echo", '"\\u00e4\\ud83d\\ude00"', "--color", color, **ascii_only)

    assert (status, err) == (0, "")
    assert "\\u00e4\\ud83d\\ude00" in out


BLOCKING = """from time import sleep

from plugsock import plug


@plug
async def block() -> None:
    sleep(40)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the server is killed in the middle")
def test_who_gives_up_after_a_while_does_so_though_a_plug_blocks_the_server(home, serve, plugsock):
    (home / "plugs" / "blocking.py").write_text(BLOCKING)
    running = serve("--workers", "0")

    status, out, err = plugsock("call", "blocking.block", "--timeout", "0.2")

    running.process.kill()
    assert (status, out) == (1, "")
    assert err == "plugsock: the server does not answer: does a plug block it?\n"


async def test_a_server_that_answers_no_pings_is_given_up_without_a_timeout_too(home, serve, monkeypatch):
    monkeypatch.setattr(talk, "QUIET_S", 0.1)
    monkeypatch.setattr(talk, "PONG_S", 0.5)
    (home / "plugs" / "blocking.py").write_text(BLOCKING)
    running = serve("--workers", "0")

    with pytest.raises(PlugsockError, match="the server does not answer: does a plug block it"):
        await talk.talk(running.introduction[0].split()[-1], None, "blocking.block", None, None, rich=False)

    running.process.kill()


async def test_a_call_that_takes_long_is_waited_for_while_the_server_answers_pings(home, serve, monkeypatch, capsys):
    monkeypatch.setattr(talk, "QUIET_S", 0.05)
    (home / "plugs" / "slow.py").write_text(
        "import asyncio\n\nfrom plugsock import plug\n\n\n@plug\nasync def slow() -> int:\n"
        "    await asyncio.sleep(0.5)\n    return 7\n"
    )
    running = serve()

    await talk.talk(running.introduction[0].split()[-1], None, "slow", None, None, rich=False)

    assert capsys.readouterr().out == "7\n"


def test_an_error_for_machines_has_the_wait_as_on_the_wire(home, serve, plugsock):
    (home / "plugs" / "busy.py").write_text(
        "from plugsock import Error, plug\n\n\n@plug\nasync def busy() -> None:\n"
        '    raise Error("busy", "Later.", retry=True, after=1.5)\n'
    )
    serve()

    said = json.loads(plugsock("call", "busy", "--format", "json")[2])

    assert said == {"code": "busy", "message": "Later.", "retry": True, "after_ms": 1500}


def test_a_reference_to_the_log_is_shown(home, server, plugsock):
    (home / "plugs" / "fail.py").write_text(
        "from plugsock import plug\n\n\n@plug\nasync def fail() -> None:\n    1 / 0\n"
    )
    plugsock("swap")

    status, _, err = plugsock("call", "fail")

    assert (status, err.partition(":")[0]) == (1, "plug_error")
    reference = err.rstrip(".\n").rpartition("under ref ")[2]
    assert err.count(reference) == 1
    log = server.stop()[1]
    assert reference in log
    assert "    | ZeroDivisionError: division by zero" in log


@pytest.mark.parametrize("wrong", [[], ["--token", ""]], ids=["none", "wrong"])
def test_who_is_not_known_is_told_so(guarded, plugsock, wrong):
    status, out, err = plugsock("call", "auth.orders", *wrong)

    assert (status, out, err) == (1, "", "unauthorized: Nobody knows you by that.\n")


def test_a_token_says_who_calls(guarded, plugsock):
    assert plugsock("call", "auth.orders", "--token", "ada") == (0, "3\n", "")
    assert plugsock("call", "auth.orders", PLUGSOCK_TOKEN="ada") == (0, "3\n", "")
