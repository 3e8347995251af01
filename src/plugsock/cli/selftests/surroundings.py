"""What plugs look for when they run: versions of packages, certificates, time zones."""

import importlib.metadata
import re
import ssl
import sys
import zoneinfo
from pathlib import Path
from typing import Final

from plugsock.cli.selftests.findings import Finding
from plugsock.frozen import IS_FROZEN
from plugsock.frozen.libraries import BUNDLED

A_ZONE: Final = "America/New_York"

BUNDLED_VERSIONS: Final = BUNDLED / "constraints.txt"
"""What was put into the executable: `name==version`, one on each line."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def dependencies() -> list[str]:
    """The packages that plugsock needs here, by name."""
    if IS_FROZEN:
        return [line.partition("==")[0] for line in _bundled()]
    required = importlib.metadata.requires("plugsock") or []
    return [name[0] for text in required if not _is_elsewhere(text) and (name := _NAME.match(text))]


def versions() -> Finding:
    """Can the version of each package be read, and is it the one that was put in?"""
    wanted = dict(line.partition("==")[::2] for line in _bundled()) if IS_FROZEN else dict.fromkeys(dependencies(), "")
    problems = [problem for name, version in wanted.items() if (problem := _wrong(name, version))]
    if not wanted:
        problems.append(f"{BUNDLED_VERSIONS} is missing or empty: the build has not written down what is inside")
    return Finding("versions", f"{len(wanted)} packages", problems)


def certificates() -> Finding:
    """Is there anybody whom TLS trusts?"""
    count = ssl.create_default_context().cert_store_stats()["x509_ca"] or _in_folder()
    problems = [] if count else ["there are none: name a file of them with SSL_CERT_FILE, or install ca-certificates"]
    return Finding("certificates", f"{count} authorities", problems)


def time_zones() -> Finding:
    """Are there any? Windows has none, and small containers neither."""
    count = len(zoneinfo.available_timezones())
    try:
        zoneinfo.ZoneInfo(A_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as wrong:
        return Finding("time zones", f"{count} zones", [f"{A_ZONE} is not there ({wrong}): install tzdata"])
    return Finding("time zones", f"{count} zones")


def _wrong(name: str, wanted: str) -> str:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} does not say its version"
    return f"{name} says that it is {version}, and {wanted} was put in" if wanted not in ("", version) else ""


def _is_elsewhere(requirement: str) -> bool:
    """Is it for another system? All our markers are about Windows alone."""
    return sys.platform == "win32" and ";" in requirement


def _bundled() -> list[str]:
    return BUNDLED_VERSIONS.read_text(encoding="utf-8").split() if BUNDLED_VERSIONS.is_file() else []


def _in_folder() -> int:
    """How many there are in a folder from which OpenSSL takes what it needs when it needs it."""
    folder = ssl.get_default_verify_paths().capath
    return sum(1 for _ in Path(folder).glob("*.[0-9]")) if folder else 0
