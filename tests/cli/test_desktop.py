"""Which port it becomes when nobody has chosen one, and whose page is shown."""

import http.server
import json
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from socket import create_server

import pytest

from plugsock.cli import desktop
from support.browser import Browser

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its browser is a shell script")

SERVE = """
import sys
from msgspec import structs
from plugsock.cli import desktop, main, options
settings = structs.replace(options.read({"open": True, "plugs": "plugs", "data": "data"}), port=int(sys.argv[1]))
try:
    sys.exit(desktop.serve(settings, is_port_chosen=False))
except main.PlugsockError as wrong:
    sys.exit(str(wrong))
"""
"""As `plugsock --open`, if its default port were another one: 8765 may be taken by whoever runs these tests."""


@pytest.fixture
def browser(tmp_path_factory, monkeypatch):
    with closing(Browser(tmp_path_factory.mktemp("browser"))) as made:
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def ports():
    """As many ports in a row as are tried, the first of which is free until somebody takes it."""
    while True:
        with create_server(("127.0.0.1", 0)) as probe:
            first = probe.getsockname()[1]
        with suppress(OSError), ExitStack() as stack:
            for port in range(first, first + desktop.PORTS):
                stack.enter_context(create_server(("127.0.0.1", port)))
            return range(first, first + desktop.PORTS)


@contextmanager
def opened(port):
    command = [sys.executable, "-c", SERVE, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


class Stranger(http.server.BaseHTTPRequestHandler):
    """Some other server for developers."""

    server_version = "Stranger/1.0"

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@contextmanager
def stranger(port):
    server = http.server.HTTPServer(("127.0.0.1", port), Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_of_a_port_that_something_else_has_the_next_one_is_taken(home, browser, ports):
    with stranger(ports[0]), stranger(ports[1]), opened(ports[0]) as process:
        said = [process.stdout.readline().rstrip() for _ in range(3)]

        assert browser.shown() == f"http://127.0.0.1:{ports[2]}/"

    assert said[:2] == [f"port {port} is taken by another program" for port in ports[:2]]
    assert said[2].endswith(f"listens on ws://127.0.0.1:{ports[2]}")


def test_what_never_answers_is_no_plugsock(home, browser, ports):
    with create_server(("127.0.0.1", ports[0])), opened(ports[0]):
        assert browser.shown() == f"http://127.0.0.1:{ports[1]}/"


def test_of_a_port_that_a_plugsock_has_the_page_is_shown(home, browser, server):
    url = json.loads((home / ".plugsock" / "server.json").read_text())["url"]

    with opened(url.rpartition(":")[2]) as process:
        assert browser.shown() == url.replace("ws://", "http://") + "/"
        assert process.wait(20) == 0
        assert "is taken by a plugsock that runs already" in process.stdout.readline()


def test_a_plugsock_without_a_page_is_left_alone(home, browser, ports, serve):
    serve("--host", "0.0.0.0", "--port", str(ports[0]))

    with opened(ports[0]):
        assert browser.shown() == f"http://127.0.0.1:{ports[1]}/"


@pytest.mark.fault("D9")
def test_when_all_are_taken_it_is_one_line(home, browser, ports):
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(stranger(port))
        process = stack.enter_context(opened(ports[0]))
        assert process.wait(20) == 1
        said = process.stderr.read()

    assert said == f"the ports {ports[0]} to {ports[-1]} are all in use; choose another --port\n"
    assert browser.shown(within_s=0) is None


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("ws://127.0.0.1:8765", "http://127.0.0.1:8765/"),
        ("wss://example.org:443", "https://example.org:443/"),
        ("ws://0.0.0.0:9000", "http://127.0.0.1:9000/"),
        ("ws://[::]:9000", "http://[::1]:9000/"),
        ("ws://[::1]:9000", "http://[::1]:9000/"),
    ],
)
def test_the_page_of_an_address(url, page):
    assert desktop.page_of(url) == page


def test_where_nobody_listens_there_is_no_page(ports):
    assert not desktop.has_page(f"http://127.0.0.1:{ports[0]}/")
