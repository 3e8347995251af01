"""HTTPS in plugs finds the certificates of those whom the system trusts, brings its own, and heeds the user's."""

import os
import shutil
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from support import executable
from support.once import connect

COUNT = (
    "import os, ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'], os.environ.get('SSL_CERT_FILE'))"
)

GET = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"

HIDDEN = ("/etc/ssl", "/etc/pki", "/usr/lib/ssl", "/usr/local/ssl")
"""Folders in which systems keep certificates, and OpenSSL's own settings."""


def test_without_any_environment_there_are_some(exe, temporary):
    said = executable.run(exe, "-c", COUNT, env={}, temporary=temporary)

    assert said.stderr == ""
    assert int(said.stdout.split()[0]) > 10


async def test_a_plug_has_them(exe, tmp_path, temporary):
    source = """
import ssl
from plugsock import plug

@plug
def authorities() -> int:
    return ssl.create_default_context().cert_store_stats()["x509_ca"]
"""
    (tmp_path / "plugs").mkdir()
    (tmp_path / "plugs" / "authorities.py").write_text(source)
    async with (
        executable.running(exe, tmp_path / "plugs", env={}, temporary=temporary) as server,
        connect(server.url) as client,
    ):
        assert await client.call("authorities") > 10


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="hiding the system's needs root on Linux")
def test_where_the_system_has_none_it_uses_its_own(exe, temporary):
    hide = " && ".join(f"mount -t tmpfs none {folder}" for folder in HIDDEN if Path(folder).is_dir())
    unshare = ["unshare", "--mount", "--propagation", "private"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "sh", "-c", hide], check=False).returncode:
        pytest.skip("this system lets nobody hide its folders")

    said = subprocess.run(
        [*unshare, "sh", "-c", f'{hide} && exec "$0" "$@"', str(exe), "-c", COUNT],
        env={"TMPDIR": str(temporary), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert int(said[0]) > 10
    assert said[1].endswith("plugsock/bundled/cacert.pem")


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"trusted")

    def log_message(self, *_args):
        pass


@pytest.fixture
def private(tmp_path):
    """A server on this machine whom only one authority of our own vouches for: its URL and the authority's file."""
    if shutil.which("openssl") is None:
        pytest.skip("making certificates needs openssl")
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*made, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("localhost", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_port}/", certificate
        server.shutdown()
        thread.join()


def test_the_user_s_own_are_heeded(exe, private, temporary):
    url, certificate = private

    said = executable.run(exe, "-c", GET, url, env={"SSL_CERT_FILE": str(certificate)}, temporary=temporary)

    assert (said.stdout, said.stderr) == ("trusted\n", "")


def test_whom_nobody_vouches_for_is_not_trusted(exe, private, temporary):
    url, _ = private

    said = executable.run(exe, "-c", GET, url, env={}, temporary=temporary)

    assert said.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in said.stderr
