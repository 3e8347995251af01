"""Build plugsock, run it from a clone, or test it, with nothing installed but Python.

    python3 build.py [--onedir]     build dist/plugsock and the archive for download, and check both;
                                    with --onedir also dist/plugsock-onedir/, which unpacks nothing, and its archive;
                                    with --glibc 2.28 it is an error if they need a newer C library than that;
                                    with --public, if they hold what only this machine should have
    python3 build.py deb            make a Debian package of dist/plugsock-onedir, which is built if it is not there
    python3 build.py release STEP   pack, unpack, wheel, checksums, keychain or notarize, for .github/workflows/release.yml
    python3 build.py run [ARGS]     make .venv if needed, then run `plugsock ARGS` (no ARGS: serve)
    python3 build.py test [ARGS]    make .venv if needed, then check everything; with ARGS only `pytest ARGS`;
                                    with --exe dist/plugsock among them, the end-to-end tests against that executable
    python3 build.py lock           choose the newest versions anew and write the requirements*.lock files (needs uv)

What is needed, and in which versions, stands in pyproject.toml and the requirements*.lock files alone.
"""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "pyproject.toml"
PYPROJECT = PROJECT.read_text(encoding="utf-8")

# Nothing above this line, and no syntax below it, may need a newer Python than the one it turns away.
NEEDED = tuple(int(part) for part in re.findall(r'requires-python = ">=(\d+)\.(\d+)"', PYPROJECT)[0])
if sys.version_info < NEEDED:
    needed, this = (".".join(map(str, version)) for version in (NEEDED, sys.version_info[:2]))
    sys.exit(f"plugsock needs Python {needed} or newer, and this is {this}.")

from building import archive, audit, deb, elf, executable, release, trial
from building.environment import Environment, must

VERSION = re.findall(r'^version = "(.+)"', PYPROJECT, re.MULTILINE)[0]
LOCKS = {"requirements.lock": "dev", "requirements-build.lock": "build", "requirements-bench.lock": "bench"}
WORKING = Environment(folder=HERE / ".venv", lock=HERE / "requirements.lock", project=HERE, editable=True)
PYTHON = WORKING.python
DIST = HERE / "dist"

# Pure code has no excuse: each file is covered, branches too, by the tests that mirror it alone.
PURE = {
    "src/plugsock/wire/*": "tests/wire",
    "src/plugsock/rpc/*": "tests/rpc",
    "src/plugsock/loader/signature.py": "tests/loader/test_signature.py",
    "src/plugsock/loader/depends.py": "tests/loader/test_depends.py",
    **{
        f"src/plugsock/hub/{name}.py": f"tests/hub/test_{name}.py"
        for name in ("changes", "history", "membership", "presence", "rights", "rules")
    },
    "src/plugsock/worker/patch.py": "tests/worker/test_patch.py",
    **{
        f"src/plugsock/pool/{name}.py": f"tests/pool/test_{name}.py"
        for name in (
            *("backoff", "blame", "committed", "crew", "health", "life", "quarantine", "refusals", "rounds", "sizes"),
            "squad",
        )
    },
    "src/plugsock/mock/*": "tests/mock",
    **{
        f"src/plugsock/checks/{name}.py": f"tests/checks/test_{name}.py"
        for name in ("bounds", "comments", "compatible", "integers", "rules", "wording")
    },
    "src/plugsock/settings.py": "tests/test_settings.py",
}
COVERED_PERCENT = 95


class UsageError(Exception):
    """What was asked for does not exist."""


def main(arguments: list) -> int:
    """Do what the first argument says."""
    if arguments and arguments[0] in {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    is_command = bool(arguments) and not arguments[0].startswith("-")
    name, rest = (arguments[0], arguments[1:]) if is_command else ("", arguments)
    try:
        if name not in COMMANDS:
            raise UsageError
        return COMMANDS[name](rest)
    except UsageError:
        print(__doc__.strip(), file=sys.stderr)
        return 2


def build(arguments: list) -> int:
    """Build the executable in the forms that were asked for, and say so once they have shown that they are good."""
    onedir, public, glibc = what_to_build(arguments)
    environment = executable.environment(HERE)
    environment.prepare()
    print("build.py: building dist/plugsock, which takes about a minute ...", flush=True)
    built = executable.build(HERE, environment.python, onedir=onedir)
    found = audit.audit(HERE, built, environment.python, glibc)
    faults = [*found.faults, *(found.private if public else [])]
    for fault in faults:
        print(f"build.py: {built.name}: {fault}", file=sys.stderr)
    if faults:
        return 1
    trial.try_executable(built, VERSION)
    print(f"{built.relative_to(HERE)}: {found}")
    for reason in [] if public else found.private:
        print(f"{built.relative_to(HERE)}: not for others: {reason}")
    return pack_all(built, onedir=onedir)


def pack_all(built: Path, *, onedir: bool) -> int:
    """Make the archives of what was built, and try each."""
    for name, members, start in archives(built, onedir=onedir):
        packed = archive.pack(members, DIST / name, executable.epoch(HERE))
        trial.try_archive(packed, start, VERSION)
        print(f"{packed.relative_to(HERE)}: {packed.stat().st_size / audit.MIB:.1f} MiB, {len(members)} files")
    return 0


def what_to_build(arguments: list) -> tuple:
    """Is the folder to be built, too, will others get them, and on which C library must they run, if that matters?"""
    waiting, onedir, public, glibc = list(arguments), False, False, None
    while waiting:
        option = waiting.pop(0)
        if option == "--onedir":
            onedir = True
        elif option == "--public":
            public = True
        elif option == "--glibc" and waiting and re.fullmatch(r"\d+(\.\d+)+", waiting[0]):
            glibc = elf.as_version(waiting.pop(0))
        else:
            raise UsageError
    return onedir, public, glibc


def archives(built: Path, *, onedir: bool) -> list:
    """The archives for download: the name of each, what is in it, and which of that is to be started."""
    name = f"plugsock-{VERSION}-{archive.target()}"
    pages = {f"docs/{page.name}": page for page in (HERE / "docs").glob("*.md")}
    beside = {"README.md": HERE / "README.md", "LICENSE": HERE / "LICENSE", **pages, **first_plug()}
    suffix = ".zip" if sys.platform == "win32" else ".tar.gz"
    made = [(name + suffix, {built.name: built, **beside}, built.name)]
    if onedir:
        # A .zip has no symbolic links, and would hold some libraries twice.
        made.append((f"{name}-onedir.tar.gz", {**archive.tree(DIST / "plugsock-onedir"), **beside}, built.name))
    return made


def first_plug() -> dict:
    """The folder of plugs for an archive: with the plug that a server writes into a folder which it makes itself."""
    sample = runpy.run_path(str(HERE / "src/plugsock/cli/sample.py"))
    file = HERE / "build" / sample["NAME"]
    file.parent.mkdir(exist_ok=True)
    file.write_text(sample["SAMPLE"], encoding="utf-8", newline="\n")
    return {f"plugs/{file.name}": file}


def debian(arguments: list) -> int:
    """Make a package for Debian and what is made from it."""
    if arguments:
        raise UsageError
    onedir = DIST / "plugsock-onedir"
    status = 0 if onedir.is_dir() else build(["--onedir"])
    if status:
        return status
    package = deb.build(HERE, onedir, DIST, HERE / "build/deb")
    print(f"{package.relative_to(HERE)}: {package.stat().st_size / audit.MIB:.1f} MiB")
    return 0


def publish(arguments: list) -> int:
    """Do one of the steps between building and publishing."""
    steps = {
        "pack": lambda: pack_all(DIST / executable.NAME, onedir=(DIST / "plugsock-onedir").is_dir()),
        "unpack": lambda: release.unpack(DIST, archive.target()),
        "wheel": lambda: release.wheel(HERE, PYTHON, DIST),
        "checksums": lambda: release.checksums(DIST),
        "keychain": lambda: release.keychain(os.environ),
        "notarize": lambda: release.notarize([DIST / executable.NAME, DIST / "plugsock-onedir"], os.environ),
    }
    if len(arguments) != 1 or arguments[0] not in steps:
        raise UsageError
    if arguments == ["wheel"]:
        WORKING.prepare()
    steps[arguments[0]]()
    return 0


def run(arguments: list) -> int:
    """Become plugsock; its working directory is the caller's."""
    WORKING.prepare()
    command = [str(PYTHON), "-m", "plugsock", *arguments]
    if os.name != "nt":  # there, exec would give the terminal back while the server still runs
        os.execv(command[0], command)
    return subprocess.call(command)


def test(arguments: list) -> int:
    """Check everything, or run the tests that were asked for."""
    WORKING.prepare()
    if "--exe" in arguments[:-1]:
        # In one word: pytest would take the path for that of a test, before it has read which options there are.
        at = arguments.index("--exe")
        arguments = [*arguments[:at], f"--exe={arguments[at + 1]}", *arguments[at + 2 :]]
    if any(argument.startswith("--exe=") for argument in arguments):
        return pytest(["-m", "end_to_end", *arguments])
    return pytest(arguments) if arguments else check()


def check() -> int:
    """Check the format, the lint, the types, how far the pure code is covered, and everything else."""
    python = [str(PYTHON), "-m"]
    os.chdir(HERE)
    for step in ("ruff format --check --quiet", "ruff check --quiet", "mypy"):
        print("build.py: " + step, flush=True)
        must(python + step.split())
    mirrors = [tests for tests in PURE.values() if (HERE / tests).exists()]
    cover(python, mirrors)
    print("build.py: those that need the whole machine", flush=True)
    must([*python, "pytest", "--quiet", "-m", "alone", "tests"])
    return pytest(["-m", "not alone", *(word for tests in mirrors for word in ("--ignore", tests))])


def cover(python: list, mirrors: list) -> None:
    """Run the tests of the pure code while watching which of its branches they take."""
    print("build.py: the pure code, covered by " + " ".join(mirrors), flush=True)
    data = ["--data-file", ".coverage"]
    must([*python, "coverage", "run", *data, "-m", "pytest", "--quiet", *mirrors])
    report = subprocess.check_output([*python, "coverage", "json", *data, "--include", ",".join(PURE), "-o", "-"])
    for name, file in sorted(json.loads(report)["files"].items()):
        percent = file["summary"]["percent_covered"]
        if percent < COVERED_PERCENT:
            sys.exit(f"build.py: {name} is covered to {percent:.1f} %, which is less than {COVERED_PERCENT}")


def pytest(arguments: list) -> int:
    """Run tests, two at a time."""
    os.chdir(HERE)
    return subprocess.call([str(PYTHON), "-m", "pytest", "-n", "2", *arguments])


def lock(arguments: list) -> int:
    """Write the lock files: every version with its hashes, for every platform, and no word about where they come from."""
    if arguments:
        raise UsageError
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("build.py: lock needs uv (pip install uv).")
    options = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--upgrade"]
    for name, group in LOCKS.items():
        source = ["--group", f"{PROJECT}:{group}", str(PROJECT)]
        must([uv, "pip", "compile", "--quiet", *options, "--output-file", str(HERE / name), *source])
    return 0


COMMANDS = {"": build, "deb": debian, "release": publish, "run": run, "test": test, "lock": lock}
"""What can stand first on the command line, and who takes the rest of it."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
