"""Why a call is not begun."""

from plugsock.model import Fault


class Refused(Exception):
    """A call is not begun; `reason` is its one answer."""

    def __init__(self, reason: Fault) -> None:
        super().__init__(reason.message)
        self.reason = reason
