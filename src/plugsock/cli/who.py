from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click
from msgspec import structs

from plugsock.cli import admin, options, style
from plugsock.rpc.admin import Present, UserRow, Who

HEADER: Final = ("user", "sockets", "permissions", "expires", "granted", "denied", "shapes")
CUT: Final = ("permissions", "granted", "denied", "shapes")
"""Columns that may be cut on a narrow terminal."""
NOBODY: Final = "-"


@click.command(cls=options.HelpfulCommand)
@options.format("text", "json")
@options.color
@options.settings(*options.PLACE)
def who(format: str, color: style.Color, **flags: Any) -> int:
    """Show who is connected, and what they may do.

    Of each user the open sockets, the permissions (what is denied of them has a `!` in front), when the first token
    ends, what was granted and denied at run time, and which shapes the clients were built for, if they say so. Whoever
    was granted or denied something is shown even without a socket. `-` are the sockets of nobody that is known. In a
    pipe the columns are separated by tabs.

      plugsock who
      plugsock who --format json | jq '.users[] | select(.sockets > 0) | .user'
    """
    reply = admin.ask(admin.find(options.read(flags), flags), Who())
    assert isinstance(reply, Present)
    if format == "json":
        style.json_document(structs.asdict(reply))
    else:
        style.rows(HEADER, _rows(reply), color, may_be_cut=CUT, only_wide=("expires",))
    return 0


def _rows(reply: Present) -> Iterator[tuple[str, ...]]:
    yield from map(_row, reply.users)
    if reply.anonymous:
        yield (NOBODY, str(reply.anonymous), *[NOBODY] * 4, _listed(reply.anonymous_shapes))


def _row(row: UserRow) -> tuple[str, ...]:
    return (
        row.user,
        str(row.sockets),
        _listed(row.permissions),
        _moment(row.expires),
        _listed(row.granted),
        _listed(row.denied),
        _listed(row.shapes),
    )


def _listed(words: list[str]) -> str:
    return " ".join(words) or NOBODY


def _moment(wall: float | None) -> str:
    if wall is None:
        return NOBODY
    try:
        return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):  # a token may name a second that no calendar has
        return f"{wall:g}"
