"""The data directory: one server at a time, and how commands on the same machine find it.

    .plugsock/            mode 0700: only the user who serves can look inside
      lock                held as long as the server lives; its text is the pid, for people
      server.json         where the server listens, where its admin socket is, and what it serves, while it runs
      grants.json         what was granted and denied to users; see hub/grants.py

The admin socket and the one that workers join at lie in the runtime directory, because the path of a Unix socket ends
after about 100 bytes and a data directory's may be longer. Where there are no Unix sockets they are ports on the
loopback address, each with a key: the admin socket's is in server.json, which nobody else can read, and it hands out
the other one.
"""

import hashlib
import os
import secrets
import shutil
import socket
import stat
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from plugsock.errors import PlugsockError

PATH_LIMIT: Final = 103
"""Bytes of a Unix socket's path: 104 with the closing NUL on macOS and the BSDs, 108 on Linux."""

BACKLOG: Final = 64
"""Connections that wait to be accepted: as many workers as may join at the same time."""

HAS_UNIX: Final = sys.platform != "win32"


class Address(Struct, frozen=True, omit_defaults=True):
    """The way to a socket of a server: a path, or a loopback port with its key."""

    path: str = ""
    port: int = 0
    key: str = ""

    def __str__(self) -> str:
        """As one would say it, without the key."""
        return self.path or f"127.0.0.1:{self.port}"


class DirectoryInUse(PlugsockError):
    """Another server holds the data directory; `pid` is its process, if it said so."""

    def __init__(self, path: Path, pid: str) -> None:
        super().__init__(f"{path} is in use by another plugsock (process {pid}); give this one its own --data")
        self.pid = int(pid) if pid.isdecimal() else None


class ServerFile(Struct, frozen=True):
    """What server.json says about the server that runs."""

    url: str
    pid: int
    admin: Address
    plugs: str = ""
    """The folder that it serves; empty where an older version wrote the file."""


def read_server(data: Path) -> ServerFile | None:
    """What server.json of a data directory says, or None where no server runs (or died without taking it away)."""
    try:
        return msgspec.json.decode((data / "server.json").read_bytes(), type=ServerFile)
    except (OSError, msgspec.MsgspecError):
        return None


class DataDirectory:
    """A data directory, held by this process until `close`."""

    def __init__(self, path: Path) -> None:
        """Make the directory if it is missing, make sure that it is private, and lock it.

        Raises:
            DirectoryInUse: Another server holds it.
            PlugsockError: It can't be made, or others can open it.
        """
        self.path = path
        self.admin = Address()
        """Where the admin socket listens; filled in by `listen`."""
        self.workers = Address()
        """Where workers join; filled in by `listen_workers`."""
        self._scratch: Path | None = None
        try:
            _make_private(path)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as wrong:
            raise PlugsockError(f"{path}: the data directory can't be used: {wrong.strerror}") from wrong
        if not _try_lock(self._lock):
            pid = os.read(self._lock, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise DirectoryInUse(path, pid)
        os.ftruncate(self._lock, 0)
        os.write(self._lock, b"%d\n" % os.getpid())

    def listen(self, *, unix: bool = HAS_UNIX) -> socket.socket:
        """Open the admin socket: bound, listening, for this user alone; `admin` says where.

        Args:
            unix: As a Unix socket, or as a loopback port with a key?

        Raises:
            PlugsockError: There is no place for it.
        """
        server, self.admin = self._listen("sock", unix=unix)
        return server

    def listen_workers(self, *, unix: bool = HAS_UNIX) -> socket.socket:
        """Open the socket where workers join, in the same way; `workers` says where.

        Raises:
            PlugsockError: There is no place for it.
        """
        server, self.workers = self._listen("workers", unix=unix)
        return server

    def scratch(self) -> Path:
        """Make an empty directory for files that are of no use once the server has ended; only this user can open it.

        Raises:
            PlugsockError: There is no place for it.
        """
        place = _runtime_directories()[0]
        try:
            _make_private(place)
            self._scratch = place / self._hash
            shutil.rmtree(self._scratch, ignore_errors=True)  # the lock is ours, so whoever left it is dead
            _make_private(self._scratch)
        except OSError as wrong:
            raise PlugsockError(f"{place}: temporary files can't be kept there: {wrong.strerror}") from wrong
        return self._scratch

    def restore_scratch(self) -> None:
        """Make that directory again if it is missing: it is empty most of the time, so that a cleaner may take it away.

        Raises:
            PlugsockError, OSError: There is no place for it, or something else is there.
        """
        assert self._scratch is not None
        _make_private(self._scratch.parent)
        _make_private(self._scratch)

    def publish(self, url: str, plugs: Path) -> None:
        """Say in server.json where the server listens, once it does, and which folder it serves."""
        new = self.path / f"server.json.{os.getpid()}"
        with open(new, "wb", opener=_open_private) as file:
            file.write(msgspec.json.encode(ServerFile(url, os.getpid(), self.admin, str(plugs))))
        new.replace(self.path / "server.json")

    def close(self) -> None:
        """Take away what was published and listened on, then let go of the lock. Once."""
        (self.path / "server.json").unlink(missing_ok=True)
        for address in (self.admin, self.workers):
            if address.path:
                Path(address.path).unlink(missing_ok=True)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        os.close(self._lock)

    @property
    def _hash(self) -> str:
        """Short, and this directory's alone."""
        return hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:16]

    def _listen(self, ending: str, *, unix: bool) -> tuple[socket.socket, Address]:
        name = f"{self._hash}.{ending}"
        try:
            return _listen_unix(name) if unix else _listen_loopback()
        except OSError as wrong:
            raise PlugsockError(f"the socket {name} can't be opened: {wrong}") from wrong


def _runtime_directories() -> list[Path]:
    """Where this user's sockets may lie, the best place first."""
    xdg = os.environ.get("XDG_RUNTIME_DIR", "")
    given = [Path(xdg) / "plugsock"] if xdg and _is_mine(Path(xdg)) else []
    return [*given, Path(tempfile.gettempdir()) / f"plugsock-{_user()}"]


def _listen_loopback() -> tuple[socket.socket, Address]:
    server = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    return server, Address(port=server.getsockname()[1], key=secrets.token_hex(32))


def _make_private(path: Path) -> None:
    """Make a directory that only this user can open; one that is there is checked and never changed."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_mine(path):
        raise PlugsockError(f"{path} belongs to somebody else, or is no directory")
    if HAS_UNIX and stat.S_IMODE(path.lstat().st_mode) & 0o077:
        raise PlugsockError(f"{path} can be opened by others; make it private with: chmod 700 {path}")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


# Windows: no Unix sockets; a user's folders are private by inheritance, and modes and user ids mean nothing.
if sys.platform == "win32":
    import msvcrt

    _BEYOND_TEXT: Final = 1 << 20
    """Windows locks keep others from reading too, so the locked byte is not one of the pid's."""

    def _try_lock(file: int) -> bool:
        os.lseek(file, _BEYOND_TEXT, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

    def _is_mine(path: Path) -> bool:
        return path.is_dir()

    def _user() -> str:
        return os.environ.get("USERNAME", "user")

    def _listen_unix(name: str) -> tuple[socket.socket, Address]:
        raise OSError(f"there are no Unix sockets here, for {name}")
else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _is_mine(path: Path) -> bool:
        """Is it a directory (no link to one) of this user?"""
        try:
            found = path.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()

    def _user() -> str:
        return str(os.getuid())

    def _listen_unix(name: str) -> tuple[socket.socket, Address]:
        path = _socket_path(name)
        path.unlink(missing_ok=True)  # the lock is ours, so whoever left it is dead
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(BACKLOG)
        return server, Address(path=str(path))

    def _socket_path(name: str) -> Path:
        for place in _runtime_directories():
            if len(os.fsencode(place / name)) <= PATH_LIMIT:
                _make_private(place)
                return place / name
        raise PlugsockError(f"{place / name} is too long for a socket; set TMPDIR to a shorter path")
