"""Options that mean the same on every command, made from the table of settings."""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from plugsock.cli import config, values
from plugsock.settings import SETTINGS, Setting, Settings

NOT_WRAPPED: Final = "\b\n"
"""Click's mark before a paragraph that keeps its line breaks."""

F = TypeVar("F", bound=Callable[..., Any])

ALL: Final = tuple(setting.field for setting in SETTINGS)
PLACE: Final = ("plugs", "data")
"""What a command needs to find a folder and its server."""


class SettingOption(click.Option):
    """A setting as an option. Its text is not converted here, so that errors read the same from every source."""

    def __init__(self, setting: Setting) -> None:
        name = f"{setting.flag}/--no-{setting.flag[2:]}" if setting.is_switch else setting.flag
        shape = (
            {"default": None} if setting.is_switch else {"metavar": setting.about.metavar, "multiple": setting.is_list}
        )
        super().__init__([name, setting.field], help=setting.about.help + _default(setting), **shape)
        self.group = setting.about.group
        self._setting = setting

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete what a setting can be: one of a few words, or a file."""
        if get_origin(self._setting.type) is Literal:
            return [CompletionItem(word) for word in get_args(self._setting.type) if word.startswith(incomplete)]
        if self._setting.is_path:
            return click.Path(file_okay=self._setting.about.metavar == "FILE").shell_complete(ctx, self, incomplete)
        return super().shell_complete(ctx, incomplete)


class WithExamples(click.Command):
    """A command whose help keeps indented examples as they are."""

    def __init__(self, name: str | None = None, **rest: Any) -> None:
        rest["help"] = re.sub(r"\n\n(?=  )", f"\n\n{NOT_WRAPPED}", inspect.cleandoc(rest.get("help") or ""))
        super().__init__(name, **rest)


class GroupWithExamples(WithExamples, click.Group):
    """A group whose help does so too."""


class HelpfulCommand(WithExamples):
    """A command whose help shows settings in the sections of the documentation."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a group of settings, and the other options under `Options`."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
                sections.setdefault(getattr(parameter, "group", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def settings(*fields: str) -> Callable[[F], F]:
    """Put settings on a command; it takes them as keywords and gives them to `read`."""

    def decorate(function: F) -> F:
        for setting in reversed(SETTINGS):
            if setting.field in fields:
                _add(function, SettingOption(setting))
        return function

    return decorate


def read(flags: Mapping[str, Any], folder: Path | None = None) -> Settings:
    """The settings of this process: what its flags, environment and plugsock.toml say.

    Args:
        flags: What stood on the command line.
        folder: A folder of plugs that was named as an argument: it beats what `plugs` says anywhere.
    """
    named = {} if folder is None else {"plugs": str(folder)}
    return reading({**flags, **named}).settings


def reading(flags: Mapping[str, Any]) -> config.Reading:
    """The settings of this process, and which of them somebody chose."""
    return config.reading(flags, os.environ, config.home())


color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    envvar="PLUGSOCK_COLOR",
    help="Use colours and tables; auto: on a terminal, unless NO_COLOR is set.",
)


def format(*choices: str) -> Callable[[F], F]:
    """Let a command's output be chosen; the first is the default."""
    return click.option(
        "--format", type=click.Choice(choices), default=choices[0], help="What to print.", show_default=True
    )


def _add(function: Callable[..., Any], option: click.Option) -> None:
    # What click's own decorators do, for an option that is made already.
    parameters: list[click.Parameter] = function.__dict__.setdefault("__click_params__", [])
    parameters.append(option)


def _default(setting: Setting) -> str:
    text = default_text(setting)
    return f"  [default: {text}]" if text and not setting.is_switch else ""


def default_text(setting: Setting) -> str:
    """A default as one would write it; empty where nothing is the default."""
    value = setting.default
    if setting.field == "plugs":
        return "plugs"
    if setting.field == "data":
        return ".plugsock beside the plugs"
    if setting.is_size:
        return values.size(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None or value is False else str(value)
