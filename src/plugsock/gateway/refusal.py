"""Why a call is not begun."""

from plugsock.model import Fault
from plugsock.wire.answer import fault


class Refused(Exception):
    """A call is not begun; `reason` is its one answer."""

    def __init__(self, reason: Fault) -> None:
        super().__init__(reason.message)
        self.reason = reason


def unreadable(error: ValueError, path: str) -> Refused:
    """A payload lacks a field that has to be read, or has neither a text nor a whole number there.

    Args:
        error: What `rpc.fields` has said.
        path: Where the field is: `$.room`.
    """
    reason = str(error).partition(" - at `")[0]
    return Refused(fault("bad_payload", f"{reason}.", path=path))
