"""What the Tab key completes from the server that runs here; nothing where none does."""

from typing import Final

import click

from plugsock.cli import admin, options
from plugsock.model import Announcement, Kind
from plugsock.rpc.admin import Asked, List, Listing, Present, Reply, Who

COMPLETION_S: Final = 0.3
"""Somebody is waiting for the Tab key."""


def events(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The events that can be called."""
    return [each.event for each in _known(typed)]


def views(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The events that can be watched."""
    return [each.event for each in _known(typed) if each.kind is Kind.VIEW]


def users(_ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The users who are here, or were granted or denied something."""
    reply = _answer(Who())
    known = [row.user for row in reply.users] if isinstance(reply, Present) else []
    return [user for user in known if user.startswith(typed)]


def _known(typed: str) -> list[Announcement]:
    reply = _answer(List())
    events = reply.events if isinstance(reply, Listing) else []
    return [each for each in events if not each.is_hidden and each.event.startswith(typed)]


def _answer(request: Asked) -> Reply | None:
    try:
        return admin.ask(admin.find(options.read({}), {}), request, answer_s=COMPLETION_S)
    except Exception:
        # A shell shows what is printed here in the middle of the command line: any failure means no suggestions.
        return None
