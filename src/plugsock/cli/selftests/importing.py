"""Imports what it is told to, and says how that went: a process of its own, as an import may end it.

    python -m plugsock.cli.selftests.importing < names

It reads names of modules, one on each line. For each it writes the name before it begins, and after it, if that failed,
a tab, the reason, a tab, and the module that was not found. What modules print goes to stderr.
"""

import importlib
import importlib.util
import os
import sys
import warnings


def main() -> None:
    """Import everything that stdin names."""
    warnings.simplefilter("ignore")  # many modules are said to go one day
    names = sys.stdin.read().split("\n")
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)
        for name in filter(None, names):
            told.write(f"\n{name}")
            told.flush()
            told.write(attempt(name))


def attempt(name: str) -> str:
    """Import a module; a `__main__` is only found, as it would run. What to say if that fails."""
    try:
        if name.endswith(".__main__"):
            if importlib.util.find_spec(name) is None:
                return f"\tit is not there\t{name}"
        else:
            importlib.import_module(name)
    except BaseException as wrong:
        reason = " ".join(f"{type(wrong).__name__}: {wrong}".split())
        return f"\t{reason}\t{_lacking(wrong)}"
    return ""


def _lacking(wrong: BaseException) -> str:
    """The module that was not found, if that is the reason, or the reason for the reason; else nothing."""
    cause: BaseException | None = wrong
    while cause is not None and not isinstance(cause, ModuleNotFoundError):
        cause = cause.__cause__
    return "" if cause is None else cause.name or ""


if __name__ == "__main__":
    main()
