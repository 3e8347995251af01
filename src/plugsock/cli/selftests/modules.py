"""Can everything be imported that plugs may import?

In the executable that is what the build has written down; elsewhere the standard library's top level, plugsock itself
and what it needs.
"""

import importlib.metadata
import importlib.util
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from plugsock.cli.selftests.findings import Finding
from plugsock.cli.selftests.surroundings import dependencies
from plugsock.frozen import IS_FROZEN, executable
from plugsock.frozen.libraries import BUNDLED

LIST: Final = BUNDLED / "modules.txt"
"""The names of all modules in the executable, one on each line."""

LIMIT_S: Final = 60.0
"""It takes two seconds; so much is for slow machines that do other things too."""

NOT_TRIED: Final = frozenset({"antigravity", "idlelib", "test", "this", "tkinter", "turtle", "turtledemo"})
"""They open windows, or print, or are tests."""

ELSEWHERE: Final = frozenset(
    {
        *("asyncio.windows_events", "asyncio.windows_utils", "encodings.mbcs", "encodings.oem"),
        *("click._winconsole", "rich._win32_console", "rich._windows_renderer"),
        *("psutil._psaix", "psutil._psbsd", "psutil._pslinux", "psutil._psosx", "psutil._pssunos", "psutil._pswindows"),
        # need libraries of the system that not everybody has
        *("_crypt", "_dbm", "_gdbm", "crypt", "dbm.gnu", "dbm.ndbm"),
    }
)
"""Modules that are there and can be imported on some systems only."""


def check() -> Finding:
    """Import them all, in other processes: one that an import ends is a problem found, and no more."""
    if IS_FROZEN and not LIST.is_file():
        return Finding("modules", "0 modules", [f"{LIST} is missing: the build has not written down what is inside"])
    names = LIST.read_text(encoding="utf-8").split() if IS_FROZEN else sorted(set(_installed()))
    failed = attempt(names)
    problems = [f"{name} can't be imported: {reason}" for name, reason in failed.items()]
    return Finding("modules", f"{len(names)} modules", problems)


def attempt(names: Sequence[str]) -> dict[str, str]:
    """Import modules; what has failed that should not have, and why."""
    known, left = set(names), list(names)
    failed: dict[str, str] = {}
    while left:
        begun, end = _import(left)
        # Most packages have a part for those who have some other one: that lacks what was never there.
        lost = ((name, reason) for name, reason, lacking in begun if reason and (not lacking or lacking in known))
        failed |= {name: reason for name, reason in lost if name not in ELSEWHERE}
        left = left[len(begun) :]
        if end or not begun:
            name = begun[-1][0] if begun else left.pop(0)
            failed[name] = end or "nothing was said about it"
    return failed


def _import(names: Sequence[str]) -> tuple[list[tuple[str, str, str]], str]:
    """Import modules in one process, as far as it gets.

    Returns:
        Of each that was begun, its name, why it failed, and which module was not found; and how the process has ended,
        if not well.
    """
    options = [] if IS_FROZEN else ["-P"]
    try:
        ended = subprocess.run(  # noqa: S603 - itself
            [sys.executable, *options, "-m", "plugsock.cli.selftests.importing"],
            input="\n".join(names),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=LIMIT_S,
            env=executable.environment(),
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        said = output.decode(errors="replace") if isinstance(output, bytes) else output
        return list(_told(said)), f"the import does not end within {LIMIT_S:g} s"
    last = ended.stderr.strip().rpartition("\n")[2]
    return list(_told(ended.stdout)), f"the process ended with {ended.returncode}: {last}" if ended.returncode else ""


def _told(said: str) -> Iterator[tuple[str, str, str]]:
    for line in filter(None, said.split("\n")):
        name, _, rest = line.partition("\t")
        reason, _, lacking = rest.partition("\t")
        yield name, reason, lacking


def _installed() -> Iterator[str]:
    yield from _within("plugsock")
    needed = set(dependencies())
    packages = importlib.metadata.packages_distributions().items()
    theirs = {module for module, owners in packages if needed.intersection(owners) and module.isidentifier()}
    yield from (name for name in (sys.stdlib_module_names | theirs) - NOT_TRIED if _is_there(name))


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # of `__main__`, which was not imported
        return False


def _within(package: str) -> Iterator[str]:
    found = importlib.util.find_spec(package)
    assert found is not None
    yield package
    for module in pkgutil.walk_packages(found.submodule_search_locations, f"{package}."):
        yield module.name
