import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from plugsock.cli import config, options, saving, style
from plugsock.errors import PlugsockError, SettingsError

if TYPE_CHECKING:
    from plugsock.cli.defaults import Default

HEADER = ("name", "events", "about")


def _completed(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from plugsock.cli.defaults import defaults

    return [CompletionItem(each.name, help=each.about) for each in defaults() if each.name.startswith(incomplete)]


@click.command(cls=options.HelpfulCommand)
@click.argument("name", metavar="[NAME]", required=False, shell_complete=_completed)
@options.color
@options.settings("plugs")
def eject(name: str | None, color: style.Color, **flags: Any) -> int:
    """Copy a default plug into the folder, to change it there.

    NAME is a file of the default plugs or an event of one; without it they are listed. From then on the file in the
    folder answers its events, and the default plug does so again once that file is deleted. Nothing is ever
    overwritten.

      plugsock eject
      plugsock eject chat
      plugsock eject chat.send
    """
    from plugsock.cli.defaults import defaults  # needs 8 ms that no other command should wait for

    known = defaults()
    if name is None:
        style.rows(HEADER, ((each.name, ", ".join(each.events), each.about) for each in known), color)
        return 0
    default = _named(name, known)
    target = _target(default, options.read(flags).plugs)
    try:
        saving.create(target, default.file.read_bytes())
    except FileExistsError as wrong:
        raise PlugsockError(f"{target} is there already, and nothing is overwritten; move it away first") from wrong
    except OSError as wrong:
        raise PlugsockError(f"{wrong.filename or target}: {wrong.strerror}") from wrong
    named = f" --plugs {shlex.quote(flags['plugs'])}" if flags["plugs"] else ""
    print(f"wrote  {target}")
    print(f"next:   {f'plugsock{named}':<44} (serves it as {', '.join(default.events)}; each save is swapped in)")
    return 0


def _named(name: str, known: "list[Default]") -> "Default":
    """The default plug that has the name, or answers the event."""
    for default in known:
        if name == default.name or name in default.events:
            return default
    if not known:
        raise PlugsockError("this plugsock was installed without default plugs")
    names = {each for default in known for each in (default.name, *default.events)}
    raise click.UsageError(f"there is no default plug {name!r}{config.did_you_mean(name, sorted(names))}")


def _target(default: "Default", plugs: Path) -> Path:
    """Where the copy goes.

    Raises:
        SettingsError: Somebody named a folder that is not there.
        PlugsockError: It can't be put there.
    """
    if not plugs.is_dir() and plugs != config.home() / "plugs":
        raise SettingsError(f"{plugs}: there is no such folder of plugs")
    target = plugs / default.file.name
    if target.exists() and target.samefile(default.file):
        raise PlugsockError(f"{target} is the default plug itself; change it there")
    if target.with_suffix("").is_dir():
        raise PlugsockError(f"{target.with_suffix('')} is a folder of plugs, and {target.name} can't stand beside it")
    saving.refuse_other_capitals(target.with_suffix(""), plugs)
    return target
