import asyncio
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugsock.cli import options, style, suggest
from plugsock.errors import PlugsockError, SettingsError
from plugsock.ops.output import printable

if TYPE_CHECKING:
    from plugsock.hot.report import Function, Instruction, Report
    from plugsock.settings import Settings

BOLD: Final = "1"
FAINT: Final = "2"
YELLOW: Final = "33"


@click.command(cls=options.HelpfulCommand)
@click.argument("event", shell_complete=suggest.events)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@options.format("text", "json")
@options.color
@options.settings("plugs", "trust")
def hot(event: str, folder: Path | None, format: str, color: style.Color, **flags: Any) -> int:
    """Show which lines of a plug CPython can't make fast.

    Runs the plug on its examples, as @plug(examples=[...]) has them, until CPython has specialised its instructions for
    the types that they meet, and shows its source with those that it could not, and the types. It really runs: what the
    plug writes is written, often. What it pushes reaches nobody.

    The exit status is 1 if an example fails.

      plugsock hot orders.place
      plugsock hot orders.place --format json | jq .per_call.median
    """
    settings = options.read(flags, folder)
    with redirect_stdout(sys.stderr):  # what plugs print is nothing of the answer
        report = asyncio.run(_observe(event, settings))
    if format == "json":
        style.json_document(report)
    else:
        is_colored = style.has_colors(color)
        for line, code in _text(report):
            print(f"\x1b[{code}m{printable(line)}\x1b[0m" if code and is_colored else printable(line))
    for failure in report.failures:
        style.fail(f"{event}: {failure}")
    return 1 if report.failures else 0


async def _observe(event: str, settings: "Settings") -> "Report":
    from plugsock.cli.folder import as_typed
    from plugsock.hot.loading import serving
    from plugsock.hot.report import observe

    if not settings.plugs.is_dir():
        raise SettingsError(f"{settings.plugs}: there is no such folder of plugs")
    async with serving(as_typed(settings.plugs), trust=settings.trust) as (catalog, problems):
        plug = catalog.get(event)
        if plug is None:
            said = [f"{event}: no plug in {style.near(str(settings.plugs))} answers this event"]
            raise PlugsockError("; ".join(said + [str(each) for each in problems if event in each.events]))
        return await observe(plug)


def _text(report: "Report") -> Iterator[tuple[str, str]]:
    """Lines, each with the colour that it has."""
    yield f"{report.event}  {report.place}  {report.python}", BOLD
    for function in report.functions:
        yield "", ""
        yield from _source(function)
    yield "", ""
    yield from ((line, "") for line in _summary(report))


def _source(function: "Function") -> Iterator[tuple[str, str]]:
    wide = len(str(function.lines[-1].number))
    for line in function.lines:
        yield f"{line.number:>{wide}}  {line.text}".rstrip(), YELLOW if line.slow else ""
        indent = len(line.text) - len(line.text.lstrip())
        for instruction in line.slow:
            yield f"{' ' * (wide + 2 + indent)}^ {_said(instruction)}", FAINT


def _said(instruction: "Instruction") -> str:
    name = f"{instruction.name} {instruction.detail}".strip()
    met = "; ".join(f"`{each.expression}`: {', '.join(each.types) or '?'}" for each in instruction.met)
    match instruction.forms:
        case []:
            what = "is not specialised"
        case [form]:
            what = f"meets also what {form} is not for"
        case [*others, last]:
            what = f"goes between {', '.join(others)} and {last}"
    return f"{name} {what}" + (f"  ({met})" if met else "")


def _summary(report: "Report") -> Iterator[str]:
    share = f" ({report.specialised / report.ran:.0%})" if report.ran else ""
    idle = f"; {report.idle} were not reached" if report.idle else ""
    yield f"{report.specialised} of {report.ran} instructions that can be specialised are{share}{idle}"
    examples = f"{report.examples} {'example' if report.examples == 1 else 'examples'}"
    time = report.per_call
    taken = "" if time is None else f", {time.median:,.0f} ns a call ({time.low:,.0f} to {time.high:,.0f})"
    yield f"{report.calls} calls with {examples}{taken}"
    if not report.is_settled:
        yield "It is too slow to be called often: CPython may not be done with it"
