"""Sessions that may be taken up again, by their resume key."""

import secrets
from typing import Final, Generic, TypeVar

KEEP_S: Final = 60.0
"""How long a session outlives its socket. Socket.IO keeps 120 s, Centrifugo 300 s of history; a minute covers a
tunnel or a sleeping phone, and what is older is fetched anew anyway."""

MAX_LOST: Final = 10_000
"""Sessions without a socket that are kept. Each may hold up to 256 KiB of answers, most hold a few."""

Holder = TypeVar("Holder")


class Sessions(Generic[Holder]):
    """Resume keys, each secret, good for one use, and forgotten a while after its socket went."""

    def __init__(self) -> None:
        self._by_key: dict[str, Holder] = {}
        self._lost: dict[str, float] = {}
        """When the socket of a key went, in that order."""

    def open(self, holder: Holder) -> str:
        """Give a session a key by which it can be taken up again."""
        key = secrets.token_urlsafe(18)
        self._by_key[key] = holder
        return key

    def get(self, key: str) -> Holder | None:
        """The session of a key, which stays good."""
        return self._by_key.get(key)

    def lost(self, key: str, now: float) -> list[Holder]:
        """The socket of a session went: keep it from now on for `KEEP_S`; what there is no room for is forgotten."""
        if key in self._by_key:
            self._lost[key] = now
        return [self._forget(next(iter(self._lost))) for _ in range(len(self._lost) - MAX_LOST)]

    def take(self, key: str) -> Holder | None:
        """The session of a key, which is then used up."""
        self._lost.pop(key, None)
        return self._by_key.pop(key, None)

    def expire(self, now: float) -> list[Holder]:
        """Forget the sessions that nobody took up in time, and say which."""
        due = []
        for key, since in self._lost.items():
            if now - since < KEEP_S:
                break
            due.append(key)
        return [self._forget(key) for key in due]

    def _forget(self, key: str) -> Holder:
        del self._lost[key]
        return self._by_key.pop(key)

    @property
    def waiting(self) -> bool:
        """Is any session without a socket?"""
        return bool(self._lost)
