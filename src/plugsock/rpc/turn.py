"""What one end of a connection says in a turn of its event loop, until that is written: in order, most of it one batch.

Payloads that are long travel beside the connection, as a `batches.Parcel`. What is long all the same, and a payload
that there was no room for, is a batch of its own, so that no batch is longer than the other end takes.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from plugsock.rpc.batches import LONG, Parcel, encode, head

MOST: Final = 1024
"""Messages of a batch, so that one of the longest short payloads stays far below `batches.LIMIT`."""


class Turn:
    """Collects what is said, and has it written in one piece.

    Args:
        call_soon: Calls something at the next turn of the event loop.
        write: Gets what is to be written, as pieces in a row.
        flawed: Is told of a message that can't be encoded, and why; it is left out.

    Attributes:
        said: What is short may be appended here directly, with `expect` after it unless it `is_due`: that is half of
            the cost of `say`. After a parcel follows the message that it belongs to.
        is_due: It will be written at the next turn.
    """

    __slots__ = ("_call_soon", "_cuts", "_flawed", "_write", "is_due", "said")

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], Any],
        write: Callable[[list[bytes]], None],
        flawed: Callable[[Any, Exception], None],
    ) -> None:
        self.said: list[Any] = []
        self.is_due = False
        self._cuts: list[int] = []
        self._call_soon = call_soon
        self._write = write
        self._flawed = flawed

    def say(self, message: Any, size: int = 0) -> None:
        """Say something whose payload has so many bytes."""
        if size > LONG:
            self._set_apart()
        self.said.append(message)
        self.expect()

    def send_away(self, number: int, payload: bytes) -> bytes:
        """Say that a long payload travels beside the connection; what is left of it for the message that is said next.

        Args:
            number: Of its parcel; 0 if there is none, so that the payload stays where it is.
            payload: All of it.
        """
        if not number:
            self._set_apart()
            return payload
        self.said.append(Parcel(number, len(payload)))
        return b""

    def _set_apart(self) -> None:
        """Let what is said next be a batch of its own."""
        at = len(self.said)
        self._cuts += (at, at + 1)

    def expect(self) -> None:
        """There is something to be written."""
        if not self.is_due:
            self.is_due = True
            self._call_soon(self._flush)

    def _flush(self) -> None:
        self.is_due = False
        said = self.said
        pieces: list[bytes] = []
        try:
            for messages in self._batches() if self._cuts or len(said) > MOST else (said,):
                batch = encode(messages)
                pieces += (head(len(batch)), batch)
        except Exception:  # of one message, which must not keep the others back
            pieces = self._one_by_one()
        said.clear()
        self._cuts.clear()
        self._write(pieces)

    def _one_by_one(self) -> list[bytes]:
        """Everything that can be encoded, each in a batch of its own, but for a parcel and what belongs to it."""
        pieces: list[bytes] = []
        parcel: list[Any] = []
        for message in self.said:
            if type(message) is Parcel:
                parcel = [message]
                continue
            try:
                batch = encode([*parcel, message])
                pieces += (head(len(batch)), batch)
            except Exception as error:
                self._flawed(message, error)
            parcel = []
        return pieces

    def _batches(self) -> Iterator[list[Any]]:
        said, start = self.said, 0
        for cut in (*self._cuts, len(said)):
            while start < cut:
                end = min(start + MOST, cut)
                if type(said[end - 1]) is Parcel:
                    end += 1
                yield said[start:end]
                start = end
