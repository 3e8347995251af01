"""Pages that Vite builds of TypeScript, and a server of files for them."""

import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from support import npm
from support.npm import CLIENT, ROOT, STATIC
from support.tsc import TSC

EXAMPLE = ROOT / "examples/orders"
MODULES = npm.modules("vite")

needs_vite = npm.needs("vite")


def install(folder):
    """Give a folder its `node_modules`: the client as npm would lay it there, and what builds pages."""
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    for found in (*MODULES.iterdir(), *npm.modules("typescript").glob("[a-z@]*")):
        if not (modules / found.name).exists():
            (modules / found.name).symlink_to(found)
    client = modules / "plugsock"
    (client / "dist").mkdir(parents=True)
    shutil.copy(CLIENT / "package.json", client)
    for name in ("plugsock.js", "plugsock-mock.js"):
        shutil.copy(STATIC / name, client / "dist")


def declare(folder):
    """Let the client of this folder have its types, too."""
    _node(TSC, "-p", CLIENT, "--outDir", folder / "node_modules/plugsock/dist", "--emitDeclarationOnly", cwd=folder)


def build(folder, *flags):
    """Build the page of this folder; the folder of its files."""
    _node(MODULES / "vite/bin/vite.js", "build", "--logLevel", "warn", *flags, cwd=folder)
    return folder / "dist"


def _node(*command, cwd):
    run = npm.node(*command, cwd=cwd)
    assert run.returncode == 0, run.stdout + run.stderr


class Files(SimpleHTTPRequestHandler):
    """Files of a folder, and nothing said about it."""

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """Serve the files of a folder on a free port; their origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
