"""Shared libraries, certificates and time zones: ours for us, the system's for what plugs start."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from plugsock.frozen import executable

BUNDLED: Final = Path(__file__).parents[1] / "bundled"
"""What the build has put into the executable beside its modules; there is no such folder elsewhere."""

CERTIFICATES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, the BSDs
)
"""Where systems keep the certificates of those whom they trust; https://go.dev/src/crypto/x509/root_linux.go has more."""

CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")

TIME_ZONES: Final = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
"""Where Python looks for them, https://docs.python.org/3/library/zoneinfo.html#data-sources."""

_A_ZONE: Final = "America/New_York"
"""What every complete database has; minimal systems have the folder, with little in it."""


def are_ours_first() -> bool:
    """Was the system told where our shared libraries are when this process was started?"""
    return os.environ.get(executable.LIBRARY_PATH, "").split(":")[0] == getattr(sys, "_MEIPASS", None)


def settle(*, by_plugsock: bool) -> None:
    """Use our shared libraries in this process, and name them to no program that it starts.

    The system has read where to look when this process was started, so that taking the variable away changes nothing
    for it. A process that was started without it, by a plug that runs `sys.executable` or has a pool of processes, has
    not been told, and would take the system's OpenSSL for ours: it is started anew in its place, once.

    Args:
        by_plugsock: Somebody has taken care of it already.
    """
    if not executable.USES_LIBRARY_PATH:
        return
    if not by_plugsock and not are_ours_first():
        with suppress(OSError):  # the executable has gone
            os.execve(sys.executable, sys.argv, executable.environment())  # noqa: S606 - itself
    original = os.environ.pop(executable.ORIGINAL_LIBRARY_PATH, None)
    if original is not None:
        os.environ[executable.LIBRARY_PATH] = original
    elif are_ours_first():
        del os.environ[executable.LIBRARY_PATH]


def find_certificates(places: Sequence[str] = CERTIFICATES) -> None:
    """Let TLS find the certificates of those whom the system trusts, or ours if it has none.

    OpenSSL looks where the system keeps them on which it was built; nobody else's system need have anything there.
    """
    if sys.platform == "win32" or any(os.environ.get(name) for name in CERTIFICATE_VARIABLES):
        return  # Windows keeps them elsewhere, and Python asks it
    if _openssl_finds_some():
        return
    found = next((place for place in (*places, str(BUNDLED / "cacert.pem")) if Path(place).is_file()), None)
    if found is not None:
        os.environ[CERTIFICATE_VARIABLES[0]] = found


def find_time_zones(places: Sequence[str] = TIME_ZONES) -> None:
    """Let `zoneinfo` find our time zones if the system has none, as on Windows and in small containers."""
    if not any(Path(place, _A_ZONE).is_file() for place in places):
        sys.path.extend(str(wheel) for wheel in BUNDLED.glob("tzdata-*.whl"))


def _openssl_finds_some() -> bool:
    import _ssl  # noqa: PLC0415 - `ssl` itself takes five times as long

    _, file, _, folder = _ssl.get_default_verify_paths()
    with suppress(OSError):
        return Path(file).is_file() or any(Path(folder).iterdir())
    return False
