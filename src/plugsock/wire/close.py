"""What a close frame carries, and the violation that leads to one."""

from plugsock.wire.codes import INVALID_DATA, NO_STATUS, PROTOCOL_ERROR, may_be_sent

REASON_LIMIT = 123
"""Bytes: a control frame holds 125 (RFC 6455 section 5.5), two of them are the code."""


class Violation(Exception):
    """The peer broke the rules of WebSocket; the connection is to be closed with `code` and `reason`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


def close_payload(code: int, reason: str = "") -> bytes:
    """Build the payload of a close frame; a reason too long for it is cut between two characters."""
    text = reason.encode(errors="replace")[:REASON_LIMIT].decode(errors="ignore")
    return code.to_bytes(2, "big") + text.encode()


def close_code(payload: bytes) -> int:
    """Read the code from the payload of a received close frame: 1005 if there is none.

    Raises:
        Violation: The payload is one byte long, has a code that must not be sent, or a reason that is not UTF-8.
    """
    if not payload:
        return NO_STATUS
    if len(payload) == 1:
        raise Violation(PROTOCOL_ERROR, "close payload of one byte")
    code = int.from_bytes(payload[:2], "big")
    if not may_be_sent(code):
        raise Violation(PROTOCOL_ERROR, f"close code {code} must not be sent")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_DATA, "close reason is not UTF-8") from None
    return code
