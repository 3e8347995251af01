"""Who is in one topic, as those who are told see it: one entry a user, however many sockets, and what has changed lately.

Pure: whoever sends the news decides when. Changes are numbered, so that somebody who was given the list in between is
told only of what came after it.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from plugsock.model import Member, User

_HASHED: Final = 9
"""Bytes: as many as are random in a socket's id."""


class Names:
    """What sockets are called in topics: by their user, or, if they are nobody's, by a name of which nobody can tell their id."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, socket: str, user: User | None) -> str:
        """The name of a socket, the same for as long as the server runs."""
        if user is not None:
            return user.id
        hashed = hashlib.blake2b(socket.encode(), key=self._key, digest_size=_HASHED)
        return "~" + urlsafe_b64encode(hashed.digest()).decode()


class Entry(Struct):
    """Somebody who is here."""

    id: str
    user: str | None
    sockets: int
    data: bytes | None
    """What was said of them last, as JSON."""

    def told(self) -> Member:
        """As clients are told it in JSON: what was said of them is passed on as it is."""
        return Member(self.id, self.user, self.sockets, None if self.data is None else msgspec.Raw(self.data))

    def plain(self) -> Member:
        """As values, for any other format."""
        data: Any = None if self.data is None else msgspec.json.decode(self.data)
        return Member(self.id, self.user, self.sockets, data)


class News(Struct):
    """What has changed, each list in the order of the changes."""

    joined: list[bytes]
    """Entries as JSON."""
    joined_at: list[int]
    left: list[str]
    left_at: list[int]

    def after(self, change: int) -> tuple[Sequence[bytes], Sequence[str]]:
        """Who has joined and who has left since a change, of which one has heard."""
        return (
            self.joined[bisect_right(self.joined_at, change) :],
            self.left[bisect_right(self.left_at, change) :],
        )


class Presence:
    """The entries of one topic.

    Attributes:
        change: The number of the latest change.
        is_told: Somebody is told of changes, so they are kept until the news are taken.
    """

    __slots__ = ("_changed", "_entries", "change", "is_told")

    def __init__(self, *, is_told: bool = True) -> None:
        self.change = 0
        self.is_told = is_told
        self._entries: dict[str, Entry] = {}
        self._changed: dict[str, int] = {}
        """The latest change of each entry that has changed since the news were taken, in order."""

    def enter(self, id: str, user: str | None, data: bytes | None) -> None:
        """One more socket of somebody is here."""
        entry = self._entries.get(id)
        if entry is None:
            self._entries[id] = Entry(id, user, 1, data)
            self._note(id)
            return
        entry.sockets += 1
        self.say(id, data)

    def say(self, id: str, data: bytes | None) -> None:
        """Say something of somebody who is here, if there is anything to say."""
        entry = self._entries[id]
        if data is not None and data != entry.data:
            entry.data = data
            self._note(id)

    def leave(self, id: str) -> None:
        """One socket of somebody has left."""
        entry = self._entries[id]
        entry.sockets -= 1
        if not entry.sockets:
            del self._entries[id]
            self._note(id)

    def listing(self) -> list[Entry]:
        """Everybody who is here, by id."""
        return [self._entries[id] for id in sorted(self._entries)]

    def tell(self, *, is_told: bool) -> None:
        """Keep changes from now on, or no longer; to begin with everybody is new, since so far nobody was told."""
        was_told, self.is_told = self.is_told, is_told
        if not is_told:
            self._changed.clear()
        elif not was_told:
            for id in self._entries:
                self._note(id)

    @property
    def has_changed(self) -> bool:
        """Are there news?"""
        return bool(self._changed)

    def take(self) -> News:
        """The news, which are then none any more."""
        news = News([], [], [], [])
        for id, change in self._changed.items():
            entry = self._entries.get(id)
            if entry is None:
                news.left.append(id)
                news.left_at.append(change)
            else:
                news.joined.append(msgspec.json.encode(entry.told()))
                news.joined_at.append(change)
        self._changed.clear()
        return news

    def _note(self, id: str) -> None:
        self.change += 1
        if self.is_told:
            self._changed.pop(id, None)
            self._changed[id] = self.change
