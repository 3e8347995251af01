"""What builds the JavaScript client."""

from functools import partial

from support import npm

MODULES = npm.modules("client")

needs_build = npm.needs("client")

node = partial(npm.node, path=MODULES)


def build(folder):
    """Bundle and minify the sources into a folder; the folder."""
    run = node("build.mjs", folder)
    assert run.returncode == 0, run.stderr
    return folder
