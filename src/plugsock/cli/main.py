"""`plugsock`: finds the command, and turns what goes wrong into one line and an exit status.

Exit statuses: 0 done, 1 it did not hold, 2 wrong usage.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Final

import click
from click.shell_completion import CompletionItem

from plugsock import __version__
from plugsock.cli import double_click, options, style
from plugsock.cli.add import add
from plugsock.cli.call import call
from plugsock.cli.check import check
from plugsock.cli.completion import completion
from plugsock.cli.eject import eject
from plugsock.cli.grant import grant
from plugsock.cli.hot import hot
from plugsock.cli.kick import kick
from plugsock.cli.list import list_
from plugsock.cli.mock import mock
from plugsock.cli.pip import group as pip
from plugsock.cli.ps import ps
from plugsock.cli.reload import reload
from plugsock.cli.revoke import revoke
from plugsock.cli.schema import schema
from plugsock.cli.selftest import selftest
from plugsock.cli.serve import serve
from plugsock.cli.swap import swap
from plugsock.cli.types import types
from plugsock.cli.watch import watch
from plugsock.cli.who import who
from plugsock.cli.worker import worker
from plugsock.errors import Error, PlugsockError, SettingsError
from plugsock.ops.output import to_nowhere

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
"""What shells report for a program that Ctrl-C ended: 128 + SIGINT."""


class ServeByDefault(options.GroupWithExamples):
    """A group for which options without a command are those of `serve`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the missing `serve` in front; a word that is completed may still become another command."""
        is_serve = args[0].startswith("-") and args[0] not in {"-h", "--help", "--version"} if args else True
        if is_serve and (args or not ctx.resilient_parsing):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and the options that can stand without one."""
        found = super().shell_complete(ctx, incomplete)
        return found + serve.shell_complete(ctx, incomplete) if incomplete.startswith("-") else found


@click.group(cls=ServeByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="plugsock %(version)s")
def plugsock() -> None:
    """Serve plugs: Python functions in a folder, each answering one event over a WebSocket, swapped while it serves.

    Without a command, plugsock serves the folder `plugs`:

      plugsock                          serve ./plugs on ws://127.0.0.1:8765
      plugsock --port 9000 --dev        the settings of `plugsock serve --help`
      plugsock add plug greet           write a first plug, and a test for it
      plugsock call greet '{"name": "Ada"}'
      plugsock mock                     answers that are made up, to build the other side
    """


for command in (
    *(serve, mock, call, watch, list_, swap, ps, reload, worker, who, grant, revoke, kick),
    *(check, schema, types, hot, add, pip, eject, selftest, completion),
):
    plugsock.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and say with which status the process should end."""
    style.survive_any_text()
    if arguments is None and double_click.was_double_clicked(sys.argv):
        return _run(["--open"], double_click.fail)
    return _run(arguments, style.fail)


def _run(arguments: Sequence[str] | None, fail: Callable[[str], None]) -> int:
    try:
        status = plugsock.main(arguments, prog_name="plugsock", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as wrong:  # a group without its command: `plugsock add`
        print(wrong.format_message(), file=sys.stderr)
        return WRONG_USAGE
    except click.UsageError as wrong:
        fail(" ".join(wrong.format_message().split()))  # click lists choices on lines of their own
        return WRONG_USAGE
    except SettingsError as wrong:
        fail(str(wrong))
        return WRONG_USAGE
    except (PlugsockError, Error) as wrong:
        fail(str(wrong))
        return FAILED
    except BrokenPipeError:  # whoever read has seen enough
        to_nowhere(sys.stdout)
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as wrong:
        if fail is style.fail:  # from a terminal, where a traceback can be read, and sent to somebody
            raise
        fail(f"it has failed in a way that nobody foresaw: {wrong!r}")
        return FAILED
    return status or DONE
