"""The arrows of docs/architecture.md, read from the imports themselves: those in functions and for type checkers too."""

import ast
import sys
from collections import defaultdict
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

EVERYTHING = {
    "wire",
    "rpc",
    "loader",
    "ops",
    "hub",
    "worker",
    "pool",
    "gateway",
    "client",
    "cli",
    "app",
    "inline",
    "testing",
    "frozen",
    "needs",
    "shapes",
    "mock",
    "checks",
    "hot",
}

ARROWS = {
    "wire": set(),
    "rpc": set(),
    "frozen": set(),
    "needs": {"frozen"},
    "loader": {"needs"},
    "ops": set(),
    "hub": {"wire", "ops"},
    "worker": {"loader", "rpc", "ops", "frozen", "needs", "mock", "shapes"},
    "pool": {"rpc", "ops", "frozen"},
    "gateway": {"wire", "hub", "rpc", "ops"},
    "client": {"wire"},
    "shapes": {"loader"},
    "mock": {"loader"},
    "checks": {"loader", "shapes", "testing", "worker"},
    "hot": {"loader", "testing", "worker"},
    "cli": EVERYTHING,
    "app": EVERYTHING,
    "inline": EVERYTHING,
    "testing": EVERYTHING,
    "__main__": {"cli", "frozen"},
    "": {"loader", "client"},
    # Words: everybody may import them, and they import nobody else.
    "blocking": set(),
    "digest": set(),
    "errors": set(),
    "everybody": set(),
    "model": set(),
    "settings": set(),
}
"""What each box imports, beside the words and itself. `""` is what plug authors import: `plugsock`."""

WORDS = {"blocking", "digest", "errors", "everybody", "model", "settings"}

PURE = {"wire", "rpc", *WORDS}

IO = {
    *("asyncio", "concurrent", "contextvars", "fcntl", "http", "io", "logging", "mmap", "multiprocessing", "os"),
    *("queue", "random", "sched", "select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl"),
    *("subprocess", "sys", "tempfile", "threading", "time", "urllib"),
}
"""Modules by which the world comes in: a clock, a file, a socket, a thread, chance."""

UNSAFE = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dbm", "multiprocessing", "dill", "cloudpickle"}
"""What runs the bytes that it reads, or starts processes that do."""

RUNS_TEXT = {"eval", "exec", "__import__"}

USERS = {
    "msgspec": {""},
    "click": {"cli"},
    "dotenv": {"worker.surroundings"},
    "packaging": {"needs"},
    "faker": {"mock"},
    "polyfactory": {"mock"},
    "psutil": {"pool.vitals"},
    "rich": {"cli.style"},
    "structlog": {"ops.log"},
    "uvloop": {"ops.loop"},
    "watchfiles": {"loader.watch"},
    "websockets": {"gateway", "client", "wire"},
}
"""Which boxes or modules use each library; a library has one user, so that it can be replaced there."""

WEBSOCKETS_IN_WIRE = {"websockets.speedups", "websockets.utils", "websockets.extensions.permessage_deflate"}


BEGINS = "frozen.entry"
"""Where the executable begins, which is its `__main__`."""


class Module:
    """One file of the source, and what it imports."""

    def __init__(self, path):
        self.path = path
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.tree = ast.parse("\n".join(self.lines), str(path))
        parts = path.relative_to(SOURCE / "plugsock").with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.box = parts[0] if parts != ("__init__",) else ""
        if self.name == BEGINS:
            self.box = "__main__"
        self.imports = list(self._imports())

    def _imports(self):
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.at(node.lineno)}: imports are absolute"
                yield from ((resolve(node.module, alias.name), node.lineno) for alias in node.names)

    def at(self, line):
        return f"{self.path.relative_to(SOURCE)}:{line}"

    def inside(self):
        """Imports of plugsock's own modules, by their names without `plugsock.`."""
        for name, line in self.imports:
            if name == "plugsock" or name.startswith("plugsock."):
                yield name.removeprefix("plugsock").removeprefix("."), line

    def outside(self):
        """Imports of everything else."""
        return [(name, line) for name, line in self.imports if name.partition(".")[0] != "plugsock"]


def resolve(module, name):
    """`from a import b` imports `a.b` where that is a module of ours, and `a` where `b` is something in it."""
    inner = SOURCE.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inner.with_suffix(".py").exists() or inner.is_dir() else module


MODULES = [Module(path) for path in sorted((SOURCE / "plugsock").rglob("*.py"))]


def test_every_box_has_its_arrows():
    assert {module.box for module in MODULES} <= set(ARROWS)


def test_each_box_imports_only_what_its_arrows_allow():
    wrong = [
        f"{module.at(line)}: {module.box or 'plugsock'} must not import {name or 'plugsock'}"
        for module in MODULES
        for name, line in module.inside()
        if name.partition(".")[0] not in ARROWS[module.box] | WORDS | {module.box}
        # The root holds the version, which those who may import everything show.
        and not (name == "" and ARROWS[module.box] == EVERYTHING)
    ]

    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    graph = {module.name: {name for name, _ in module.inside()} - {module.name} for module in MODULES}

    assert circles(graph) == []


def circles(graph):
    """The circles in a graph, each as the path that closes it."""
    found, done = [], set()

    def walk(name, path):
        if name in path:
            found.append(" → ".join([*path[path.index(name) :], name]))
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                walk(other, [*path, name])
            done.add(name)

    for name in sorted(graph):
        walk(name, [])
    return found


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b → c → b"]


def test_pure_code_knows_no_clock_no_file_and_no_socket():
    wrong = [
        f"{module.at(line)}: {name}"
        for module in MODULES
        if module.box in PURE
        for name, line in module.outside()
        if name.partition(".")[0] in IO
    ]

    assert wrong == []


def test_pure_code_neither_opens_nor_prints():
    wrong = [
        f"{module.at(line)}: {name}"
        for module in MODULES
        if module.box in PURE
        for name, line in calls(module.tree)
        if name in {"open", "print", "input"}
    ]

    assert wrong == []


@pytest.mark.fault("K8")
def test_nothing_is_unpickled():
    wrong = [
        f"{module.at(line)}: {name}"
        for module in MODULES
        for name, line in module.outside()
        if name.partition(".")[0] in UNSAFE
        and not (module.name in {BEGINS, "worker.pools"} and name.startswith("multiprocessing"))  # plugs may have pools
    ]

    assert wrong == []


def test_only_the_loader_and_the_executable_as_a_python_run_text_as_code_and_say_why():
    wrong = [
        f"{module.at(line)}: {name}"
        for module in MODULES
        for name, line in calls(module.tree)
        if name in RUNS_TEXT
        and not ((module.box == "loader" or module.name == "frozen.python") and "#" in module.lines[line - 1])
    ]

    assert wrong == []


def calls(tree):
    """The plain names that are called, and where."""
    return [
        (node.func.id, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def test_each_library_has_one_user():
    used = defaultdict(set)
    for module in MODULES:
        for name, line in module.outside():
            library = name.partition(".")[0]
            if library not in sys.stdlib_module_names and not allowed(module, library):
                used[library].add(module.at(line))

    assert dict(used) == {}


def allowed(module, library):
    users = USERS.get(library, set())
    return bool({"", module.box, module.name} & users) if module.name else library == "msgspec"


def test_the_wire_takes_only_arithmetic_from_websockets():
    taken = {
        name
        for module in MODULES
        if module.box == "wire"
        for name, _ in module.outside()
        if name.partition(".")[0] == "websockets"
    }

    assert taken <= WEBSOCKETS_IN_WIRE


@pytest.mark.parametrize("box", sorted(EVERYTHING))
def test_every_package_says_what_it_is(box):
    place = SOURCE / "plugsock" / box
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")

    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
