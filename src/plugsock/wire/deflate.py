"""Per-message compression (RFC 7692): inflating in small bounded pieces, and deflating what is sent.

`websockets` negotiates; the streams are made here when they are first needed, so that a connection that compresses
nothing holds nothing.
"""

import zlib
from collections.abc import Iterator

from websockets.extensions.permessage_deflate import PerMessageDeflate

from plugsock.wire.close import Violation
from plugsock.wire.codes import INVALID_DATA

PIECE = 65_536
"""Bytes inflated at a time: what a compression bomb can cost beyond the limit of a message."""

_MEMORY_LEVEL = 5
"""zlib's `memLevel`; with a window of 12 bits a stream costs about 32 KiB, as in `websockets`' defaults."""

_SYNC_TAIL = b"\x00\x00\xff\xff"


class Inflater:
    """Inflates the messages of one peer."""

    __slots__ = ("_bits", "_stream", "_takeover")

    def __init__(self, bits: int, *, takeover: bool) -> None:
        """Set up for a window of `bits` bits that is kept from one message to the next if there is `takeover`."""
        self._bits = bits
        self._takeover = takeover
        self._stream: zlib._Decompress | None = None

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """Inflate the next bytes of a message, in pieces of at most `PIECE` bytes.

        Raises:
            Violation: They are not deflated data.
        """
        more = bool(data)
        while more:
            stream = self._stream or zlib.decompressobj(-self._bits)
            try:
                piece = stream.decompress(data, PIECE)
            except zlib.error:
                raise Violation(INVALID_DATA, "compressed data can't be inflated") from None
            # A peer may end a stream with its message (RFC 7692 section 7.2.3.4): what follows begins a new one.
            self._stream = None if stream.eof else stream
            data = stream.unused_data if stream.eof else stream.unconsumed_tail
            more = bool(data) or (len(piece) == PIECE and not stream.eof)
            if piece:
                yield piece

    def finish(self) -> Iterator[bytes]:
        """Inflate what the end of a message brings to light.

        Raises:
            Violation: The message is not deflated data.
        """
        yield from self.inflate(_SYNC_TAIL)
        if not self._takeover:
            self._stream = None


class Deflater:
    """Deflates the messages to one peer."""

    __slots__ = ("_bits", "_stream", "_takeover")

    def __init__(self, bits: int, *, takeover: bool) -> None:
        """Set up for a window of `bits` bits that is kept from one message to the next if there is `takeover`."""
        self._bits = bits
        self._takeover = takeover
        self._stream: zlib._Compress | None = None

    def deflate(self, payload: bytes) -> bytes:
        """Deflate one whole message."""
        stream = self._stream or zlib.compressobj(wbits=-self._bits, memLevel=_MEMORY_LEVEL)
        self._stream = stream if self._takeover else None
        data = stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH)
        # Flushing twice with nothing between yields nothing; an empty message is one empty block (section 7.2.3.6).
        return data.removesuffix(_SYNC_TAIL) or b"\x00"


def inflater_of(extension: PerMessageDeflate) -> Inflater:
    """Make what inflates a client's messages, from what was negotiated."""
    return Inflater(extension.remote_max_window_bits, takeover=not extension.remote_no_context_takeover)


def deflater_of(extension: PerMessageDeflate) -> Deflater:
    """Make what deflates messages to a client, from what was negotiated."""
    return Deflater(extension.local_max_window_bits, takeover=not extension.local_no_context_takeover)
