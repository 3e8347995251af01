"""The data directory: one server at a time, and how commands on the same machine find it.

    .plugsock/            mode 0700: only the user who serves can look inside
      lock                held as long as the server lives; its text is the pid, for people
      server.json         where the server listens, where its admin socket is, and what it serves, while it runs

The admin socket itself lies in the runtime directory, because the path of a Unix socket ends after about 100 bytes and
a data directory's may be longer. Where there are no Unix sockets it is a port on the loopback address, and server.json,
which nobody else can read, holds the key that each request must carry.
"""

import hashlib
import os
import secrets
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

BACKLOG: Final = 8

HAS_UNIX: Final = sys.platform != "win32"


class AdminAddress(Struct, frozen=True, omit_defaults=True):
    """The way to a server's admin socket: a path, or a loopback port with its key."""

    path: str = ""
    port: int = 0
    key: str = ""


class ServerFile(Struct, frozen=True):
    """What server.json says about the server that runs."""

    url: str
    pid: int
    admin: AdminAddress
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
            PlugsockError: It can't be made, others can open it, or another server holds it.
        """
        self.path = path
        self.admin = AdminAddress()
        """Where the admin socket listens; filled in by `listen`."""
        try:
            _make_private(path)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as wrong:
            raise PlugsockError(f"{path}: the data directory can't be used: {wrong.strerror}") from wrong
        if not _try_lock(self._lock):
            pid = os.read(self._lock, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise PlugsockError(f"{path} is in use by another plugsock (process {pid}); give this one its own --data")
        os.ftruncate(self._lock, 0)
        os.write(self._lock, b"%d\n" % os.getpid())

    def listen(self, *, unix: bool = HAS_UNIX) -> socket.socket:
        """Open the admin socket: bound, listening, for this user alone; `admin` says where.

        Args:
            unix: As a Unix socket, or as a loopback port with a key?

        Raises:
            PlugsockError: There is no place for it.
        """
        try:
            server, self.admin = _listen_unix(self.path) if unix else _listen_loopback()
        except OSError as wrong:
            raise PlugsockError(f"the admin socket can't be opened: {wrong}") from wrong
        return server

    def publish(self, url: str, plugs: Path) -> None:
        """Say in server.json where the server listens, once it does, and which folder it serves."""
        new = self.path / f"server.json.{os.getpid()}"
        with open(new, "wb", opener=_open_private) as file:
            file.write(msgspec.json.encode(ServerFile(url, os.getpid(), self.admin, str(plugs))))
        new.replace(self.path / "server.json")

    def close(self) -> None:
        """Take away what `publish` and `listen` left, then let go of the lock. Once."""
        (self.path / "server.json").unlink(missing_ok=True)
        if self.admin.path:
            Path(self.admin.path).unlink(missing_ok=True)
        os.close(self._lock)


def _runtime_directories() -> list[Path]:
    """Where this user's admin sockets may lie, the best place first."""
    xdg = os.environ.get("XDG_RUNTIME_DIR", "")
    given = [Path(xdg) / "plugsock"] if xdg and _is_mine(Path(xdg)) else []
    return [*given, Path(tempfile.gettempdir()) / f"plugsock-{_user()}"]


def _listen_loopback() -> tuple[socket.socket, AdminAddress]:
    server = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    return server, AdminAddress(port=server.getsockname()[1], key=secrets.token_hex(32))


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

    def _listen_unix(data: Path) -> tuple[socket.socket, AdminAddress]:
        raise OSError(f"there are no Unix sockets here, for {data}")
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

    def _listen_unix(data: Path) -> tuple[socket.socket, AdminAddress]:
        path = _socket_path(hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16] + ".sock")
        path.unlink(missing_ok=True)  # the lock is ours, so whoever left it is dead
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(path))
        path.chmod(0o600)
        server.listen(BACKLOG)
        return server, AdminAddress(path=str(path))

    def _socket_path(name: str) -> Path:
        for place in _runtime_directories():
            if len(os.fsencode(place / name)) <= PATH_LIMIT:
                _make_private(place)
                return place / name
        raise PlugsockError(f"{place / name} is too long for a socket; set TMPDIR to a shorter path")
