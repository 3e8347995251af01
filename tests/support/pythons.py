"""Command lines of a Python, and what they come to: for whatever says that it is one."""

import os
import re
import subprocess

SHOW = "import sys, os; print(sys.argv, sys.path[0], __name__, __package__, __spec__, __doc__, sorted(globals()))"

COMMANDS = {
    "a command": ["-c", SHOW],
    "a command with arguments": ["-c", SHOW, "-x", "--", "y"],
    "a command in one word": ["-cprint(1)"],
    "options in one word with a command": ["-IBc", "print(2)"],
    "a command that sees its own folder": ["-c", "import beside; print(beside.__file__)"],
    "a command that must not see its own folder": ["-P", "-c", "import beside"],
    "a module": ["-m", "beside", "a", "b"],
    "a module of the library": ["-m", "json.tool", "data.json"],
    "a package without a main": ["-m", "xml"],
    "a module that is not there": ["-m", "nowhere.to.be_found"],
    "a file": ["script.py", "a", "-c"],
    "a file in another folder": ["deep/er.py"],
    "a link to a file": ["linked.py"],
    "a file that must not see its own folder": ["-P", "deep/er.py"],
    "a file that is not there": ["nowhere.py"],
    "a folder with a main": ["application"],
    "a folder without one": ["deep"],
    "everything after a file is its own": ["script.py", "-V", "--version"],
    "the end of options": ["--", "script.py"],
    "stdin": ["-", "a"],
    "stdin without saying so": [],
    "a line that is skipped": ["-x", "skip.py"],
    "one that fails": ["-c", "def f():\n  1/0\nf()"],
    "a file that fails": ["fails.py"],
    "a module that fails": ["-m", "fails"],
    "a cause": ["-c", "try:\n  1/0\nexcept Exception as e:\n  raise KeyError('x') from e"],
    "a group of failures": ["-c", "raise ExceptionGroup('some', [ValueError(1), TypeError(2)])"],
    "no Python": ["-c", "1 +"],
    "a file that is no Python": ["broken.py"],
    "a status": ["-c", "raise SystemExit(7)"],
    "a large status": ["-c", "raise SystemExit(256 + 3)"],
    "a status of nothing": ["-c", "raise SystemExit"],
    "a status that is true": ["-c", "raise SystemExit(True)"],
    "a text as status": ["-c", "import sys; sys.exit('that went wrong')"],
    "a list as status": ["-c", "import sys; sys.exit([1, 2])"],
    "a status in a module": ["-m", "ends"],
    "an end at once": ["-c", "import os; os._exit(4)"],
    "an end by a signal": ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"],
    "an interrupt": ["-c", "raise KeyboardInterrupt"],
    "an interrupt, and what is done last": [
        "-c",
        "import atexit; atexit.register(print, 'last'); print('first'); raise KeyboardInterrupt",
    ],
    "what is done last": ["-c", "import atexit; atexit.register(lambda: print(__name__, sorted(globals())))"],
    "a thread that goes on": ["-c", "import threading as t; t.Timer(0.05, lambda: print(__name__)).start()"],
    "a hook of the program's own": ["-c", "import sys; sys.excepthook = lambda *a: print(a[0], a[1]); 1/0"],
    "no assertions": ["-O", "-c", "assert False; print(__debug__)"],
    "no docstrings": ["-OO", "-c", "def f():\n  'doc'\nprint(f.__doc__)"],
    "assertions": ["-c", "assert False, 'so'"],
    "a warning": ["-c", "import warnings; warnings.warn('careful')"],
    "warnings as errors": ["-Werror", "-c", "import warnings; warnings.warn('careful')"],
    "warnings that are not shown": ["-W", "ignore", "-c", "import warnings; warnings.warn('careful')"],
    "a filter of warnings that is none": ["-W", "nonsense", "-c", "print(1)"],
    "options of the implementation": [
        "-Xone",
        "-X",
        "two=2",
        "-c",
        "import sys; print(sys._xoptions['one'], sys._xoptions['two'])",
    ],
    "the variable that warns": ["-c", "import warnings; warnings.warn('careful', DeprecationWarning)"],
    "a variable that is heeded": ["-c", "import far; print(far.__file__)"],
    "a variable that is not": ["-E", "-c", "import far"],
    "isolation": ["-I", "-c", "import sys, far"],
    "an unknown option": ["-Z"],
    "an option without its argument": ["-c"],
    "the version": ["-V"],
    "the version in words": ["--version"],
    "pickling what is in main": ["picks.py"],
    "processes that import main": ["pools.py"],
}

FILES = {
    "beside.py": SHOW + "\nprint(__file__)",
    "script.py": SHOW + "\nprint(__file__, __cached__ is None)",
    "deep/er.py": SHOW + "\nimport near",
    "deep/near.py": "print('near')",
    "application/__main__.py": SHOW,
    "far/far.py": "",
    "skip.py": "this is no Python\nprint(1)\n1/0\n",
    "fails.py": "def f():\n    return 1 / 0\n\nf()\n",
    "broken.py": "def f(:\n",
    "ends.py": "import sys; sys.exit(3)",
    "data.json": '{"a": 1}',
    "picks.py": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)\n",
    "pools.py": (
        "import multiprocessing\n"
        "def double(n): return 2 * n\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(double, [1, 2]))\n"
    ),
}


def lay_out(folder):
    """Write the files that the commands are about."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text + "\n")
    (folder / "linked.py").symlink_to(folder / "deep" / "er.py")
    return folder


def environment(folder, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PLUGSOCK_"))}
    return {**kept, "PYTHONPATH": str(folder / "far"), **more}


def result(command, folder, **more):
    """What a command prints and how it ends, without what may differ."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder, **more),
        input="import sys; print(sys.argv, sys.path[0], __name__)\n1/0\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return re.sub(r" at 0x[0-9a-f]+|(?<=^Python \d\.\d\d)\S*", "", ended.stdout), shape(ended.stderr), ended.returncode


def shape(text):
    """An error without the lines of source, whose frames show them from 3.13 on also for commands, and without usage."""
    lines = [re.sub(r"^/\S*/(python[\d.]*|plugsock)(: .*)", r"\2", line) for line in text.splitlines()]
    return [line for line in lines if not line.startswith(("    ", "usage:", "Try `python"))]
