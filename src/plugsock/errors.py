"""The errors that plugsock raises, and the codes that clients see.

    Exception
    ├── Error              a plug's own answer, raised by its author
    └── PlugsockError      everything plugsock itself refuses
        ├── SettingsError  a flag, variable or line of plugsock.toml is wrong
        ├── DeclareError   a plug file declares something that can't work
        ├── CallEnded      a word was said on a Socket or Server whose call has ended
        └── Disconnected   a client's connection went, or could not be made

`CODES` lists every code that the server itself answers with; docs/protocol.md says when.
"""

from typing import Any, Final

CODES: Final[dict[str, bool]] = {
    # code: does it pay to try again?
    "bad_frame": False,
    "bad_payload": False,
    "not_found": False,
    "gone": False,
    "unauthorized": False,
    "token_expired": False,
    "forbidden": False,
    "revoked": False,
    "too_large": False,
    "limit": False,
    "rate_limited": True,
    "overloaded": True,
    "timeout": False,  # true where the plug says that it is idempotent
    "cancelled": False,
    "worker_lost": False,  # true where the call had not started, or is idempotent
    "not_received": True,
    "unknown_outcome": False,
    "plug_error": False,
    "quarantined": False,
    "not_implemented": False,
}


class Error(Exception):
    """A plug's own answer to a call that it refuses.

    Args:
        code: A short machine-readable word, the front end's to match on: `"out_of_stock"`.
        message: A sentence that may be shown to a person.
        retry: Does it pay to send the same call again?
        after: Seconds to wait before that.
        data: Anything else that the front end should know; encoded like a result.
    """

    ref: str | None = None
    """What the server's log has the traceback under; set where a client raises what a server answered."""
    path: str | None = None
    """Where in the payload something does not fit, likewise: `$.count`."""
    started: bool | None = None
    """With `worker_lost`, likewise: had the plug begun to run?"""

    def __init__(
        self, code: str, message: str = "", *, retry: bool = False, after: float | None = None, data: Any = None
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.retry = retry
        self.after = after
        self.data = data

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class PlugsockError(Exception):
    """What plugsock itself refuses; its text is one sentence for a person."""


class SettingsError(PlugsockError):
    """A setting is unknown, malformed or impossible; the text names where it came from."""


class DeclareError(PlugsockError):
    """A plug file declares something that can't work.

    `line` is where in the file it stands, or 0 where the file as a whole is meant.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class CallEnded(PlugsockError):
    """A plug went on speaking after its call had ended (timeout, cancel); nothing was sent."""


class Disconnected(PlugsockError):
    """A client's connection went, or could not be made; what was open on it may or may not have run.

    `code` and `reason` are those of the WebSocket's close; None if it never opened.
    """

    def __init__(self, message: str, code: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        message = super().__str__()
        if self.code is None:
            return message
        return f"{message} (close code {self.code}{self.reason and f': {self.reason}'})"
