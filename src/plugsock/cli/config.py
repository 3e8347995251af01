"""Where settings come from: flags beat `PLUGSOCK_*` variables, those beat `plugsock.toml`, that beats the defaults."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plugsock.cli import values
from plugsock.errors import SettingsError
from plugsock.frozen import executable, python
from plugsock.mock import faults
from plugsock.pool import sizes
from plugsock.pool.cores import cores
from plugsock.rpc import start
from plugsock.settings import SETTINGS, Setting, Settings

FILE: Final = "plugsock.toml"
PREFIX: Final = "PLUGSOCK_"

OTHER_TABLES: Final = frozenset({"check"})
"""Tables of plugsock.toml that a command reads and the server does not."""

OTHER_VARIABLES: Final = frozenset(
    {
        *("PLUGSOCK_URL", "PLUGSOCK_TOKEN", "PLUGSOCK_COLOR", "PLUGSOCK_FORMAT"),
        *(start.KEY, start.LIFELINE, start.CONTROL, python.LIBRARIES),
    }
)
"""Variables that the commands and workers read and the server does not, so that they are no mistake."""

OF_PLUGS: Final = ("PLUGSOCK_JWT_",)
"""What the variables of default plugs begin with; those look themselves for names that are a mistake."""

Flags = Mapping[str, str | bool | tuple[str, ...] | None]
"""What stood on the command line, by field of `Settings`; None or an empty tuple where nothing did."""


class Found(Struct, frozen=True):
    """A value and where it was found."""

    source: str
    """As the user would look for it: `--port`, `PLUGSOCK_PORT`, `plugsock.toml:3: port`."""
    value: Any


class Reading(Struct, frozen=True):
    """The settings of a server, and which of them somebody chose."""

    settings: Settings
    sources: Mapping[str, str]
    """Field -> where it was found, as `Found.source`; without those that nobody has said anything about."""


def home() -> Path:
    """The folder that relative defaults start from: the executable's if it is just a file, else the working directory."""
    return Path.cwd() if executable.is_installed() else executable.folder()


def read(flags: Flags, environ: Mapping[str, str], base: Path) -> Settings:
    """Collect the settings of a server, as `reading` does, where nobody minds who chose them."""
    return reading(flags, environ, base).settings


def reading(flags: Flags, environ: Mapping[str, str], base: Path) -> Reading:
    """Collect the settings of a server.

    Args:
        flags: What stood on the command line.
        environ: The environment.
        base: The folder that holds `plugs` unless somebody says otherwise; see `home`.

    Raises:
        SettingsError: Something is unknown, malformed or impossible; one line that names where it stands.
    """
    found = _from_environ(environ, Path.cwd()) | _from_flags(flags, Path.cwd())
    plugs = found["plugs"].value if "plugs" in found else base / "plugs"
    found = _from_file(plugs.parent / FILE) | found
    return Reading(_settled(found, base), {field: each.source for field, each in found.items()})


def _from_flags(flags: Flags, base: Path) -> dict[str, Found]:
    found = {}
    for setting in SETTINGS:
        said = flags.get(setting.field)
        if said is not None and said != ():
            text = ",".join(said) if isinstance(said, tuple) else str(said)
            found[setting.field] = _found(setting, setting.flag, text, values.from_text, base)
    return found


def _from_environ(environ: Mapping[str, str], base: Path) -> dict[str, Found]:
    known = {setting.variable: setting for setting in SETTINGS}
    found = {}
    for name in sorted(filter(_is_setting, environ)):
        if name not in known:
            raise SettingsError(f"{name}: there is no such setting{did_you_mean(name, known, PREFIX)}")
        setting = known[name]
        found[setting.field] = _found(setting, name, environ[name], values.from_text, base)
    return found


def _is_setting(variable: str) -> bool:
    return variable.startswith(PREFIX) and variable not in OTHER_VARIABLES and not variable.startswith(OF_PLUGS)


def _from_file(path: Path) -> dict[str, Found]:
    text, table = toml(path)
    known = {setting.key: setting for setting in SETTINGS}
    found = {}
    for key, value in table.items():
        if key in OTHER_TABLES:
            continue
        line = f"{FILE}:{line_of(text, key)}"
        if key not in known:
            raise SettingsError(f"{line}: there is no setting {key!r}{did_you_mean(key, (*known, *OTHER_TABLES))}")
        setting = known[key]
        found[setting.field] = _found(setting, f"{line}: {key}", value, values.from_toml, path.parent)
    return found


def _found(setting: Setting, source: str, said: Any, convert: Callable[[Setting, Any], Any], base: Path) -> Found:
    """A value from one source; a relative path in it is seen from `base`."""
    try:
        value = convert(setting, said)
    except ValueError as wrong:
        raise SettingsError(f"{source}: {wrong}") from wrong
    return Found(source, _absolute(base, value) if setting.is_path else value)


def _absolute(base: Path, path: Path) -> Path:
    return Path(base, path).absolute()


def toml(path: Path) -> tuple[str, dict[str, Any]]:
    """What a plugsock.toml says, as text and as values; nothing if there is none.

    Raises:
        SettingsError: It can't be read, or is not TOML.
    """
    text = _text(path)
    return text, _parsed(path, text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{path}: it can't be read: {reason}") from wrong


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        what, _, where = str(wrong).partition(" (at ")
        line = re.search(r"line (\d+)", where)
        number = line[1] if line else str(max(1, len(text.splitlines())))
        raise SettingsError(f"{path.name}:{number}: this is not TOML: {what}") from wrong


def line_of(text: str, key: str) -> int:
    """The line a key or table stands on first; tomllib does not keep it."""
    pattern = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """`; did you mean port?`, or nothing where no known word is near; what all begin with makes none nearer."""
    rests = [each.removeprefix(prefix) for each in known]
    near = difflib.get_close_matches(word.removeprefix(prefix).replace("-", "_"), rests, n=1, cutoff=0.6)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def _settled(found: dict[str, Found], base: Path) -> Settings:
    """The settings, with what depends on others filled in and what can't be together refused."""
    chosen = {field: each.value for field, each in found.items()}
    chosen.setdefault("plugs", _absolute(base, Path("plugs")))
    chosen.setdefault("data", chosen["plugs"].parent / ".plugsock")
    for one, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if one in found and other not in found:
            raise SettingsError(f"{found[one].source}: it is of no use without {other}")
    for field, parse in (("workers", partial(sizes.parse, cores=cores())), ("fault", faults.parse)):
        if field in found:
            _check(found[field], parse)
    return Settings(**chosen)


def _check(found: Found, parse: Callable[[Any], object]) -> None:
    try:
        parse(found.value)
    except ValueError as wrong:
        raise SettingsError(f"{found.source}: {wrong}") from wrong
