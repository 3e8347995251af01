import json


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
    assert err.startswith("plugsock: No connection to ws://127.0.0.1:9")


def test_a_reference_to_the_log_is_shown(home, server, plugsock):
    (home / "plugs" / "fail.py").write_text(
        "from plugsock import plug\n\n\n@plug\nasync def fail() -> None:\n    1 / 0\n"
    )
    plugsock("swap")

    status, _, err = plugsock("call", "fail")

    assert (status, err.partition(":")[0]) == (1, "plug_error")
    reference = err.rstrip(")\n").rpartition("(ref ")[2]
    log = server.stop()[1]
    assert reference in log
    assert "    | ZeroDivisionError: division by zero" in log
