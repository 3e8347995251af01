"""One view as one client shows it."""

from dataclasses import dataclass
from typing import Any

from support.truth import Truth


@dataclass(slots=True)
class Shown:
    """A view.

    Attributes:
        count: Values, patches and faults that came.
        news: ("value", the value) or ("fault", its code); None before there is any.
        is_ending: It was cancelled, and that was not answered.
        may_repeat: The connection is another one since the last value, so that it may come once more.
    """

    view: str
    args: dict[str, Any]
    truth: Truth
    wants_patches: bool
    count: int = 0
    news: tuple[str, Any] | None = None
    is_ending: bool = False
    may_repeat: bool = False
    value: Any = None

    def hear(self, verb: str, data: Any) -> None:
        """An `item`, a `patch` or a `fault`."""
        self.count += 1
        self.truth.count(verb)
        if verb == "fault":
            news = ("fault", data["code"])
        else:
            if verb == "patch" and (not self.wants_patches or self.value is None):
                self._complain(f"was sent a patch for {self.value}")
            self.value = merged(self.value, data) if verb == "patch" else data
            news = ("value", self.value)
        if verb != "fault" and news == self.news and not self.may_repeat:
            self._complain(f"was sent {news} again")
        self.news, self.may_repeat = news, False

    def _complain(self, what: str) -> None:
        self.truth.wrong.append(f"{self.view} {self.args} {what}")


def merged(value: Any, patch: Any) -> Any:
    """What a JSON Merge Patch (RFC 7396) makes of a value."""
    if not isinstance(patch, dict):
        return patch
    changed = dict(value) if isinstance(value, dict) else {}
    for key, inner in patch.items():
        if inner is None:
            changed.pop(key, None)
        else:
            changed[key] = merged(changed.get(key), inner)
    return changed
