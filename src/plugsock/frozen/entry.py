"""Where the built executable begins; `plugsock.spec` names it."""

import multiprocessing
import multiprocessing.util
import sys
from typing import Final

from plugsock.frozen import executable, launcher, libraries, python, tracker, unpacked

FAILED: Final = 1


def main() -> int:
    """Be whatever this process was started as; the exit status.

    All that is imported here is what every kind of process needs, so it should be little.
    """
    by_plugsock = executable.is_started_by_plugsock()
    by_launcher = not by_plugsock and libraries.are_ours_first()
    libraries.settle(by_plugsock=by_plugsock)  # starts the process anew if it has to
    if _has_replaced_what_runs():
        sys.stderr.write(f"plugsock: {executable.REPLACED}\n")
        return FAILED
    _keep_what_is_ours()
    libraries.find_certificates()
    libraries.find_time_zones()
    multiprocessing.freeze_support()  # ends the process if a pool of processes has started it
    if python.asks_for_python(sys.argv):
        return python.run(sys.argv)
    launcher.watch(by_launcher=by_launcher)
    try:
        return _command_line()
    finally:
        launcher.leave()


def _has_replaced_what_runs() -> bool:
    """Does this process use what an executable has unpacked that lay here before?"""
    folder = unpacked.folder()
    pid = None if folder is None else unpacked.launcher_of(folder)
    return pid is not None and executable.has_replaced(pid)


def _keep_what_is_ours() -> None:
    """Whatever becomes of the executable's file and of the temporary folder, what is in them can be imported."""
    executable.pin()
    if (folder := unpacked.folder()) is not None:
        unpacked.hold(folder)
        multiprocessing.util.Finalize(None, tracker.wait, exitpriority=tracker.LAST)


def _command_line() -> int:
    from plugsock.cli.main import main as command_line  # noqa: PLC0415 - nothing of it before it is known what this is

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
