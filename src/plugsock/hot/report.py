"""What CPython makes of a plug, put together: for each line the instructions that stay slow, and what they met."""

import ast
import asyncio
import platform
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from plugsock.errors import Error, PlugsockError
from plugsock.hot import adaptive, files, operands
from plugsock.hot.adaptive import Form, Place
from plugsock.hot.files import Ran, Section
from plugsock.hot.met import Met
from plugsock.hot.operands import Operands
from plugsock.hot.warm import Nanoseconds, Watched, watch
from plugsock.loader import fitting
from plugsock.loader.catalog import Plug
from plugsock.model import JSON, Kind
from plugsock.testing.alone import Alone, line_of, said, source_file
from plugsock.testing.guard import Stuck, guarded

State = Literal["idle", "general", "wavers", "special"]
"""Of an instruction: it has not run, it stays general, it goes from one form to another or misses, it is specialised."""

LIMIT_S: Final = 10.0
"""For a call, or for the first items of a stream."""

STATES: Final[tuple[State, ...]] = ("idle", "special", "wavers", "general")
"""From good to bad."""

RUNNABLE: Final = (Kind.CALL, Kind.STREAM, Kind.VIEW)


class Value(Struct, frozen=True):
    """An expression that an instruction works on."""

    expression: str
    types: list[str]


class Instruction(Struct, frozen=True):
    """One that stays slow."""

    name: str
    """Of its general form, as `dis` shows it."""
    detail: str
    """Its argument: `+`, an attribute's name."""
    state: State
    forms: list[str]
    """The specialised forms that it has had, if it wavers."""
    met: list[Value]


class Line(Struct, frozen=True):
    """A line of the source."""

    number: int
    text: str
    slow: list[Instruction]


class Function(Struct, frozen=True):
    """A function that has run, with those that are defined within it."""

    name: str
    lines: list[Line]


class Report(Struct, frozen=True):
    """All of it."""

    event: str
    place: str
    python: str
    examples: int
    """That could be run."""
    calls: int
    is_settled: bool
    """Has it run often enough for CPython to be done?"""
    specialised: int
    """Instructions."""
    ran: int
    """Instructions that have run, and that can be specialised at all."""
    idle: int
    """Instructions that no example has reached."""
    per_call: Nanoseconds | None
    functions: list[Function]
    failures: list[str]
    """What is wrong with the other examples."""


async def observe(plug: Plug) -> Report:
    """Run a plug on its examples until it is warm, and say what CPython has made of it.

    Raises:
        PlugsockError: It can't be run so, or this Python can't tell; the text says why.
    """
    refuse(plug)
    file = source_file(plug)
    text = files.text_of(file)
    if not text:
        raise PlugsockError(f"{plug.event} is no function with a source in {plug.announcement.place}")
    alone = Alone(plug)
    payloads, failures = await _tried(plug, alone)
    if not payloads:
        raise PlugsockError(f"{plug.event} runs on none of its examples: {'; '.join(failures)}")
    ran = Ran(file)
    await alone.repeat(payloads, around=ran)
    await alone.repeat(payloads)  # what was traced is made anew when it runs again
    codes = list(ran.codes)
    watched = await watch(alone, payloads, codes)
    met = Met(ast.parse(text), file, codes)
    await alone.repeat(payloads, around=met)
    states = _calls_as_one({place: state_of(watched.before[place], looks) for place, looks in watched.looks.items()})
    tree = ast.parse(text)
    first = getattr(plug.function, "__qualname__", "")
    slow = _slow(states, watched, Operands(tree), met)
    return Report(
        event=plug.event,
        place=plug.announcement.place,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        examples=len(payloads),
        calls=watched.calls,
        is_settled=watched.is_settled,
        specialised=sum(state == "special" for state in states.values()),
        ran=sum(state != "idle" for state in states.values()),
        idle=sum(state == "idle" for state in states.values()),
        per_call=watched.per_call,
        functions=[_function(each, text.splitlines(), slow) for each in files.sections(tree, codes, first)],
        failures=failures,
    )


def refuse(plug: Plug) -> None:
    """Refuse what can't be run on examples.

    Raises:
        PlugsockError: That is so; the text says what would be right.
    """
    event, announced = plug.event, plug.announcement
    if announced.kind not in RUNNABLE or announced.is_hidden:
        raise PlugsockError(f"{event} is a {announced.kind}, and nobody calls that")
    if announced.is_shape:
        raise PlugsockError(f"{event} is a shape: it has no body yet, so there is nothing to run")
    if not plug.examples:
        mark = "view" if announced.kind is Kind.VIEW else "plug"
        raise PlugsockError(
            f'{event} has no examples to run it on: give it some, as @{mark}(examples=[{{"name": "Ada"}}]), '
            f"at {announced.place}"
        )
    if (why := adaptive.why_not()) is not None:
        raise PlugsockError(why)


async def _tried(plug: Plug, alone: Alone) -> tuple[list[bytes], list[str]]:
    """The payloads of the examples that can be run, and why the others can't."""
    payloads, failures = [], []
    for number, example in enumerate(plug.examples, start=1):
        try:
            payload = fitting.payload_json(plug, example)
            plug.signature.bind(payload, JSON)
            with guarded(LIMIT_S):
                async with asyncio.timeout(LIMIT_S):
                    await alone.outputs(payload)
        except Error:  # an answer, too
            payloads.append(payload)
        except (Exception, SystemExit, Stuck) as error:
            failures.append(f"example {number}: {_why(plug, error)}")
        else:
            payloads.append(payload)
    return payloads, failures


def _why(plug: Plug, error: BaseException) -> str:
    line = line_of(plug, error)
    if isinstance(error, Stuck) or (line is None and isinstance(error, TimeoutError)):
        return f"it takes longer than {LIMIT_S:g} s, and this is for what can be called often"
    file = plug.announcement.place.rpartition(":")[0]
    return said(error) if line is None else f"{said(error)} ({file}:{line})"


def state_of(before: Form, looks: Sequence[Form]) -> State:
    """What has become of an instruction.

    Args:
        before: In the beginning.
        looks: Once it was warm.
    """
    seen = set(looks)
    if any(form.is_special for form in seen):
        return "special" if len(seen) == 1 else "wavers"
    has_run = {form.room for form in seen} != {before.room} or any(form.has_given_up for form in seen)
    return "general" if has_run else "idle"


def _calls_as_one(states: dict[Place, State]) -> dict[Place, State]:
    """Of the two instructions that a call has in 3.11, the first may do all, and then the second does not run."""
    merged: dict[Place, State] = {}
    last = None
    for place, state in states.items():
        if last is not None and (last.name, place.name, last.position) == ("PRECALL", "CALL", place.position):
            merged[place] = max(state, merged.pop(last), key=STATES.index)
        else:
            merged[place] = state
        last = place
    return merged


def _slow(states: dict[Place, State], watched: Watched, sources: Operands, met: Met) -> dict[int, list[Instruction]]:
    """By line."""
    found: dict[int, list[Instruction]] = defaultdict(list)
    for place, state in states.items():
        if state in ("general", "wavers"):
            forms = sorted({form.name for form in watched.looks[place] if form.is_special})
            values = [Value(operands.text(node), met.types(node)) for node in sources.of(place.name, place.position)]
            found[place.position[0]].append(Instruction(place.name, place.detail, state, forms, values))
    return found


def _function(section: Section, lines: Sequence[str], slow: dict[int, list[Instruction]]) -> Function:
    return Function(section.name, list(_lines(section, lines, slow)))


def _lines(section: Section, lines: Sequence[str], slow: dict[int, list[Instruction]]) -> Iterator[Line]:
    for number in range(section.first, section.last + 1):
        yield Line(number, lines[number - 1], slow.get(number, []))
