import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from support import executable
from support.executable import server_of


def test_it_says_where_it_listens_what_it_watches_and_which_events_answer(home, serve):
    running = serve()
    said = "".join(running.introduction)

    assert running.stop() == (0, "")
    assert "ws://127.0.0.1:" in said
    assert str(home / "plugs") in said
    assert "greet, greet.count" in said


def test_the_default_folder_is_made_where_there_is_none(home, serve):
    shutil.rmtree(home / "plugs")

    serve().stop()

    assert (home / "plugs").is_dir()


@pytest.mark.fault("D9")
def test_a_named_folder_has_to_be_there(plugsock):
    status, out, err = plugsock("--plugs", "nowhere")

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "nowhere: this folder of plugs can't be read" in err


@pytest.mark.fault("D9")
def test_a_port_that_is_taken_is_one_line_and_not_0(home, server, plugsock):
    url = json.loads((home / ".plugsock" / "server.json").read_text())["url"]

    status, out, err = plugsock("--port", url.rpartition(":")[2], "--data", "other")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err == f"plugsock: {url.removeprefix('ws://')} is in use; choose another --port\n"


@pytest.mark.fault("D9")
def test_a_second_server_on_the_same_data_is_told_who_has_it(server, plugsock):
    status, out, err = plugsock("--port", "0")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert f"in use by another plugsock (process {server_of(server.process.pid).pid})" in err


@pytest.mark.fault("D10")
def test_it_serves_on_when_nobody_reads_what_it_says(home, plugsock):
    reader, writer = os.pipe()
    os.close(reader)
    command = [*executable.command(), "--port", "0", "--dev"]
    with subprocess.Popen(command, stdout=writer, stderr=writer) as process:
        os.close(writer)
        try:
            while plugsock("swap")[0]:  # until it is there
                assert process.poll() is None
            assert plugsock("call", "greet", '{"name": "Ada"}')[0] == 0
        finally:
            process.send_signal(signal.SIGINT)

    assert process.returncode == 0


def test_what_it_left_is_taken_away_at_the_end(home, serve):
    running = serve()
    assert (home / ".plugsock" / "server.json").exists()

    running.stop()

    assert not (home / ".plugsock" / "server.json").exists()
    assert list(Path(os.environ["XDG_RUNTIME_DIR"], "plugsock").iterdir()) == []


def test_the_names_of_events_are_completed_from_the_server(server, plugsock):
    _, out, err = plugsock(_PLUGSOCK_COMPLETE="bash_complete", COMP_WORDS="plugsock call gr", COMP_CWORD="2")

    assert (out.split(), err) == (["plain,greet", "plain,greet.count"], "")
