"""What the release workflow does beside building and testing, so that it can be tried without it."""

import base64
import hashlib
import json
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

ARCHIVES: Final = (".tar.gz", ".zip", ".whl", ".deb")
SUMS: Final = "SHA256SUMS"
KEYCHAIN: Final = "plugsock.keychain-db"


def checksums(dist: Path) -> Path:
    """Write `SHA256SUMS` for all files to be downloaded that are in a folder, as `sha256sum --check` reads it."""
    files = sorted(file for file in dist.iterdir() if file.name.endswith(ARCHIVES))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (dist / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    return dist / SUMS


def unpack(dist: Path, target: str) -> list[Path]:
    """Take the executables out of the archives of one system, to where they lay when they were packed.

    Args:
        dist: The folder of the archives.
        target: The system, as `archive.target` names it.

    Raises:
        SystemExit: There is no archive for this system.
    """
    found = [file for file in sorted(dist.iterdir()) if target in file.name and file.name.endswith(ARCHIVES)]
    if not found:
        sys.exit(f"build.py: {dist} has no archive for {target}")
    return [_take_out(file, dist) for file in found]


def _take_out(archive: Path, dist: Path) -> Path:
    with tempfile.TemporaryDirectory(dir=dist) as scratch:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(scratch)
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(scratch, filter="tar")
        (folder,) = Path(scratch).iterdir()
        program = next(file for name in ("plugsock", "plugsock.exe") if (file := folder / name).exists())
        if not (folder / "_internal").is_dir():
            return Path(shutil.move(program, dist / program.name))
        home = dist / "plugsock-onedir"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        for each in (program, folder / "_internal"):
            shutil.move(each, home / each.name)
        return home / program.name


def keychain(environ: Mapping[str, str]) -> None:
    """Put Apple's certificate into a keychain of its own, from which `codesign` may take it without asking.

    Args:
        environ: Has APPLE_CERTIFICATE, a .p12 in base64, and APPLE_CERTIFICATE_PASSWORD.
    """
    password = secrets.token_hex()
    with tempfile.TemporaryDirectory() as scratch:
        certificate = Path(scratch, "certificate.p12")
        certificate.write_bytes(base64.b64decode(environ["APPLE_CERTIFICATE"]))
        for command in keychain_commands(certificate, environ["APPLE_CERTIFICATE_PASSWORD"], password):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def keychain_commands(certificate: Path, certificate_password: str, password: str) -> list[list[str]]:
    """The steps of `keychain`, see security(1)."""
    return [
        ["security", "create-keychain", "-p", password, KEYCHAIN],
        ["security", "set-keychain-settings", "-lut", "21600", KEYCHAIN],
        ["security", "unlock-keychain", "-p", password, KEYCHAIN],
        ["security", "import", str(certificate), "-P", certificate_password, "-k", KEYCHAIN, "-T", "/usr/bin/codesign"],
        ["security", "set-key-partition-list", "-S", "apple-tool:,apple:", "-s", "-k", password, KEYCHAIN],
        ["security", "list-keychains", "-d", "user", "-s", KEYCHAIN, "login.keychain-db"],
    ]


def notarize(forms: Iterable[Path], environ: Mapping[str, str]) -> None:
    """Let Apple look at what was signed, and wait for its word.

    The tickets stay with Apple: to a plain executable none can be stapled.

    Args:
        forms: The executable, and the folder.
        environ: Has APPLE_API_KEY, a .p8 as text, APPLE_API_KEY_ID and APPLE_API_ISSUER.

    Raises:
        SystemExit: Apple has refused one; `xcrun notarytool log` says why.
    """
    with tempfile.TemporaryDirectory() as scratch:
        key, archive = Path(scratch, "key.p8"), Path(scratch, "plugsock.zip")
        key.write_text(environ["APPLE_API_KEY"], encoding="utf-8")
        who = ["--key", str(key), "--key-id", environ["APPLE_API_KEY_ID"], "--issuer", environ["APPLE_API_ISSUER"]]
        submit = ["xcrun", "notarytool", "submit", str(archive), "--wait", "--output-format", "json", *who]
        for form in forms:
            subprocess.run(["ditto", "-c", "-k", str(form), str(archive)], check=True)
            said = json.loads(subprocess.check_output(submit))
            if said["status"] != "Accepted":  # not all versions of it say so by their exit status
                sys.exit(f"build.py: Apple says {said['status']} of {form.name}, as submission {said['id']}.")


def wheel(root: Path, python: Path, dist: Path) -> None:
    """Build the wheel and the sdist into a folder.

    Args:
        root: The folder of pyproject.toml.
        python: One that has hatchling.
        dist: Where they go.
    """
    subprocess.run([python, "-m", "hatchling", "build", "-d", dist], cwd=root, check=True)
