"""Frames as a client sends them, right or wrong in every detail, and reading what a server sends."""

from websockets.utils import apply_mask

MASK = b"\x12\x34\xab\xcd"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def client_frame(opcode, payload=b"", *, fin=True, rsv=0, masked=True, mask=MASK, length=None, width=None):
    """Build a frame; `length` and `width` (0, 2 or 8 bytes of extended length) say something else than is true."""
    length = len(payload) if length is None else length
    if width is None:
        width = 0 if length < 126 else 2 if length < 65_536 else 8
    second = {0: length, 2: 126, 8: 127}[width] | (0x80 if masked else 0)
    head = bytes((opcode | (0x80 if fin else 0) | rsv << 4, second)) + (length.to_bytes(width, "big") if width else b"")
    return head + (mask + apply_mask(payload, mask) if masked else payload)


def text(message, **wrong):
    return client_frame(TEXT, message.encode() if isinstance(message, str) else message, **wrong)


def close(code=None, reason=b""):
    return client_frame(CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason)


def split_frames(data):
    """Take whole server frames off the front of data: a list of (first byte, payload), and the rest."""
    frames, position = [], 0
    while len(data) - position >= 2:
        length, start = data[position + 1], position + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            length = int.from_bytes(data[position + 2 : start], "big")
        if len(data) < start + length:
            break
        frames.append((data[position], data[start : start + length]))
        position = start + length
    return frames, data[position:]
