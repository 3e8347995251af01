import os
import subprocess
import sys
import tarfile

import pytest

from building import archive, release


@pytest.fixture
def dist(tmp_path):
    folder = tmp_path / "dist"
    folder.mkdir()
    return folder


def test_sums_are_as_sha256sum_reads_them(dist):
    (dist / "plugsock-1-linux-x86_64.tar.gz").write_bytes(b"a")
    (dist / "plugsock_1_amd64.deb").write_bytes(b"b")
    (dist / "plugsock").write_bytes(b"it is in the archive")

    lines = release.checksums(dist).read_text().splitlines()

    assert [line[66:] for line in lines] == ["plugsock-1-linux-x86_64.tar.gz", "plugsock_1_amd64.deb"]
    assert lines[0].startswith("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  ")


@pytest.mark.skipif(sys.platform != "linux", reason="needs sha256sum")
def test_sums_can_be_checked(dist):
    (dist / "plugsock-1.zip").write_bytes(b"a")
    release.checksums(dist)

    subprocess.run(["sha256sum", "--check", "--strict", release.SUMS], cwd=dist, check=True, capture_output=True)


@pytest.mark.parametrize(("suffix", "program"), [(".tar.gz", "plugsock"), (".zip", "plugsock.exe")])
def test_what_was_packed_is_where_it_was_before(dist, tmp_path, suffix, program):
    made, readme = tmp_path / "made", tmp_path / "README.md"
    made.write_bytes(b"program")
    made.chmod(0o755)
    readme.write_text("read")
    archive.pack({program: made, "README.md": readme}, dist / f"plugsock-1-linux-x86_64{suffix}", 1_700_000_000)
    inside = {program: made, "_internal/lib.so": readme, "README.md": readme}
    archive.pack(inside, dist / "plugsock-1-linux-x86_64-onedir.tar.gz", 1_700_000_000)

    release.unpack(dist, "linux-x86_64")

    assert (dist / program).read_bytes() == b"program"
    home = dist / "plugsock-onedir"
    assert sorted(file.name for file in home.rglob("*")) == ["_internal", "lib.so", program]
    if suffix == ".tar.gz":
        assert (dist / program).stat().st_mode & 0o111
        assert tarfile.is_tarfile(dist / "plugsock-1-linux-x86_64.tar.gz")


def test_without_an_archive_it_says_so(dist):
    with pytest.raises(SystemExit, match="has no archive for macos-arm64"):
        release.unpack(dist, "macos-arm64")


def test_the_certificate_goes_into_a_keychain_of_its_own(tmp_path):
    commands = release.keychain_commands(tmp_path / "certificate.p12", "theirs", "ours")

    assert all(command[0] == "security" and release.KEYCHAIN in command for command in commands)
    assert [command[1] for command in commands][:4] == [
        "create-keychain",
        "set-keychain-settings",
        "unlock-keychain",
        "import",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize(("status", "is_refused"), [("Accepted", False), ("Invalid", True)])
def test_apple_sees_both_forms_and_its_no_is_a_failure(tmp_path, monkeypatch, status, is_refused):
    for name, text in {
        "ditto": 'echo "$3" >> "$SEEN"',
        "xcrun": f'echo \'{{"id": "7", "status": "{status}"}}\'',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    secrets = {"APPLE_API_KEY": "key", "APPLE_API_KEY_ID": "id", "APPLE_API_ISSUER": "issuer"}

    if is_refused:
        with pytest.raises(SystemExit, match="Apple says Invalid of one, as submission 7"):
            release.notarize([tmp_path / "one", tmp_path / "two"], secrets)
    else:
        release.notarize([tmp_path / "one", tmp_path / "two"], secrets)
        assert (tmp_path / "seen").read_text().split() == [str(tmp_path / "one"), str(tmp_path / "two")]
