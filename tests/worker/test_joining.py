import os
import socket
import sys
import tempfile
import threading

import pytest

from plugsock.errors import PlugsockError
from plugsock.rpc import join
from plugsock.rpc.batches import HEAD, head
from plugsock.rpc.join import Register, Turned, Welcome
from plugsock.worker.joining import join_gateway

posix = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets are not there")

WELCOME = Welcome(
    1, "/run/1.page", "/srv/plugs", trust=False, dev=False, poll=False, max_answer=1 << 24, threads=4, log_format="text"
)


class Gateway:
    """Takes one registration, and answers with whatever a test wants."""

    def __init__(self, listening):
        self.listening = listening
        self.registered = None

    def answer_with(self, *pieces):
        self.thread = threading.Thread(target=self._serve, args=pieces)
        self.thread.start()

    def _serve(self, *pieces):
        connection, _ = self.listening.accept()
        with connection:
            data = connection.recv(65_536)
            self.registered = join.decode_register(data[HEAD:])
            for piece in pieces:
                connection.sendall(piece)


@pytest.fixture(params=[pytest.param("unix", marks=posix), "loopback"])
def gateway(request):
    with tempfile.TemporaryDirectory() as directory:
        if request.param == "unix":
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(f"{directory}/workers")
            listening.listen()
            address = f"{directory}/workers"
        else:
            listening = socket.create_server(("127.0.0.1", 0))
            address = f"127.0.0.1:{listening.getsockname()[1]}"
        made = Gateway(listening)
        made.address = address
        with listening:
            yield made
            made.thread.join()


def test_a_worker_says_who_it_is_and_hears_what_to_do(gateway):
    gateway.answer_with(join.encode(WELCOME))

    connection, welcome = join_gateway(gateway.address, "the key", version="1.0")

    connection.close()
    gateway.thread.join()
    assert welcome == WELCOME
    assert gateway.registered == Register("1.0", join.VERSION, os.getpid(), "the key")


def test_an_answer_may_come_in_pieces(gateway):
    data = join.encode(WELCOME)
    gateway.answer_with(data[:2], data[2:9], data[9:])

    connection, welcome = join_gateway(gateway.address, "", version="1.0")

    connection.close()
    assert welcome == WELCOME


def test_what_follows_the_answer_is_left_for_whoever_reads_on(gateway):
    gateway.answer_with(join.encode(WELCOME) + b"rest")

    connection, _ = join_gateway(gateway.address, "", version="1.0")

    with connection:
        assert connection.recv(100) == b"rest"


def test_a_worker_that_is_turned_away_is_told_why(gateway):
    gateway.answer_with(join.encode(Turned("Another version.")))

    with pytest.raises(PlugsockError, match=r"^Another version\.$"):
        join_gateway(gateway.address, "", version="1.0")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "it has hung up; its log says why"),
        (join.encode(WELCOME)[:20], "it has hung up"),
        (head(join.LONGEST + 1), "is no registration"),
        (b"\0\0\0\x04evil", "Expected"),
    ],
)
def test_any_other_answer_is_one_line(gateway, answer, reason):
    gateway.answer_with(answer)

    with pytest.raises(PlugsockError, match=f"the server at {gateway.address} has not let this worker in: .*{reason}"):
        join_gateway(gateway.address, "", version="1.0")


@pytest.mark.parametrize("address", ["/nowhere/workers", "127.0.0.1:1", "127.0.0.1:99999", "10.0.0.1:80", "x" * 200])
def test_where_no_server_is_it_says_so(address):
    with pytest.raises(PlugsockError, match=f"no server lets workers in at {address}: "):
        join_gateway(address, "", version="1.0")
