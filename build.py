"""Run plugsock from a clone, or test it, with nothing installed but Python.

    python3 build.py run [ARGS]     make .venv if needed, then run `plugsock ARGS` (no ARGS: serve)
    python3 build.py test [ARGS]    make .venv if needed, then check everything; with ARGS only `pytest ARGS`
    python3 build.py lock           choose the newest versions anew and write the requirements*.lock files (needs uv)

What is needed, and in which versions, stands in pyproject.toml and requirements.lock alone.
"""

import hashlib
import json
import os
import re
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

LOCK = HERE / "requirements.lock"
LOCKS = {"requirements.lock": "dev", "requirements-bench.lock": "bench"}
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "plugsock.stamp"

# Pure code has no excuse: each file is covered, branches too, by the tests that mirror it alone.
PURE = {
    "src/plugsock/wire/*": "tests/wire",
    "src/plugsock/rpc/*": "tests/rpc",
    "src/plugsock/loader/signature.py": "tests/loader/test_signature.py",
    "src/plugsock/loader/depends.py": "tests/loader/test_depends.py",
    **{
        f"src/plugsock/pool/{name}.py": f"tests/pool/test_{name}.py"
        for name in (
            *("backoff", "blame", "committed", "crew", "health", "life", "quarantine", "refusals", "rounds", "sizes"),
            "squad",
        )
    },
    "src/plugsock/settings.py": "tests/test_settings.py",
}
COVERED_PERCENT = 95


def main(arguments: list) -> int:
    """Do what the first argument says."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "run":
        prepare()
        return run(rest)
    if command == "test":
        prepare()
        return pytest(rest) if rest else test()
    if command == "lock" and not rest:
        return lock()
    is_asked = command in {"-h", "--help"}
    print(__doc__.strip(), file=sys.stdout if is_asked else sys.stderr)
    return 0 if is_asked else 2


def prepare() -> None:
    """Make the environment, unless the one that is there was made from the same files by the same Python."""
    wanted = stamp()
    if STAMP.is_file() and PYTHON.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    print("build.py: making .venv from requirements.lock ...", file=sys.stderr, flush=True)
    STAMP.unlink(missing_ok=True)
    if VENV.exists() and not is_of_this_python():
        shutil.rmtree(VENV)
    for step in with_uv(shutil.which("uv")) if shutil.which("uv") else with_pip():
        must(step)
    STAMP.write_text(wanted, encoding="utf-8")


def is_of_this_python() -> bool:
    """Was the environment that is there made by the same minor version, so that packages can be put on top?"""
    config = VENV / "pyvenv.cfg"
    made_by = r"version(_info)? = {}\.{}\b".format(*sys.version_info)
    return config.is_file() and re.search(made_by, config.read_text(encoding="utf-8")) is not None


def stamp() -> str:
    """Name everything that the environment is made from."""
    parts = (PYPROJECT, LOCK.read_text(encoding="utf-8"), sys.version, sys.base_prefix, str(HERE))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def with_uv(uv: str) -> list:
    """The steps that make the environment where uv is installed."""
    install = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    return [
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)],
        [*install, "--require-hashes", "--requirements", str(LOCK)],
        [*install, "--no-deps", "--no-build-isolation", "--editable", str(HERE)],
    ]


def with_pip() -> list:
    """The steps that make the environment where only Python is installed."""
    install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [
        [sys.executable, "-m", "venv", str(VENV)],
        [*install, "--require-hashes", "--requirement", str(LOCK)],
        [*install, "--no-deps", "--no-build-isolation", "--editable", str(HERE)],
    ]


def must(step: list) -> None:
    """Run a program that has to succeed."""
    status = subprocess.call(step)
    if status:
        sys.exit(f"build.py: this failed with status {status}: {subprocess.list2cmdline(step)}")


def run(arguments: list) -> int:
    """Become plugsock; its working directory is the caller's."""
    command = [str(PYTHON), "-m", "plugsock", *arguments]
    if os.name != "nt":  # there, exec would give the terminal back while the server still runs
        os.execv(command[0], command)
    return subprocess.call(command)


def test() -> int:
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
    """Run tests, two at a time; those marked as one `xdist_group` run one after the other."""
    os.chdir(HERE)
    return subprocess.call([str(PYTHON), "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments])


def lock() -> int:
    """Write the lock files: every version with its hashes, for every platform, and no word about where they come from."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("build.py: lock needs uv (pip install uv).")
    options = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--upgrade"]
    for name, group in LOCKS.items():
        source = ["--group", f"{PROJECT}:{group}", str(PROJECT)]
        must([uv, "pip", "compile", "--quiet", *options, "--output-file", str(HERE / name), *source])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
