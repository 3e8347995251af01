"""The manual page, made from the help texts of the command line: the groups of options and the examples are kept.

click-man would write a page of its own for each command, with neither. This runs in the build environment; roff's
requests are explained in groff_man(7).
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import click

from plugsock import __version__
from plugsock.cli.main import plugsock
from plugsock.cli.options import NOT_WRAPPED
from plugsock.settings import SETTINGS

SUMMARY: Final = "a WebSocket server for Python functions dropped into a folder"
"""What stands behind the name in an index of pages."""

EXIT_STATUS: Final = {
    "0": "It is done.",
    "1": "It did not hold: there is a problem, or the server said no.",
    "2": "The command was used wrongly, or a setting can't be.",
    "130": "Ctrl-C ended it.",
}

FILES: Final = {
    "plugs/": "The folder of plugs, unless --plugs says otherwise.",
    "plugs/site-packages/": "What plugs can import beside the standard library.",
    "plugs/.env": "Variables of the environment for the workers.",
    "plugsock.toml": "Settings, beside the folder of plugs.",
    ".plugsock/": "The lock and the address of the server, beside the folder of plugs, unless --data says otherwise.",
}


def manual(epoch: int) -> str:
    """The whole page.

    Args:
        epoch: Its date, in seconds since 1970.
    """
    date = datetime.fromtimestamp(epoch, UTC).date().isoformat()
    root = click.Context(plugsock, info_name="plugsock", **plugsock.context_settings)
    lines = [
        f'.TH PLUGSOCK 1 "{date}" "plugsock {__version__}" "User Commands"',
        *(".SH NAME", f"plugsock \\- {_text(SUMMARY)}"),
        *(".SH SYNOPSIS", f"{_bold('plugsock')} {_text(' '.join(plugsock.collect_usage_pieces(root)))}"),
        *(".SH DESCRIPTION", *(line for paragraph in _paragraphs(plugsock) for line in _paragraph(paragraph))),
        *_options(plugsock, root),
        *(".SH COMMANDS", *(line for each in _commands(root) for line in _command(each))),
        *(".SH ENVIRONMENT", *_variables()),
        *(".SH FILES", *(line for name, about in FILES.items() for line in _term(_bold(name), about))),
        *(".SH EXIT STATUS", *(line for code, about in EXIT_STATUS.items() for line in _term(_bold(code), about))),
    ]
    return "\n".join(lines) + "\n"


def _commands(ctx: click.Context) -> Iterator[click.Context]:
    """Every command that can be run, those of groups included."""
    assert isinstance(ctx.command, click.Group)
    for name in ctx.command.list_commands(ctx):
        command = ctx.command.get_command(ctx, name)
        assert command is not None, name
        inner = click.Context(command, info_name=name, parent=ctx)
        if command.hidden:
            continue
        yield inner
        if isinstance(command, click.Group):
            yield from _commands(inner)


def _command(ctx: click.Context) -> Iterator[str]:
    usage = " ".join(ctx.command.collect_usage_pieces(ctx))
    yield f".SS {_bold(ctx.command_path)} {_text(usage)}"
    for paragraph in _paragraphs(ctx.command):
        yield from _paragraph(paragraph)
    yield from _options(ctx.command, ctx)


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    """One paragraph an option, under the title of its group."""
    groups: dict[str, list[tuple[str, str]]] = {"Options": []}
    for parameter in command.params if ctx.parent else command.get_params(ctx):  # each has --help, which is said once
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
            groups.setdefault(getattr(parameter, "group", "Options"), []).append(record)
    for title, records in groups.items():
        if records:
            yield from (".PP", f"\\fI{_text(title)}:\\fP")
        for flags, about in records:
            yield from _term(_flags(flags), about)


def _variables() -> Iterator[str]:
    yield _text("Each setting of the server can be said as a variable too; a flag beats it.")
    for setting in SETTINGS:
        yield from _term(_bold(setting.variable), f"The same as {setting.flag}.")


def _paragraphs(command: click.Command) -> list[str]:
    return [part for part in re.split(r"\n\n+", (command.help or "").strip()) if part]


def _paragraph(text: str) -> Iterator[str]:
    """A paragraph as text, or as it is where the help text says so."""
    if text.startswith(NOT_WRAPPED):
        rows = text.removeprefix(NOT_WRAPPED).splitlines()
        yield from (".PP", ".EX", *(_row(row) for row in rows), ".EE")
    else:
        yield from (".PP", _text(" ".join(text.split())))


def _term(term: str, about: str) -> Iterator[str]:
    yield from (".TP", term, _text(" ".join(about.split())))


def _flags(flags: str) -> str:
    """`--port PORT` with the option in bold and its value in italics."""
    words = (_bold(word) if word.startswith("-") else f"\\fI{_escaped(word)}\\fP" for word in flags.split(" "))
    return " ".join(words)


def _bold(text: str) -> str:
    return f"\\fB{_escaped(text)}\\fP"


def _text(text: str) -> str:
    """Text on one line, with what stands in backticks in bold."""
    return _safe(re.sub(r"`([^`]+)`", r"\\fB\1\\fP", _escaped(text)))


def _row(text: str) -> str:
    return _safe(_escaped(text))


def _escaped(text: str) -> str:
    """Text in which nothing is an escape, and dashes can be copied into a terminal."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def _safe(line: str) -> str:
    """A line that is no request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    sys.stdout.write(manual(int(sys.argv[1])))
