"""Plug files that say which version they are, in both halves, and the ways in which editors save them.

The first half of a file holds its version and the plug itself, the second half a number that follows from the version.
Each answer carries both, so a file that was loaded half shows: one cut short has no second number, one overwritten half
has the number of another version. `check_version` in load.c is the other side of this.
"""

import os
import time
from pathlib import Path
from typing import Final

HELPER: Final = "_shared.py"

PLUG: Final = '''"""Version {version} of {event}, first half."""

import msgspec
from plugsock import plug
{helper}
HEAD = {version}


class Answer(msgspec.Struct):
    """Which version this is."""

    v: int
    h: int
    sum: int


@plug
async def {event}() -> Answer:
    """Say which version answers."""
    return Answer(HEAD, HELPER_HEAD, TAIL + HELPER_TAIL)


{filler}
TAIL = {tail}
'''
USES_HELPER: Final = "\nfrom plugs._shared import HELPER_HEAD, HELPER_TAIL\n"
STANDS_ALONE: Final = "\nHELPER_HEAD = HELPER_TAIL = 0\n"
SHARED: Final = '''"""Version {version}, first half."""

HELPER_HEAD = {version}
{filler}
HELPER_TAIL = {tail}
'''
BURNING: Final = '''"""A call that computes."""

from msgspec import Struct
from plugsock import plug


class Message(Struct):
    """What comes and goes."""

    client: int
    number: int
    text: str


@plug
async def {event}(message: Message) -> Message:
    """Count to {rounds}, then answer what was said."""
    left = {rounds}
    while left:
        left -= 1
    return message
'''
SEEN: Final = '''"""Version {version}."""

from plugsock import view


@view
async def {event}() -> int:
    """Say which version is seen."""
    return {version}
'''
FILLER: Final = "# More than one page lies between the halves, as it does in a file worth the name.\n" * 60

BROKEN: Final = (
    "def broken(:\n",
    "raise RuntimeError('broken on purpose')\n",
    "import a_module_that_nobody_has\n",
    "import sys\nsys.exit(3)\n",
    "1 / 0\n",
)
"""What is put under the first half of a good file to break it."""


def tail_of(version: int) -> int:
    """Return what the second half must hold if the first holds `version`."""
    return version * 7919 % 1_000_003


def plug_source(event: str, version: int, *, uses_helper: bool = False) -> str:
    """Return the source of a plug file."""
    helper = USES_HELPER if uses_helper else STANDS_ALONE
    return PLUG.format(event=event, version=version, tail=tail_of(version), filler=FILLER, helper=helper)


def broken_source(event: str, version: int) -> str:
    """Return the source of a plug file that can't be loaded; the version chooses why."""
    whole = plug_source(event, version)
    return whole[: len(whole) // 2] + "\n" + BROKEN[version % len(BROKEN)]


def view_source(event: str, version: int, *, is_broken: bool = False) -> str:
    """Return the source of a view whose value is its version, or of one that can't be loaded."""
    source = SEEN.format(event=event, version=version)
    return source + "\n\n" + BROKEN[version % len(BROKEN)] if is_broken else source


def helper_source(version: int) -> str:
    """Return the source of the helper that some plugs import."""
    return SHARED.format(version=version, tail=tail_of(version), filler=FILLER)


def burning_source(event: str, seconds: float) -> str:
    """Return the source of a plug that burns so many seconds of pure Python on an idle core of this machine."""
    return BURNING.format(event=event, rounds=int(seconds * _rounds_a_second()))


def _rounds_a_second(rounds: int = 20_000, tries: int = 200) -> float:
    return rounds / min(_count_down_s(rounds) for _ in range(tries))  # the quickest: nobody disturbed it


def _count_down_s(left: int) -> float:
    began = time.thread_time()
    while left:
        left -= 1
    return time.thread_time() - began


def replace(path: Path, text: str) -> None:
    """Save as careful editors do: a file beside it, renamed over it."""
    beside = path.with_name(f".{path.name}.saving")
    beside.write_text(text)
    os.replace(beside, path)  # noqa: PTH105 - the call that the figure starts at stands here by its name


def overwrite(path: Path, text: str, pause_s: float = 0.0) -> None:
    """Save as plain editors do: emptied, then written; with a pause in the middle of it."""
    half = len(text) // 2
    with path.open("w") as file:
        file.write(text[:half])
        file.flush()
        time.sleep(pause_s)
        file.write(text[half:])
