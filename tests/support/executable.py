"""The plugsock that is tested: that of this environment, or an executable that was built."""

import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

EXE: Path | None = None
"""The built executable, if one is tested."""

LIMIT_S = 30.0
"""Generous, for a machine that does other things too: it only bounds a test that has failed already."""


def use(exe):
    """Test a built executable from now on; None leaves it as it is."""
    global EXE  # noqa: PLW0603 - pytest's option, once, before there is any test
    if exe is not None:
        EXE = exe.resolve()
        assert EXE.is_file(), f"{exe}: there is no such executable"


def command():
    """What starts plugsock."""
    return [str(EXE)] if EXE is not None else [sys.executable, "-m", "plugsock"]


def put(folder, exe=None):
    """Lay an executable into a folder, beside whose `plugs` it then is; its new path. None is the one that is tested."""
    exe = EXE if exe is None else exe
    inside = exe.parent / "_internal"
    if inside.is_dir():
        shutil.copytree(inside, folder / inside.name, copy_function=_link, symlinks=True)
    return Path(_link(exe, folder / exe.name))


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copy2(source, target)
    return target


def move_to(folder, monkeypatch):
    """For this test, the executable lies in this folder, which is where it starts from; without one, nothing changes."""
    if EXE is not None:
        monkeypatch.setattr(f"{__name__}.EXE", put(folder))


def environment(temporary=None):
    """Our variables, without what would set something about plugsock; with another folder for what is unpacked."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PLUGSOCK_")}
    return ours if temporary is None else ours | unpacking_into(temporary)


def unpacking_into(temporary):
    """The variables that say where a one-file executable unpacks itself."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))


def unpacked(temporary):
    """What one-file executables have unpacked into this folder, and not taken away."""
    return sorted(temporary.glob("_MEI*"))


def processes(pid):
    """The processes below this one, in the order of their start; it is not among them, and may be gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def server_of(pid):
    """The process that serves: of one file that unpacks itself, the child of the one that was started."""
    started = psutil.Process(pid)
    if EXE is None:
        return started
    same = [child for child in started.children() if child.cmdline() == started.cmdline()]
    return same[0] if same else started


def run(exe, *arguments, env=None, cwd=None, temporary=None, **more):
    """Run it to its end: a `subprocess.CompletedProcess` with text; `more` goes to `subprocess.run`."""
    environ = (environment() if env is None else env) | ({} if temporary is None else unpacking_into(temporary))
    more = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True} | more
    command = [str(exe), *map(str, arguments)]
    return subprocess.run(command, env=environ, cwd=cwd, timeout=LIMIT_S, check=False, **more)


@asynccontextmanager
async def running(exe, plugs, *flags, env=None, cwd=None, temporary=None):
    """A server on a free port that answers, as `support.server.Server`; without `plugs` it looks for its own folder."""
    from support import server  # which starts what this module names

    environ = (environment() if env is None else env) | ({} if temporary is None else unpacking_into(temporary))
    folder = [] if plugs is None else ["--plugs", str(plugs)]
    command = [str(exe), *folder, "--port", "0", *map(str, flags)]
    async with server.launched(command, plugs, env=environ, cwd=cwd) as launched:
        await launched.answers()
        yield launched
