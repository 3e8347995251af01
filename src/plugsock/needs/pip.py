"""Where pip comes from, and what it is asked. It always runs in a process of its own: it has no other interface."""

import importlib.util
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from plugsock.errors import PlugsockError

PROGRAM: Final = """
import runpy, sys
sys.path[:0] = {before!r}
sys.path += {after!r}
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Runs pip as its own command would, from wherever it lies: as ensurepip does it."""

WHEELS_ONLY: Final = ("--only-binary", ":all:")
SOURCES_ONLY: Final = ("--no-binary", ":all:")

ALWAYS: Final = ("--no-input", "--disable-pip-version-check", "--no-python-version-warning")

# Where to install is not the user's to say here, whatever a pip.conf says.
OVERRULED: Final = {"PIP_REQUIRE_VIRTUALENV": "0"}
LEFT_OUT: Final = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_DRY_RUN", "PIP_REPORT")

NO_PIP: Final = (
    "there is no pip for this Python ({python}): install it with `{python} -m ensurepip`, or with "
    "`uv pip install pip` where uv has made the environment"
)


class Unavailable(PlugsockError):
    """There is no wheel of a package that could be installed here."""


class Found(Struct, frozen=True):
    """What pip has decided to install."""

    name: str
    version: str
    url: str = ""
    """Where it comes from, if somebody has said so; else it is found by name and version."""

    @property
    def pin(self) -> str:
        """The requirement that means just this."""
        return f"{self.name} @ {self.url}" if self.url else f"{self.name}=={self.version}"


class _Metadata(Struct):
    name: str
    version: str


class _Download(Struct):
    url: str = ""


class _Entry(Struct):
    metadata: _Metadata
    is_direct: bool = False
    download_info: _Download = field(default_factory=_Download)


class _Report(Struct):
    """The part that is read of https://pip.pypa.io/en/stable/reference/installation-report."""

    install: list[_Entry]


def find(bundled: Path) -> list[str]:
    """What has to stand in front of `sys.path` for pip to be importable; nothing if it is.

    Args:
        bundled: Where the executable has its own; there may be no such folder.

    Raises:
        PlugsockError: There is no pip.
    """
    if wheels := sorted(bundled.glob("pip-*.whl")):
        return [str(wheels[-1])]
    if importlib.util.find_spec("pip") is not None:
        return []
    if wheel := _of_ensurepip():
        return [str(wheel)]
    raise PlugsockError(NO_PIP.format(python=sys.executable))


def _of_ensurepip() -> Path | None:
    """The one that Python carries for new environments; some Linux systems keep it elsewhere."""
    spec = importlib.util.find_spec("ensurepip")
    inside = [Path(spec.origin).parent / "_bundled"] if spec is not None and spec.origin else []
    said = sysconfig.get_config_var("WHEEL_PKG_DIR")
    wheels = [wheel for folder in [*([Path(said)] if said else []), *inside] for wheel in folder.glob("pip-*.whl")]
    return wheels[0] if wheels else None


class Pip:
    """pip, as it would install for the plugs of one folder.

    Args:
        python: What runs Python code that follows `-c`.
        environ: The environment for that.
        before: See `find`.
        library: The site-packages of the folder: pip knows what is in there.
        options: Where it finds packages: `--index-url` and the like. Its own variables and files say so, too.
        lock: A file descriptor that is held for as long as it runs.
        is_quiet: Show no progress.
    """

    def __init__(
        self,
        python: Sequence[str],
        environ: Mapping[str, str],
        before: Sequence[str],
        library: Path,
        options: Sequence[str],
        *,
        lock: int,
        is_quiet: bool,
    ) -> None:
        self._start = [*python, "-c", PROGRAM.format(before=list(before), after=[str(library)])]
        self._environ = {name: value for name, value in environ.items() if name not in LEFT_OUT} | OVERRULED
        self._options = tuple(options)
        self._lock = lock
        self._quiet = ("--quiet",) if is_quiet else ()

    def resolve(
        self, requirements: Sequence[str], constraints: Sequence[Path], report: Path, *, upgrade: bool
    ) -> list[Found]:
        """Find out what has to be installed so that requirements are met, beside what there is already.

        Args:
            requirements: As pip takes them.
            constraints: Files that say which versions are the only ones.
            report: Is written.
            upgrade: Prefer the newest versions to those that are there.

        Raises:
            Unavailable: There is no wheel of one of them.
            PlugsockError: They can't be met, or pip has failed otherwise; it has said why.
        """
        chosen = [f"--constraint={each}" for each in constraints] + (["--upgrade"] if upgrade else [])
        arguments = ("--dry-run", "--quiet", f"--report={report}", *WHEELS_ONLY, *self._options, *chosen)
        ended = self._run("install", "--no-user", *arguments, "--", *requirements)
        if ended.returncode:
            self._explain(ended, requirements)
        said = msgspec.json.decode(report.read_bytes(), type=_Report)
        return [
            Found(each.metadata.name, each.metadata.version, each.download_info.url if each.is_direct else "")
            for each in said.install
        ]

    def fetch(self, found: Sequence[Found], target: Path) -> None:
        """Download and unpack packages into a folder that is not there yet.

        Raises:
            PlugsockError: pip has failed; it has said why.
        """
        pins = [each.pin for each in found]
        where = (f"--target={target}", "--no-deps", "--no-user", *self._quiet)
        ended = self._run("install", *where, *WHEELS_ONLY, *self._options, "--", *pins, shows=not self._quiet)
        if ended.returncode:
            self._explain(ended, pins)

    def _run(self, command: str, *arguments: str, shows: bool = False) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own Python, and no shell
            [*self._start, command, *ALWAYS, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=None if shows else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self._environ,
            check=False,
            pass_fds=() if sys.platform == "win32" else (self._lock,),
        )

    def _explain(self, ended: "subprocess.CompletedProcess[str]", requirements: Sequence[str]) -> None:
        """Say in a sentence why it has failed, and before that what pip says unless that is the same."""
        missing = re.search(r"No matching distribution found for (\S.*)", ended.stderr)
        if missing is None:
            sys.stderr.write(ended.stderr)
            raise PlugsockError(f"pip could not install {', '.join(requirements)}; nothing has changed")
        wanted = missing[1].strip()
        here = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sysconfig.get_platform()}"
        if self._has_source(wanted):
            raise Unavailable(
                f"there is no wheel of {wanted} for {here}, only its source, which plugsock does not build; "
                "nothing has changed"
            )
        raise Unavailable(f"pip finds no wheel of {wanted} for {here}; is the name right? Nothing has changed")

    def _has_source(self, wanted: str) -> bool:
        """Would there be a version to build?"""
        try:
            requirement = Requirement(wanted.partition(" (from")[0])
        except ValueError:
            return False
        name = canonicalize_name(requirement.name)
        listed = self._run("index", "versions", name, *SOURCES_ONLY, *self._options)
        said = re.search(r"Available versions: (.+)", listed.stdout or "")
        return said is not None and any(map(requirement.specifier.contains, _versions(said[1])))


def _versions(text: str) -> list[Version]:
    versions = []
    for each in text.split(","):
        try:
            versions.append(Version(each.strip()))
        except InvalidVersion:
            continue
    return versions
