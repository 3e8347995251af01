"""What can be seen of a view: its value, or why there is none; encoded once, for everybody who watches it."""

from typing import TypeAlias, final

from plugsock.gateway.protected import guarded
from plugsock.model import Fault, Requires
from plugsock.wire.answer import fault_payload


@final
class Value:
    """What one run has returned. Two are the same only as objects: equal ones that follow each other are one.

    Attributes:
        json: As JSON.
        msgpack: As MessagePack; None as long as nobody has wanted that.
        base: The value that the patches are for.
        patches: JSON Merge Patches from that to this, by number of format; None where there is none.
    """

    __slots__ = ("_binary", "_id", "_item", "_needs", "base", "json", "msgpack", "patches")

    def __init__(
        self,
        json: bytes,
        msgpack: bytes | None = None,
        base: "Value | None" = None,
        patch: bytes | None = None,
        msgpack_patch: bytes | None = None,
    ) -> None:
        self.json = json
        self.msgpack = msgpack
        self.patches = patch, msgpack_patch
        self.base = None if patch is None and msgpack_patch is None else base
        self._id = self._item = b""
        self._binary = False
        self._needs: Requires = ()

    def item(self, id: bytes, binary: bool, needs: Requires) -> bytes | None:  # noqa: FBT001 - by position: once a watcher
        """The frame that tells it; None if the run began before anybody wanted this format.

        Clients count their ids alike, so it is nearly always the same frame as for the watcher before.
        """
        if id != self._id or binary is not self._binary or needs != self._needs:
            payload = self.msgpack if binary else self.json
            if payload is None:
                return None
            self._item = guarded(b"item %b %b" % (id, payload), needs)
            self._id, self._binary, self._needs = id, binary, needs
        return self._item

    def forget_patches(self) -> None:
        """Nobody is told this value any more."""
        self.base, self.patches = None, (None, None)


class Trouble:
    """Why there is no value now.

    Attributes:
        reason: The same as a fault.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: Fault) -> None:
        self.reason = reason

    def is_same(self, other: "Trouble") -> bool:
        """Would it tell nobody anything new? A `ref` is another one each time."""
        return (self.reason.code, self.reason.message) == (other.reason.code, other.reason.message)

    def payload(self, *, binary: bool) -> bytes:
        """The fault in a format."""
        return fault_payload(self.reason, binary=binary)


News: TypeAlias = Value | Trouble
"""How things are with a view."""
