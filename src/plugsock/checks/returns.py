"""Runs functions on their examples, and holds what comes back against the type that they declare.

Only functions that may run at any time are run: views, and those that say `idempotent=True`. Whoever asks for it has all
others run, too. A function without a body is never run.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from msgspec import structs

from plugsock.errors import Error
from plugsock.loader import fitting
from plugsock.loader.catalog import Plug
from plugsock.loader.examples import Example
from plugsock.model import JSON, Kind, Problem
from plugsock.testing.alone import Alone, line_of, said
from plugsock.testing.guard import Stuck, guarded
from plugsock.worker.encode import TooLarge, Unsendable

LIMIT_S: Final = 10.0
"""For one example of a function that has no limit of its own: as a build that waits for it would bear."""

MOST_ITEMS: Final = 20
"""Of a stream: the first ones tell."""


def wrong_returns(plugs: Iterable[Plug], *, run_all: bool = False, limit_s: float = LIMIT_S) -> list[Problem]:
    """Run plugs on their examples, one after the other, on an event loop of their own.

    Args:
        plugs: Of a catalogue that is loaded still.
        run_all: Also those that do not say that they may run at any time.
        limit_s: Seconds for an example, where the plug has no `timeout` of its own.

    Returns:
        What did not fit the declared type, and what failed otherwise, in the order of the plugs.
    """
    return asyncio.run(found_wrong(plugs, run_all=run_all, limit_s=limit_s))


async def found_wrong(plugs: Iterable[Plug], *, run_all: bool = False, limit_s: float = LIMIT_S) -> list[Problem]:
    """The same, for those who have an event loop."""
    problems: list[Problem] = []
    for plug in plugs:
        if plug.examples and may_run(plug, run_all=run_all):
            problems += await _problems(plug, plug.announcement.timeout or limit_s)
    return problems


def may_run(plug: Plug, *, run_all: bool) -> bool:
    """Is it a function with a body that may run now?"""
    announced = plug.announcement
    if announced.is_hidden or announced.is_shape:
        return False
    return run_all or announced.idempotent or announced.kind is Kind.VIEW


async def _problems(plug: Plug, limit_s: float) -> list[Problem]:
    alone = Alone(plug, MOST_ITEMS)
    found = [await _wrong(plug, alone, number, each, limit_s) for number, each in enumerate(plug.examples, start=1)]
    return [problem for problem in found if problem is not None]


async def _wrong(plug: Plug, alone: Alone, number: int, example: Example, limit_s: float) -> Problem | None:
    """What is wrong with one answer; a payload that does not fit is somebody else's business."""
    try:
        payload = fitting.payload_json(plug, example)
        plug.signature.bind(payload, JSON)
    except Exception:  # the author's types may raise what they like
        return None
    what = f"`{plug.event}`, run on example {number},"
    try:
        with guarded(limit_s):
            async with asyncio.timeout(limit_s) as limit:
                await alone.outputs(payload)
    except Error:
        return None  # an answer, too
    except Unsendable as error:
        return _problem(plug, f"{what} returned what does not fit: {error}")
    except TooLarge as error:
        return _problem(plug, f"{what} returned too much: {error}")
    except Stuck:
        return _problem(plug, f"{what} took longer than {limit_s:g} s, and nothing else could run meanwhile")
    except (Exception, SystemExit) as error:
        if not limit.expired():
            return _raised(plug, what, error)
        return None if plug.signature.kind is Kind.STREAM else _problem(plug, f"{what} took longer than {limit_s:g} s")
    return None


def _raised(plug: Plug, what: str, error: BaseException) -> Problem:
    problem = _problem(plug, f"{what} raised {said(error)}")
    line = line_of(plug, error)
    return problem if line is None else structs.replace(problem, line=line)


def _problem(plug: Plug, message: str) -> Problem:
    file, _, line = plug.announcement.place.rpartition(":")
    return Problem(file, int(line or 0), message, (plug.event,))
