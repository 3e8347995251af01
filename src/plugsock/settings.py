"""The settings of a server, as words: what each is called, what it may be, and why its default is what it is.

`Settings` is the one place where a setting is declared. Flags, `PLUGSOCK_*` variables, keys of `plugsock.toml`, their
parsing, their error messages and the table in the documentation are all made from `SETTINGS`, which is read from it.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

KIB: Final = 1024
MIB: Final = 1024 * KIB

WHERE: Final = "Where"
SAFETY: Final = "Who may connect"
RUNNING: Final = "How it runs"
LIMITS: Final = "Limits"


class About(Struct, frozen=True):
    """What a person reads about a setting: the section it stands in, one sentence, and the word for its value."""

    group: str
    help: str
    metavar: str = ""


Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Bytes = Annotated[int, Meta(ge=1, le=1024 * MIB)]
Memory = Annotated[int, Meta(ge=0, le=1024 * 1024 * MIB)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
CountOrNever = Annotated[int, Meta(ge=0, le=1_000_000_000)]

WORKER_NAME: Final = r"[a-z][a-z0-9_-]{0,31}"
"""What a named set of workers can be called, as `loader.declare` lets plugs name it."""
WorkerCount = Annotated[str, Meta(pattern=rf"^({WORKER_NAME}=)?(auto|[0-9]{{1,6}}(-[0-9]{{1,6}})?)\Z")]
"""How many workers a set has: `auto`, `4`, `2-8`, `reports=2`. What can be together says `pool.sizes`."""

MockPattern = Annotated[str, Meta(pattern=r"^([A-Za-z0-9_.:/-]{1,128}|[A-Za-z0-9_.:/-]{0,127}\*)\Z")]
"""An event, or all that begin so: `orders.place`, `orders.*`, `*`."""

_AUTHORITY: Final = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?"
Name = Annotated[str, Meta(pattern=rf"^{_AUTHORITY}\Z")]
"""What a `Host` can be; anything else would never match one."""
Origin = Annotated[str, Meta(pattern=rf"^(\*|null|[A-Za-z][A-Za-z0-9+.-]*://{_AUTHORITY}/?)\Z")]
"""What browsers send as an `Origin`, or `*` for every one."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be set about a server. Times are seconds, sizes are bytes."""

    plugs: Annotated[Path, About(WHERE, "The folder of plugs; plugsock.toml is read beside it.", "DIR")]
    data: Annotated[Path, About(WHERE, "Where the server keeps its lock and address.", "DIR")]
    # Only this machine can connect until somebody decides otherwise: what `flask run` and uvicorn bind to as well.
    host: Annotated[str, Meta(min_length=1), About(WHERE, "The address to listen on.", "HOST")] = "127.0.0.1"
    # Free of the well-known 8000, 8080 and 8888, so that it runs beside another web server.
    port: Annotated[int, Meta(ge=0, le=65_535), About(WHERE, "The port to listen on; 0 takes a free one.", "PORT")] = (
        8765
    )

    dev: Annotated[
        bool, About(RUNNING, "Show clients tracebacks and shapes, mock what they ask for, and check what plugs return.")
    ] = False
    poll: Annotated[
        bool, About(RUNNING, "Look for changed files by the clock, where the file system has no events.")
    ] = False
    # Off, because whoever can write to a plug can do all that the server's user can.
    trust: Annotated[
        bool, About(RUNNING, "Load plugs that others can write to; off, because they run code as the server that way.")
    ] = False
    # Off, because a save would otherwise download code and run it: whoever can name a package can run code.
    install: Annotated[
        bool, About(RUNNING, "Install what a plug says it needs before it is served (see `plugsock pip sync`).")
    ] = False
    open: Annotated[bool, About(RUNNING, "Show the start page in the browser.")] = False
    # Off, because it costs about 64 KiB a connection (two windows of RFC 7692), more than everything else together.
    compression: Annotated[bool, About(RUNNING, "Compress messages for clients that can.")] = False
    log_format: Annotated[
        Literal["text", "json"], About(RUNNING, "Log lines for people or for machines.", "FORMAT")
    ] = "text"
    # One for each core but one, which the gateway needs to feed them.
    workers: Annotated[
        tuple[WorkerCount, ...],
        About(RUNNING, "Processes that run plugs: auto, 4, 2-8, or NAME=2 for plugs of their own; 0 is none.", "N"),
    ] = ("auto",)
    mock: Annotated[
        tuple[MockPattern, ...],
        About(
            RUNNING, "Answer such an event with what was made up to fit: orders.place, orders.*, or * for all.", "EVENT"
        ),
    ] = ()
    fault: Annotated[
        str, About(RUNNING, "What goes wrong with made-up answers: latency=200ms,error=5%,drop=1%.", "FAULTS")
    ] = ""
    # Off, both: who has no leak loses warm caches and gains nothing (gunicorn's and uvicorn's limits are off as well).
    max_calls: Annotated[CountOrNever, About(RUNNING, "A worker is replaced after so many calls; 0 is never.", "N")] = 0
    max_memory: Annotated[
        Memory, About(RUNNING, "A worker is replaced when it uses so much memory; 0 is never.", "BYTES")
    ] = 0

    # `auto`, so that a server that has something to protect, or might have, never serves it to everybody by accident.
    auth: Annotated[
        Literal["auto", "required", "optional", "none"],
        About(
            SAFETY,
            "Who must say who they are: everybody (required), who wants to (optional), nobody (none); auto is required"
            " as soon as a plug says `@authenticate` or `requires`.",
            "MODE",
        ),
    ] = "auto"
    tls_cert: Annotated[Path | None, About(SAFETY, "Serve wss:// with this certificate chain.", "FILE")] = None
    tls_key: Annotated[Path | None, About(SAFETY, "The certificate's private key.", "FILE")] = None
    allow_origin: Annotated[
        tuple[Origin, ...],
        About(SAFETY, "A web page from this origin may connect too, as https://example.org.", "ORIGIN"),
    ] = ()
    allow_host: Annotated[
        tuple[Name, ...], About(SAFETY, "The server may be called by this name too, as example.org.", "NAME")
    ] = ()

    # nginx and Apache give a request's header 60 s and 20 s; a WebSocket handshake is one small packet each way.
    handshake_s: Annotated[Seconds, About(LIMITS, "A connection must have shaken hands by then.", "SECONDS")] = 5.0
    # What `websockets` and python-socketio accept by default.
    max_message: Annotated[Bytes, About(LIMITS, "The largest message a client may send.", "BYTES")] = MIB
    max_answer: Annotated[Bytes, About(LIMITS, "The largest result a plug may return.", "BYTES")] = 16 * MIB
    # Four times asyncio's own write-buffer mark: a burst of answers passes, a client that does not read stops there.
    high_water: Annotated[Bytes, About(LIMITS, "A socket with more unsent than this is not read from.", "BYTES")] = (
        256 * KIB
    )
    slow_s: Annotated[
        Seconds, About(LIMITS, "A socket that has left bytes unread for so long is closed.", "SECONDS")
    ] = 5.0
    slow_bytes: Annotated[Bytes, About(LIMITS, "A socket with so much unsent is closed.", "BYTES")] = 4 * MIB
    # Below the 30 s after which the most impatient common proxies and mobile networks drop a silent connection.
    ping_s: Annotated[Seconds, About(LIMITS, "A silent client is pinged so often.", "SECONDS")] = 25.0
    pong_s: Annotated[Seconds, About(LIMITS, "A ping must be answered by then.", "SECONDS")] = 10.0
    # The concurrent streams that HTTP/2 servers commonly allow a connection (nginx: 128, RFC 9113 advises 100 or more).
    max_open: Annotated[Count, About(LIMITS, "Calls that one socket may have open at once.", "N")] = 128
    # As many channels as Centrifugo lets a client subscribe to.
    max_watches: Annotated[
        Count, About(LIMITS, "Views that one socket may watch, and as many topics that it may be in.", "N")
    ] = 128
    max_connections: Annotated[Count, About(LIMITS, "Connections that may be open at once.", "N")] = 100_000
    # gunicorn's and many load balancers' time for a request.
    timeout_s: Annotated[Seconds, About(LIMITS, "A call, or one item of a stream, may take so long.", "SECONDS")] = 30.0
    # A container is killed 10 s (Docker) or 30 s (Kubernetes) after it was asked to stop.
    drain_s: Annotated[Seconds, About(LIMITS, "On stopping, open calls have so long to end.", "SECONDS")] = 10.0


class Setting(Struct, frozen=True):
    """One row of the table: a field of `Settings` as flags, variables and file keys see it."""

    field: str
    """Its name in `Settings`."""
    type: Any
    """What its value is converted to."""
    about: About
    default: Any
    """None where it depends on another setting."""

    @property
    def key(self) -> str:
        """Its name in plugsock.toml: the field's without the unit."""
        return self.field.removesuffix("_s")

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return "PLUGSOCK_" + self.key.upper()

    @property
    def is_switch(self) -> bool:
        """Is it simply on or off?"""
        return self.type is bool

    @property
    def is_list(self) -> bool:
        """May it be given several times?"""
        return get_origin(self.type) is tuple

    @property
    def is_counts(self) -> bool:
        """Is it numbers of workers, so that one of them can stand for the list of it alone?"""
        return WorkerCount in get_args(self.type)

    @property
    def is_path(self) -> bool:
        """Is it a file or folder, seen from where the setting was written?"""
        return self.type is Path or Path in get_args(self.type)

    @property
    def is_size(self) -> bool:
        """Is it a number of bytes, so that `64KiB` may be said too?"""
        return self.about.metavar == "BYTES"


def _rows() -> tuple[Setting, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    defaults = dict(zip(reversed(Settings.__struct_fields__), reversed(Settings.__struct_defaults__), strict=False))
    return tuple(
        Setting(field, _without_about(hint), about, defaults.get(field))
        for field, hint in hints.items()
        if (about := _about(hint)) is not None
    )


def _about(hint: Any) -> About | None:
    return next((note for note in getattr(hint, "__metadata__", ()) if isinstance(note, About)), None)


def _without_about(hint: Any) -> Any:
    bounds = tuple(note for note in hint.__metadata__ if isinstance(note, Meta))
    return Annotated[(hint.__origin__, *bounds)] if bounds else hint.__origin__


SETTINGS: Final = _rows()
"""Every setting that people can make, in the order of the documentation."""
