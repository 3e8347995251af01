"""A Debian package of the unpacked form: command, manual page, completions and a service. It needs dpkg-dev.

What is not made here but written by hand lies in the folder `debian` beside this file. Two runs over the same unpacked
form give the same bytes.
"""

import fnmatch
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from string import Template
from typing import Final

from building.executable import environment, epoch

HERE: Final = Path(__file__).with_name("debian")
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
MAINTAINER: Final = "The plugsock authors <plugsock@example.org>"
"""Who is asked about a package; whoever makes another one says so in DEBFULLNAME and DEBEMAIL, as for `dch`."""

TOOLS: Final = ("dpkg-deb", "dpkg-shlibdeps")
HOME: Final = Path("usr/lib/plugsock")
COMPLETIONS: Final = {
    "bash": "usr/share/bash-completion/completions/plugsock",
    "zsh": "usr/share/zsh/vendor-completions/_plugsock",
    "fish": "usr/share/fish/vendor_completions.d/plugsock.fish",
}
SONAME: Final = re.compile(r"(lib.+)\.so\.(.+)")
SCRIPTS: Final = ("postinst", "prerm", "postrm")


def build(root: Path, onedir: Path, dist: Path, work: Path, compression: str = "xz") -> Path:
    """Make `plugsock_<version>_<architecture>.deb` and return its path.

    Args:
        root: The folder of build.py.
        onedir: The unpacked form.
        dist: The folder that the package is put into.
        work: A folder to lay it out in.
        compression: As `dpkg-deb -Z` has it; `none` takes a second where `xz`, which is half as large, takes fifteen.

    Raises:
        SystemExit: A tool of Debian is missing or failed, or there is a file whose licence nobody wrote down.
    """
    if not all(map(shutil.which, TOOLS)):
        sys.exit(f"build.py: deb needs {' and '.join(TOOLS)} (apt-get install dpkg-dev)")
    facts = json.loads((onedir / "_internal/plugsock/bundled/build.json").read_text(encoding="utf-8"))
    architecture, date = ARCHITECTURES[facts["machine"]], epoch(root)
    package = dist / f"plugsock_{facts['version']}_{architecture}.deb"
    tree = work / "tree"
    shutil.rmtree(work, ignore_errors=True)
    _lay_out(root, onedir, tree, facts["version"], date)
    _must_be_licensed(tree)
    _control(tree, version=facts["version"], architecture=architecture, depends=_depends(tree, work / "needs"))
    _settle(tree, date)
    pack = ("dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build")
    _run(*pack, tree, package, env={"SOURCE_DATE_EPOCH": str(date)})
    return package


def _lay_out(root: Path, onedir: Path, tree: Path, version: str, date: int) -> None:
    shutil.copytree(onedir, tree / HOME, symlinks=True)
    _write(tree / HOME / "installed", "")  # its defaults start from the working directory, not from here
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/plugsock").symlink_to("../lib/plugsock/plugsock")
    (tree / "etc/plugsock/plugs").mkdir(parents=True)
    _copy("plugsock.toml", tree / "etc/plugsock")
    _copy("plugsock.service", tree / "usr/lib/systemd/system")
    _copy("copyright", tree / "usr/share/doc/plugsock")
    _copy("lintian-overrides", tree / "usr/share/lintian/overrides", "plugsock")
    _zip(tree / "usr/share/doc/plugsock/changelog.gz", _changelog(version, date))
    _zip(tree / "usr/share/man/man1/plugsock.1.gz", _manual(root, date))
    for shell, place in COMPLETIONS.items():
        _write(tree / place, _run(onedir / "plugsock", "completion", shell))


def _manual(root: Path, date: int) -> str:
    made_in = environment(root)
    made_in.prepare()
    paths = os.pathsep.join((str(root / "src"), str(root)))
    return _run(made_in.python, "-m", "building.manual", date, env={"PYTHONPATH": paths})


def _changelog(version: str, date: int) -> str:
    entry = f"plugsock ({version}) unstable; urgency=medium\n\n  * Version {version}.\n\n"
    return f"{entry} -- {_maintainer()}  {formatdate(date)}\n"


def _maintainer() -> str:
    name, _, address = MAINTAINER.partition(" <")
    return f"{os.environ.get('DEBFULLNAME', name)} <{os.environ.get('DEBEMAIL', address.rstrip('>'))}>"


def _must_be_licensed(tree: Path) -> None:
    """Each library that was taken from the machine which built this has a paragraph in `debian/copyright`."""
    text = (HERE / "copyright").read_text(encoding="utf-8")
    known = [pattern for pattern in licensed_files(text) if pattern != "*"]
    bundled = tree / HOME / "_internal"
    missing = [
        *(name for name in _names(bundled, tree) if not any(fnmatch.fnmatch(name, each) for each in known)),
        *(file.name for file in (bundled / "plugsock/bundled/licences").iterdir() if file.stem not in text),
    ]
    if missing:
        sys.exit(f"build.py: {HERE / 'copyright'} does not say under which licence these are: {', '.join(missing)}")


def licensed_files(text: str) -> list[str]:
    """The patterns after `Files:` of a copyright file."""
    fields = re.findall(r"^Files: *(.+(?:\n .+)*)", text, re.MULTILINE)
    return [pattern for field in fields for pattern in field.split()]


def _names(bundled: Path, tree: Path) -> Iterator[str]:
    """What is bundled beside plugsock's own files, as paths in the package."""
    for path in sorted(bundled.iterdir()):
        if not path.name.startswith("plugsock"):
            yield path.relative_to(tree).as_posix()


def _depends(tree: Path, scratch: Path) -> str:
    """The packages with what its programs need and do not bring along, each in the least version that is enough."""
    bundled = tree / HOME / "_internal"
    own = (SONAME.fullmatch(file.name) for file in sorted(bundled.iterdir()))
    _write(scratch / "debian/control", "Source: plugsock\n\nPackage: plugsock\nArchitecture: any\n")
    _write(scratch / "debian/shlibs.local", "".join(f"{found[1]} {found[2]}\n" for found in own if found))
    programs = [tree / HOME / "plugsock", *sorted(file for file in bundled.rglob("*.so*") if not file.is_symlink())]
    looked_at = [f"-l{bundled}", *(f"-e{file}" for file in programs)]
    said = _run("dpkg-shlibdeps", "-O", "--ignore-missing-info", *looked_at, cwd=scratch)
    return said.strip().partition("shlibs:Depends=")[2]


def _control(tree: Path, *, version: str, architecture: str, depends: str) -> None:
    files = {
        file.relative_to(tree).as_posix(): file
        for file in sorted(tree.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }
    size = sum(-(-file.stat().st_size // 1024) for file in files.values())  # in KiB, as the policy counts it
    values = {"version": version, "architecture": architecture, "maintainer": _maintainer(), "depends": depends}
    control = Template((HERE / "control").read_text(encoding="utf-8")).substitute(values, size=size)
    own = {name: file for name, file in files.items() if not name.startswith("etc/")}
    _write(tree / "DEBIAN/control", control)
    _write(tree / "DEBIAN/conffiles", "".join(f"/{name}\n" for name in sorted(files.keys() - own.keys())))
    _write(tree / "DEBIAN/md5sums", "".join(f"{_md5(file)}  {name}\n" for name, file in own.items()))
    for script in SCRIPTS:
        _copy(script, tree / "DEBIAN")


def _md5(file: Path) -> str:
    """What `dpkg --verify` compares; nothing is kept safe by it."""
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def _settle(tree: Path, date: int) -> None:
    """Give every file the modes and times that do not depend on who built this, and when."""
    programs = {tree / HOME / "plugsock", *(tree / "DEBIAN" / script for script in SCRIPTS)}
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in programs else 0o644)
        os.utime(path, (date, date), follow_symlinks=False)


def _copy(name: str, folder: Path, to: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / name, folder / (to or name))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _zip(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _run(*command: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program that has to succeed, and return what it printed."""
    words = [str(word) for word in command]
    surroundings = {**os.environ, **(env or {})}
    ended = subprocess.run(words, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{ended.stderr}build.py: this failed with status {ended.returncode}: {words[0]}")
    return ended.stdout
