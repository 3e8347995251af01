"""What was granted and denied to users while the server ran; it outlives restarts and new tokens.

    grants.json     {"v":1,"users":{"ada":{"granted":["orders.read"],"denied":["orders.delete"]}}}

A change is on the disk before it is in force, and in force before it is answered. Changes are made one after the other,
in the order in which they were asked for.

A denial wins over everything that is granted or that a token says, and is kept until exactly the same is granted: to
grant `orders.read` where `orders.*` is denied is taken down, and changes nothing until `orders.*` is granted as well.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct

from plugsock.errors import PlugsockError
from plugsock.hub.rights import Rights, check_pattern, overlap
from plugsock.ops import durable

MAX_USERS: Final = 100_000
MAX_PERMISSIONS: Final = 1_000
"""Of one user, granted and denied. Whoever needs more should say it in tokens, or in a permission with a wildcard."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of the whole file, since each change writes all of it: 100,000 users with six permissions each. To encode so much
takes 10 ms, during which nothing else runs."""

LONGEST_USER: Final = 255
"""Characters of a user's id: as many as OpenID Connect allows in a `sub`."""

T = TypeVar("T")


class Kept(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Patterns that one user was granted and denied, each sorted."""

    granted: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class _File(Struct, forbid_unknown_fields=True):
    v: Literal[1]
    users: dict[str, Kept]


_decoder: Final = msgspec.json.Decoder(_File)
_NOTHING: Final = Kept()


def check_user(id: str) -> None:
    """Make sure that somebody's rights can be kept under an id.

    Raises:
        ValueError: They can't.
    """
    if not 1 <= len(id) <= LONGEST_USER:
        raise ValueError(f"a user's id has 1 to {LONGEST_USER} characters, and this one has {len(id)}")
    try:
        id.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{id!a} can't be a user's id: it is no proper text") from None


class Grants(Generic[T]):
    """The grants and denials of all users.

    Args:
        path: The file that they are kept in. Nobody else may write it while the server runs.
        apply: Called with the user in the very step in which a change comes into force, so that nothing happens in
            between; what it returns is the answer.
    """

    def __init__(self, path: Path, apply: Callable[[str], T]) -> None:
        """Read what was kept.

        Raises:
            PlugsockError: There is a file, and it can't be read: who was denied what is not known, so nobody is served.
        """
        self._path = path
        self._apply = apply
        self._users = _read(path)
        self._turn = asyncio.Lock()

    def users(self) -> Mapping[str, Kept]:
        """What was granted and denied, by user; it stays as it is when there are changes."""
        return self._users

    def rights(self, user: str, permissions: Iterable[str], version: int) -> Rights:
        """What a user may do whose token has these permissions.

        Raises:
            ValueError: One of them is no permission.
        """
        kept = self._users.get(user, _NOTHING)
        return Rights({*permissions, *kept.granted}, kept.denied, version)

    def standing(self, user: str, permission: str) -> list[str]:
        """Denials that take away all or some of what a permission stands for, whatever is granted."""
        return [denied for denied in self._users.get(user, _NOTHING).denied if overlap(denied, permission)]

    async def grant(self, user: str, permission: str) -> T:
        """Let a user have a permission, or all that a wildcard stands for; the same denial is taken back.

        A change that has begun is made, even if whoever asked for it is cancelled meanwhile.

        Raises:
            PlugsockError: It can't be kept, so nothing has changed; the text says why.
        """
        return await self._change(user, permission, _granted)

    async def revoke(self, user: str, permission: str) -> T:
        """Deny a user a permission, or all that a wildcard stands for, until the same is granted.

        A change that has begun is made, even if whoever asked for it is cancelled meanwhile.

        Raises:
            PlugsockError: It can't be kept, so nothing has changed; the text says why.
        """
        return await self._change(user, permission, _denied)

    async def _change(self, user: str, permission: str, changed: Callable[[Kept, str], Kept]) -> T:
        try:
            check_user(user)
            check_pattern(permission)
        except ValueError as wrong:
            raise PlugsockError(str(wrong)) from None
        cancelled = None
        async with self._turn:
            before = self._users.get(user, _NOTHING)
            after = changed(before, permission)
            if after != before:
                users = {**self._users, user: after}
                _check_room(users, user, self._path)
                cancelled = await self._keep(users)
                self._users = users
            answer = self._apply(user)
        if cancelled is not None:
            raise cancelled
        return answer

    async def _keep(self, users: dict[str, Kept]) -> asyncio.CancelledError | None:
        """Write them down, whoever cancels it: what is on the disk must be in force, too. The cancellation, if any."""
        writing = asyncio.get_running_loop().run_in_executor(None, _write, self._path, users)
        cancelled = None
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError as error:
                cancelled = error
        try:
            writing.result()
        except OSError as wrong:
            raise PlugsockError(
                f"{self._path} can't be written, so nothing has changed: {wrong.strerror or wrong}"
            ) from wrong
        return cancelled


def _granted(kept: Kept, permission: str) -> Kept:
    return Kept(_with(kept.granted, permission), _without(kept.denied, permission))


def _denied(kept: Kept, permission: str) -> Kept:
    return Kept(_without(kept.granted, permission), _with(kept.denied, permission))


def _with(patterns: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    return tuple(sorted({*patterns, pattern}))


def _without(patterns: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    return tuple(each for each in patterns if each != pattern)


def _check_room(users: dict[str, Kept], user: str, path: Path) -> None:
    kept = users[user]
    if len(kept.granted) + len(kept.denied) > MAX_PERMISSIONS:
        raise PlugsockError(
            f"{user!r} has {MAX_PERMISSIONS:,} permissions granted and denied, which is the most that is kept:"
            " use one with a wildcard, or the user's token"
        )
    if len(users) > MAX_USERS:
        raise PlugsockError(
            f"{path} has grants and denials of {MAX_USERS:,} users, which is the most that is kept:"
            " take out some while the server does not run"
        )


def _write(path: Path, users: dict[str, Kept]) -> None:
    content = msgspec.json.encode(_File(1, users))
    if len(content) > MAX_BYTES:
        raise PlugsockError(
            f"{path} would be larger than {MAX_BYTES:,} bytes, which is the most that is kept:"
            " take out some users while the server does not run"
        )
    durable.write(path, content)


def _read(path: Path) -> dict[str, Kept]:
    try:
        content = durable.read(path)
        return {} if content is None else _checked(_decoder.decode(content).users)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise _unreadable(path, str(error)) from error


def _checked(users: dict[str, Kept]) -> dict[str, Kept]:
    for user, kept in users.items():
        check_user(user)
        for pattern in (*kept.granted, *kept.denied):
            check_pattern(pattern)
    return users


def _unreadable(path: Path, reason: str) -> PlugsockError:
    return PlugsockError(
        f"{path} can't be read ({reason}), and without it nobody knows who was denied what:"
        f" put a good copy in its place, or begin without any grants and denials: mv {path} {path}.broken"
    )
