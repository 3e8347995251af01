"""What a worker's process is given before plugs are loaded into it: variables, libraries, limits, and a way to look in.

All of it happens once a process, so what changes later takes a new one; see `outdated`.
"""

import contextlib
import faulthandler
import gc
import io
import os
import signal
import site
import sys
from pathlib import Path
from typing import Final

import dotenv

from plugsock.frozen import IS_FROZEN
from plugsock.frozen.python import LIBRARIES as LIBRARIES_FOR_PYTHON
from plugsock.loader.trust import Guard, Untrusted
from plugsock.loader.watch import ENVIRONMENT
from plugsock.needs.places import LIBRARIES
from plugsock.ops.log import get_logger
from plugsock.rpc.join import DUMP_SIGNAL

OUT_OF_MEMORY: Final = 300
"""How much sooner than others the kernel ends this process when the machine has no memory left, of 1000."""

log = get_logger()


def take_what_the_folder_has(plugs: Path, *, trust: bool) -> list[str]:
    """Take its variables and its libraries; the names of the variables that were not there before.

    Args:
        plugs: The folder.
        trust: Take them even if others can write to them.
    """
    names = take_variables(plugs, trust=trust)
    take_libraries(plugs, trust=trust)
    return names


def take_variables(plugs: Path, *, trust: bool) -> list[str]:
    """Put what the folder's `.env` says into the environment, where it does not say otherwise already.

    Args:
        plugs: The folder.
        trust: Read it even if others can write to it.

    Returns:
        The names of those that were not there before.
    """
    path = plugs / ENVIRONMENT
    try:
        with Guard(is_off=trust).opened(str(path), os.O_RDONLY) as file, open(file, "rb", closefd=False) as opened:
            said = dotenv.dotenv_values(stream=io.StringIO(opened.read().decode("utf-8-sig")))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (Untrusted, OSError, UnicodeDecodeError) as wrong:
        log.error("the environment file is not read", place=str(path), reason=str(wrong))  # noqa: TRY400 - it says it all
        return []
    new = {name: value for name, value in said.items() if value is not None and name not in os.environ}
    new = {name: value for name, value in new.items() if "\0" not in name + value}
    os.environ.update(new)
    return list(new)


def take_libraries(plugs: Path, *, trust: bool) -> None:
    """Let plugs import what is installed in the folder's `site-packages`, after everything that they find elsewhere."""
    path = plugs / LIBRARIES
    if not path.is_dir() or str(path) in sys.path:
        return
    try:
        Guard(is_off=trust).check(str(path))
    except Untrusted as wrong:
        log.error("libraries are not used", place=str(path), reason=str(wrong))  # noqa: TRY400 - it says it all
    else:
        site.addsitedir(str(path))  # and not only onto the path: some libraries need what their .pth files say
        if IS_FROZEN:
            os.environ[LIBRARIES_FOR_PYTHON] = str(path)


def limit_memory(size: int) -> None:
    """Let plugs get MemoryErrors when the process holds so many bytes of its own, where the system can; 0 is no limit."""
    if size and sys.platform != "win32":
        import resource  # noqa: PLC0415 - does not exist on Windows

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = size if most == resource.RLIM_INFINITY else min(size, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def be_first_to_go() -> None:
    """When memory runs out, the kernel should rather end a worker than the gateway."""
    with contextlib.suppress(OSError, ValueError):  # only Linux has this
        path = Path("/proc/self/oom_score_adj")
        path.write_text(str(min(1000, int(path.read_text()) + OUT_OF_MEMORY)))


def be_observable() -> None:
    """Write the stacks of all threads to stderr on `DUMP_SIGNAL`, and before the process dies of a fault."""
    try:
        stderr = os.dup(2)  # whatever a plug does with sys.stderr
    except OSError:  # there is none
        return
    faulthandler.enable(stderr)
    number = getattr(signal, DUMP_SIGNAL, None)
    if number is not None:
        faulthandler.register(number, stderr)


def keep_what_is_loaded() -> None:
    """Spare the garbage collector what is there by now: it stays, and a full collection takes a fifth of the time."""
    gc.collect()
    gc.freeze()
