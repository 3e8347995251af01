from typing import Any

import click

from plugsock.cli import config, options
from plugsock.cli.sample import make_folder
from plugsock.errors import SettingsError
from plugsock.settings import Settings


@click.command(cls=options.HelpfulCommand)
@options.settings(*options.ALL)
def serve(**flags: Any) -> int:
    """Serve the folder of plugs.

    Until Ctrl-C or SIGTERM; `plugsock` alone does the same.

    Each setting can also stand in plugsock.toml beside the folder (`max_open = 64`) or in the environment
    (`PLUGSOCK_MAX_OPEN=64`). Flags beat the environment, the environment beats the file. Times are seconds, sizes are
    bytes (64KiB and 1MiB may be said).

      plugsock --port 9000                          somewhere else
      plugsock --open                               show the start page in the browser
      plugsock --dev                                tracebacks for clients, results checked
      plugsock --host 0.0.0.0 --allow-host example.org --tls-cert cert.pem --tls-key key.pem
    """
    reading = options.reading(flags)
    return start(reading.settings, is_port_chosen="port" in reading.sources)


def start(settings: Settings, *, is_port_chosen: bool) -> int:
    """Serve until a signal ends it; the exit status.

    Args:
        settings: What is served, and how.
        is_port_chosen: Somebody has said which port, so that no other one will do.

    Raises:
        SettingsError: The folder can't be read.
        PlugsockError: It can't be served.
    """
    _folder_of(settings)
    from plugsock import app
    from plugsock.ops import log

    log.configure(settings.log_format, dev=settings.dev)
    if settings.open:
        from plugsock.cli import desktop

        return desktop.serve(settings, is_port_chosen=is_port_chosen)
    return app.run(settings)


def _folder_of(settings: Settings) -> None:
    """The default folder is made where it is missing; one that somebody named has to be there."""
    try:
        if settings.plugs == config.home() / "plugs":
            make_folder(settings.plugs, sample=settings.open)
        any(settings.plugs.iterdir())
    except OSError as wrong:
        raise SettingsError(f"{settings.plugs}: this folder of plugs can't be read: {wrong.strerror}") from wrong
