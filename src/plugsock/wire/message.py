"""One message in the making: fragments and pieces of frames, joined as they come."""

from plugsock.wire import utf8
from plugsock.wire.close import Violation
from plugsock.wire.codes import INVALID_DATA, MESSAGE_TOO_BIG
from plugsock.wire.deflate import Inflater


class Message:
    """What has come of a message that is not complete.

    It holds the bytes and nothing per fragment, so 65,536 fragments of one byte cost what one of 65,536 bytes does.
    """

    __slots__ = ("_begun", "_data", "_inflater", "_limit", "_text", "opcode")

    def __init__(self, opcode: int, limit: int, inflater: Inflater | None, *, text: bool) -> None:
        """Begin a message of at most `limit` bytes, compressed if there is an `inflater`."""
        self.opcode = opcode
        self._limit = limit
        self._inflater = inflater
        self._text = text
        self._begun = b""
        self._data = bytearray()

    def room(self) -> int:
        """How many bytes the next frame may announce."""
        return self._limit if self._inflater else self._limit - len(self._data)

    def add(self, piece: bytes) -> None:
        """Take the next unmasked bytes.

        Raises:
            Violation: They are not UTF-8, can't be inflated, or inflate to more than the limit.
        """
        if self._inflater is None:
            self._store(piece)
            return
        for inflated in self._inflater.inflate(piece):
            self._store(inflated)

    def finish(self) -> bytes:
        """Return the whole message.

        Raises:
            Violation: It ends inside a character, can't be inflated, or inflates to more than the limit.
        """
        if self._inflater is not None:
            for inflated in self._inflater.finish():
                self._store(inflated)
        if self._begun:
            raise Violation(INVALID_DATA, "text ends inside a character")
        return bytes(self._data)

    def _store(self, piece: bytes) -> None:
        if len(self._data) + len(piece) > self._limit:
            raise Violation(MESSAGE_TOO_BIG, f"message inflates to more than {self._limit} bytes")
        if self._text:
            self._begun = utf8.check_piece(self._begun, piece)
        self._data += piece
