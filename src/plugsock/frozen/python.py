"""The executable as a Python: `plugsock -c …`, `plugsock -m …`, `plugsock file.py`, `plugsock -`.

Programs that a plug starts with `sys.executable` expect an interpreter there, and so do `uv` and others that are shown
a link to the executable named `python3`. What it does with its arguments is what CPython does, with these exceptions:

- there is no prompt: `-i`, and a terminal for stdin, are refused;
- how the interpreter runs was decided when it was built: `sys.flags` says so, output is never buffered, no `.pyc` is
  written; `-b -d -q -s -u -v` are taken and change nothing, `-O` is about the program itself and not what it imports;
- in place of a `site-packages` it has that of the plugs, if a worker has started it.
"""

import atexit
import contextlib
import faulthandler
import importlib.machinery
import io
import linecache
import os
import pkgutil
import re
import runpy
import signal
import site
import sys
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, TextIO

LIBRARIES: Final = "PLUGSOCK_LIBRARIES"
"""The variable by which a worker names the folder of libraries that its plugs use."""

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130 if os.name == "posix" else 0xC000013A
"""128 + SIGINT, or STATUS_CONTROL_C_EXIT."""

USAGE: Final = "usage: python [option] ... [-c cmd | -m mod | file | -] [arg] ..."

_OWN_OPTIONS: Final = re.compile(r"-[bBdEIiOPqsSux]*([cmWX].*)?", re.DOTALL)
"""What no command of plugsock begins with."""

_SWITCHES: Final = frozenset("bBdEIiOPqRsSuvx")
_WITH_ARGUMENT: Final = frozenset("cmWX")


class _WrongUsage(Exception):
    pass


@dataclass
class _Asked:
    """What stood on the command line."""

    switches: str = ""
    warn: list[str] = field(default_factory=list)
    set: list[str] = field(default_factory=list)
    kind: str = ""
    """`c`, `m`, or nothing for a file or stdin; `h` and `V` ask for information."""
    program: str = ""
    """Text, name or path; `-` and nothing are stdin."""
    rest: list[str] = field(default_factory=list)

    @property
    def heeds_environment(self) -> bool:
        return not {"E", "I"} & set(self.switches)

    def variable(self, name: str) -> str:
        return os.environ.get(name, "") if self.heeds_environment else ""


def asks_for_python(argv: Sequence[str]) -> bool:
    """Is this command line one for a Python, and not for plugsock?

    Args:
        argv: All of it. It is if the program goes by a name that begins with `python`, or if what follows is one of
            Python's own short options, or a file that ends in `.py`.
    """
    if Path(argv[0]).name.lower().startswith("python"):
        return True
    first = argv[1] if len(argv) > 1 else ""
    if first.startswith("-"):
        return _OWN_OPTIONS.fullmatch(first) is not None
    return first.endswith(".py") and Path(first).is_file()


def run(argv: Sequence[str]) -> int:
    """Do what Python does with this command line, in this process; the exit status.

    It takes the process over: `__main__`, `sys.argv` and `sys.path` are the program's afterwards.

    Args:
        argv: All of it, the name of the program included.
    """
    try:
        asked = _parsed(argv[1:])
    except _WrongUsage as wrong:
        _say(f"{wrong}\n{USAGE}", sys.stderr)
        return WRONG_USAGE
    if asked.kind in {"h", "V"}:
        _say(USAGE if asked.kind == "h" else f"Python {sys.version.partition(' ')[0]}", sys.stdout)
        return DONE
    _set(asked)
    interrupt = _Interrupt()
    atexit.register(interrupt.pass_on)  # registered first, it is done last
    try:
        return _run(asked)
    except SystemExit as ended:
        return _status(ended.code)
    except BaseException as raised:
        _tell(raised)
        interrupt.has_come = isinstance(raised, KeyboardInterrupt)
        return INTERRUPTED if interrupt.has_come else FAILED


def _parsed(words: Sequence[str]) -> _Asked:
    """Read options up to the program, as getopt does.

    Raises:
        _WrongUsage: There is no such option, it lacks its argument, or it can't be done.
    """
    asked, left = _Asked(), list(words)
    while left and left[0] != "-" and left[0].startswith("-") and not asked.kind:
        word = left.pop(0)
        if word == "--":
            break
        if word in {"--help", "--version", "-?"}:
            asked.kind = "V" if word == "--version" else "h"
        else:
            _read(word[1:], left, asked)
    if not asked.kind and left:
        asked.program = left.pop(0)
    asked.rest = left
    _refuse_a_prompt(asked)
    return asked


def _read(letters: str, left: list[str], asked: _Asked) -> None:
    """Read one word of options; what belongs to the last of them may be the next word."""
    for place, letter in enumerate(letters, 1):
        if letter in "hV":
            asked.kind = letter
        elif letter in _SWITCHES:
            asked.switches += letter
        elif letter in _WITH_ARGUMENT:
            _take(letter, letters[place:], left, asked)
            return
        else:
            raise _WrongUsage(f"Unknown option: -{letter}")


def _take(letter: str, attached: str, left: list[str], asked: _Asked) -> None:
    if not attached and not left:
        raise _WrongUsage(f"Argument expected for the -{letter} option")
    argument = attached or left.pop(0)
    if letter == "W":
        asked.warn.append(argument)
    elif letter == "X":
        asked.set.append(argument)
    else:
        asked.kind, asked.program = letter, argument


def _refuse_a_prompt(asked: _Asked) -> None:
    if "i" in asked.switches:
        raise _WrongUsage("-i: this Python runs programs, and has no prompt")
    if not asked.kind and asked.program in {"", "-"} and sys.stdin is not None and sys.stdin.isatty():
        raise _WrongUsage("there is no program: this Python has no prompt")


def _set(asked: _Asked) -> None:
    """Let the options hold that can still be set once an interpreter runs."""
    if "B" in asked.switches:
        sys.dont_write_bytecode = True
    filters = [*filter(None, asked.variable("PYTHONWARNINGS").split(",")), *asked.warn]
    sys.warnoptions += filters
    warnings._processoptions(filters)  # type: ignore[attr-defined]  # what Python itself calls for them
    for option in asked.set:
        name, equals, value = option.partition("=")
        sys._xoptions[name] = value if equals else True
    if "faulthandler" in sys._xoptions:
        faulthandler.enable()


def _run(asked: _Asked) -> int:
    main = _new_main()
    if asked.kind == "c":
        _see(asked, "")
        sys.argv = ["-c", *asked.rest]
        command = _dedented(asked.program)
        if sys.version_info >= (3, 13):  # from there on tracebacks show it
            linecache.cache["<string>"] = (len(command), None, command.splitlines(keepends=True), "<string>")
        _execute(_compiled(command, "<string>", asked), main)
    elif asked.kind == "m":
        _see(asked, os.getcwd())  # noqa: PTH109 - an entry of sys.path is text
        sys.argv = ["-m", *asked.rest]
        runpy._run_module_as_main(asked.program)  # type: ignore[attr-defined]  # what Python itself calls for -m
    elif asked.program in {"", "-"}:
        _see(asked, "")
        sys.argv = [asked.program, *asked.rest]
        source = sys.stdin.buffer.read() if sys.stdin is not None else b""
        _execute(_compiled(source, "<stdin>", asked), main)
    else:
        sys.argv = [asked.program, *asked.rest]
        return _run_file(asked, main)
    return DONE


def _run_file(asked: _Asked, main: ModuleType) -> int:
    path = os.path.abspath(asked.program)  # noqa: PTH100 - no Path: links and `..` stay as they are
    if pkgutil.get_importer(path) is not None:  # a folder or an archive with a `__main__.py` in it
        _see(asked, path, always=True)
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
        return DONE
    _see(asked, os.path.dirname(os.path.realpath(path)))  # noqa: PTH120 - as above
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as wrong:
        reason = f"[Errno {wrong.errno}] {wrong.strerror}"
        _say(f"{sys.executable}: can't open file {path!r}: {reason}", sys.stderr)
        return WRONG_USAGE
    vars(main).update(__file__=path, __cached__=None, __loader__=importlib.machinery.SourceFileLoader("__main__", path))
    _execute(_compiled(source, path, asked), main)
    return DONE


def _new_main() -> ModuleType:
    """An empty `__main__` in place of ours, which stays as it is."""
    main = ModuleType("__main__")
    vars(main).update(__builtins__=sys.modules["builtins"], __loader__=importlib.machinery.BuiltinImporter)
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    sys.modules["__main__"] = main
    return main


def _see(asked: _Asked, place: str, *, always: bool = False) -> None:
    """Set up what can be imported.

    Args:
        asked: Says what is left out.
        place: Where the program lies.
        always: Even if it was asked not to import from there.
    """
    is_safe = bool({"I", "P"} & set(asked.switches) or asked.variable("PYTHONSAFEPATH"))
    front = [place] if always or not is_safe else []
    named = asked.variable("PYTHONPATH")
    front += [os.path.abspath(entry) for entry in named.split(os.pathsep)] if named else []  # noqa: PTH100 - as above
    sys.path[:0] = front
    libraries = "" if "S" in asked.switches else asked.variable(LIBRARIES)
    if libraries and libraries not in sys.path:
        site.addsitedir(libraries)


def _dedented(command: str) -> str:
    return textwrap.dedent(command) if sys.version_info >= (3, 14) else command


def _compiled(source: str | bytes, name: str, asked: _Asked) -> CodeType:
    if "x" in asked.switches and isinstance(source, bytes):
        source = b"\n" + source.partition(b"\n")[2]  # the lines keep their numbers
    level = min(asked.switches.count("O"), 2) or -1
    code: CodeType = compile(source, name, "exec", dont_inherit=True, optimize=level)
    return code


def _execute(code: CodeType, main: ModuleType) -> None:
    exec(code, vars(main))  # noqa: S102 - this is what a Python is for


def _status(code: Any) -> int:
    """The exit status that `SystemExit` names; what is no number is a message."""
    if code is None or isinstance(code, int):
        return code or DONE
    _flush(sys.stdout)
    _say(str(code), sys.stderr)
    return FAILED


def _tell(raised: BaseException) -> None:
    """Print what a program died of, from its own first line on."""
    trace = raised.__traceback__
    while trace is not None and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    sys.excepthook(type(raised), raised.with_traceback(trace), trace)


class _Interrupt:
    """Lets whoever waits for this process know that Ctrl-C has ended it; a shell then ends its script, too."""

    has_come = False

    def pass_on(self) -> None:
        if self.has_come and os.name == "posix":
            _flush(sys.stdout)
            _flush(sys.stderr)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)


def _say(text: str, stream: TextIO | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads it
            stream.write(f"{text}\n")


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
