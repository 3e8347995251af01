import click
from click.shell_completion import get_completion_class

from plugsock.cli import options


@click.command(cls=options.HelpfulCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script for your shell.

    It teaches SHELL to complete commands, options and the names of events.

      eval "$(plugsock completion bash)"     # in ~/.bashrc
      eval "$(plugsock completion zsh)"      # in ~/.zshrc, after compinit
      plugsock completion fish > ~/.config/fish/completions/plugsock.fish
    """
    made = get_completion_class(shell)
    assert made is not None, "click knows the three shells"
    print(made(ctx.find_root().command, {}, "plugsock", "_PLUGSOCK_COMPLETE").source())
