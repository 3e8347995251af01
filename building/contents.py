"""Everything that is put into the executable as a file, laid out in a folder as it will lie in the executable.

This runs in the build environment.
"""

import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any, Final

from building import packages, stdlib, wheels
from building.modules import find, within

LIBRARIES: Final = Path(__file__).with_name("debian") / "copyright"
"""Says under which licences the libraries are that Python was built with: OpenSSL, SQLite and others."""


class Contents:
    """What is put into the executable, for `plugsock.spec`.

    Attributes:
        modules: The names of all modules, sorted.
        tree: The folder in which the files are laid out.
    """

    def __init__(self, root: Path, tree: Path) -> None:
        """Find everything, and lay the files out anew.

        Args:
            root: The folder of pyproject.toml.
            tree: Where to lay them out; what is there is replaced.
        """
        self.tree = tree
        self._root = root
        self._bundled = tree / "plugsock" / "bundled"
        self._project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        self._distributions = packages.needed(self._project["dependencies"])
        own = find("plugsock", [str(root / "src")])
        assert own is not None, root
        found = (stdlib.modules(), packages.modules(self._distributions.values()), within(own))
        self.modules = sorted({name for names in found for name in names})
        self._lay_out()

    @property
    def version(self) -> str:
        """The version of plugsock."""
        return str(self._project["version"])

    def files(self) -> list[tuple[str, str]]:
        """Each file, and the folder in the executable that it is for."""
        found = sorted(file for file in self.tree.rglob("*") if file.is_file())
        return [(str(file), str(file.relative_to(self.tree).parent)) for file in found]

    def record(self, libc: str) -> None:
        """Write down what was built: the version, from which commit, by which Python, for which systems.

        Args:
            libc: The least version of glibc that it runs on; empty where there is none.
        """
        build = {
            "version": self.version,
            "python": platform.python_version(),
            "platform": sys.platform,
            "machine": platform.machine(),
            "libc": libc,
            "commit": commit(self._root),
        }
        self._write("build.json", json.dumps(build, indent=2) + "\n")

    def _lay_out(self) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)
        self._bundled.mkdir(parents=True)
        _copy((self._root / "plugs").glob("*.py"), self.tree / "plugsock" / "embedded")
        _copy((self._root / "src/plugsock/static").glob("*"), self.tree / "plugsock" / "static")
        _copy(wheels.fetch(self._root / "requirements-build.lock", self._root / "build/wheels"), self._bundled)
        shutil.copyfile(authorities(), self._bundled / "cacert.pem")
        for file in packages.listed(self.modules):
            (self.tree / file).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / file).touch()
        self._write("constraints.txt", packages.constraints(self._distributions))
        # Those called `__main__` are programs: who reads this list imports what stands in it.
        self._write("modules.txt", "".join(f"{name}\n" for name in self.modules if not name.endswith(".__main__")))
        self.record("")
        self._describe()
        self._license()

    def _write(self, name: str, text: str) -> None:
        (self._bundled / name).write_text(text, encoding="utf-8", newline="\n")

    def _describe(self) -> None:
        """Lay out what `importlib.metadata` reads: of packages what they came with, of plugsock what pyproject.toml says.

        The file alone: what else pip writes beside it tells where and how it was installed.
        """
        descriptions = {name: found.read_text("METADATA") or "" for name, found in self._distributions.items()}
        project = self._project
        lines = ["Metadata-Version: 2.4", f"Name: {project['name']}", f"Version: {project['version']}"]
        lines += [f"Summary: {project['description']}", f"Requires-Python: {project['requires-python']}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
        descriptions["plugsock"] = "\n".join(lines) + "\n"
        versions = {name: found.version for name, found in self._distributions.items()} | {"plugsock": self.version}
        for name, text in descriptions.items():
            folder = self.tree / f"{name.replace('-', '_')}-{versions[name]}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(text, encoding="utf-8", newline="\n")

    def _license(self) -> None:
        """Lay out one text for each that is bundled: what is unpacked at every start had better be few files."""
        texts = {"plugsock": [self._root / "LICENSE"], "python": [python_licence()], "libraries": [LIBRARIES]}
        for distribution in (*self._distributions.values(), *_others()):
            texts[distribution.name.lower()] = found = packages.licences(distribution)
            if not found:
                sys.exit(f"plugsock.spec: {distribution.name} {distribution.version} comes without a licence.")
        (self._bundled / "licences").mkdir()
        for name, files in texts.items():
            self._write(f"licences/{name}.txt", "\n\n".join(file.read_text(encoding="utf-8") for file in files))


def authorities() -> Path:
    """The file with the certificates of those whom browsers trust."""
    return Path(str(importlib.metadata.distribution("certifi").locate_file("certifi/cacert.pem")))


def _others() -> Iterator[Distribution]:
    """What is in the executable without being a dependency: wheels, a list of certificates, what unpacks it."""
    return map(importlib.metadata.distribution, (*wheels.NAMES, "certifi", "pyinstaller"))


def _copy(files: Iterable[Path], folder: Path) -> None:
    for file in files:
        if file.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / file.name)


def python_licence() -> Path:
    """The file with Python's own licence.

    Raises:
        SystemExit: There is none.
    """
    version = "python{}.{}".format(*sys.version_info)
    debian = Path("/usr/share/doc", version, "copyright")
    places = [Path(sysconfig.get_path("stdlib"), "LICENSE.txt"), Path(sys.base_prefix, "LICENSE.txt"), debian]
    found = next((place for place in places if place.is_file()), None)
    return found or sys.exit(
        f"plugsock.spec: none of {', '.join(map(str, places))} is there: where is Python's licence?"
    )


def commit(root: Path) -> str | None:
    """The commit that is checked out, with `-dirty` if files differ from it; None outside of git."""
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return said.stdout.strip() or None
