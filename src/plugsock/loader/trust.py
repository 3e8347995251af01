"""Whoever can write into a folder of plugs runs code as the server. Who can?

It should be the server's own user and root, whom nothing keeps out anyway. What is judged is what is opened, so that
nobody can exchange it between the judgement and the reading. Above the folder of plugs nothing is looked at: in a
sticky `/tmp` nobody can exchange it, and elsewhere what somebody else puts in its place is his and refused for that.
"""

import contextlib
import os
import shlex
import stat
import sys
from collections.abc import Iterator
from typing import Final

from plugsock.loader.source import one_line

if sys.platform != "win32":
    import grp
    import pwd

ROOT: Final = 0

ACCESS_LIST: Final = "system.posix_acl_access"
"""Where Linux keeps what `setfacl` has granted beyond owner, group and everybody."""


class Untrusted(Exception):
    """Somebody else can write to it; the text says who, and the command that mends it."""


class Guard:
    """Opens files and folders of one folder of plugs, if nobody else can write to them.

    It remembers what the system's user database says about a group, so it is made anew for each scan.

    Args:
        is_off: Open everything. Always so on Windows, whose access lists can't be seen in a mode.
    """

    def __init__(self, *, is_off: bool) -> None:
        self._is_off = is_off or sys.platform == "win32"
        self._private: dict[tuple[int, int], bool] = {}

    @contextlib.contextmanager
    def opened(self, path: str, flags: int) -> Iterator[int]:
        """Open a file or folder for as long as the context lasts.

        Raises:
            Untrusted: Somebody else can write to what was opened, whatever the path leads to by now.
            OSError: It can't be opened.
        """
        fd = os.open(path, flags)
        try:
            self.check(path, fd)
            yield fd
        finally:
            os.close(fd)

    def check(self, path: str, fd: int | None = None) -> None:
        """Judge what a path leads to.

        Args:
            path: Names it in what is said about it.
            fd: The same thing, opened: judge this.

        Raises:
            Untrusted: Somebody else can write to it.
        """
        if self._is_off:
            return
        target = path if fd is None else fd
        info = os.stat(target)  # noqa: PTH116 -- a Path can't be a descriptor
        flaws = list(self._flaws(target, info))
        if flaws:
            every = "-R " if stat.S_ISDIR(info.st_mode) else ""
            place = one_line(shlex.quote(path))
            commands = " && ".join(f"{command} {every}{what} {place}" for _, command, what in flaws)
            said = " and ".join(reason for reason, _, _ in flaws)
            raise Untrusted(f"{said}, and whoever can change a plug runs code as the server; mend it with: {commands}")

    def _flaws(self, target: str | int, info: os.stat_result) -> Iterator[tuple[str, str, str]]:
        """What is wrong, the command that mends it and its first argument."""
        me = os.geteuid()
        if info.st_uid not in (ROOT, me):
            yield f"it belongs to the user {_user(info.st_uid)}", "chown", _user(me)
        if info.st_mode & stat.S_IWOTH:
            yield "everybody can write to it", "chmod", "go-w"
        elif info.st_mode & stat.S_IWGRP and not self._is_owners_alone(target, info):
            yield f"the group {_group(info.st_gid)} can write to it", "chmod", "go-w"

    def _is_owners_alone(self, target: str | int, info: os.stat_result) -> bool:
        """Is the right to write that the group has the owner's alone? With the umask 002 every file is so."""
        ids = (info.st_uid, info.st_gid)
        if ids not in self._private:
            self._private[ids] = is_private(*ids)
        return self._private[ids] and not _has_access_list(target)


def is_private(uid: int, gid: int) -> bool:
    """Is this the group that many systems make for each user, named like the user and with no other member?"""
    try:
        owner, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    if group.gr_name != owner.pw_name or set(group.gr_mem) - {owner.pw_name}:
        return False
    # Those whose first group it is are not listed with the group.
    return all(user.pw_uid == uid for user in pwd.getpwall() if user.pw_gid == gid)


def _has_access_list(target: str | int) -> bool:
    """Has `setfacl` granted something to others? The mode shows it as a right of the group."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it has none, or the file system has no such thing
            return bool(os.getxattr(target, ACCESS_LIST))
    return False


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
