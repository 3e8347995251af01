"""The codes a WebSocket is closed with, what each means, and whether a client should come back.

1000 to 1015 are RFC 6455's and IANA's; 4000 and up are plugsock's own: below 4500 the client should come back.
"""

from typing import Final

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED_DATA: Final = 1003
NO_STATUS: Final = 1005
ABNORMAL: Final = 1006
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009
MANDATORY_EXTENSION: Final = 1010
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
TRY_AGAIN_LATER: Final = 1013

DRAIN: Final = 4000
AUTHENTICATION_UNAVAILABLE: Final = 4001
NO_PONG: Final = 4002
SLOW_CONSUMER: Final = 4003
NO_HELLO: Final = 4005
UNAUTHORIZED: Final = 4501
KICKED: Final = 4502
ORIGIN: Final = 4503
TOO_MANY_CONNECTIONS: Final = 4504

MEANINGS: Final = {
    NORMAL: "the conversation is over",
    GOING_AWAY: "the other side is leaving",
    PROTOCOL_ERROR: "a frame broke the rules of WebSocket",
    UNSUPPORTED_DATA: "a kind of data that is not accepted",
    NO_STATUS: "closed without a code",
    ABNORMAL: "the connection was lost without a close frame",
    INVALID_DATA: "text that is not UTF-8, or compressed data that can't be inflated",
    POLICY_VIOLATION: "a message was begun and not finished in time",
    MESSAGE_TOO_BIG: "a message is larger than the server takes",
    MANDATORY_EXTENSION: "an extension that the client needs is missing",
    INTERNAL_ERROR: "the server failed",
    SERVICE_RESTART: "the server restarts",
    TRY_AGAIN_LATER: "the server has too much to do",
    DRAIN: "the server drains",
    AUTHENTICATION_UNAVAILABLE: "the server can't authenticate now",
    NO_PONG: "a ping was not answered",
    SLOW_CONSUMER: "what was sent has not been read in time",
    NO_HELLO: "no hello in time",
    UNAUTHORIZED: "not authenticated, or no longer",
    KICKED: "closed by a plug or an operator",
    ORIGIN: "a page that may not use this server",
    TOO_MANY_CONNECTIONS: "too many connections",
}
"""Every code that plugsock sends or hears of, for people."""

_PASSING: Final = frozenset({GOING_AWAY, NO_STATUS, ABNORMAL, INTERNAL_ERROR, SERVICE_RESTART, TRY_AGAIN_LATER})
_NEVER_SENT: Final = frozenset({1004, NO_STATUS, ABNORMAL})
_LAST_REGISTERED: Final = 1014


def may_come_back(code: int) -> bool:
    """Should a client that was closed with this code connect again by itself?

    Yes from 4000 to 4499 and for what passes by itself; no from 4500 to 4999, for a client that broke the rules, and
    for anything unknown.
    """
    return code in _PASSING or 4000 <= code <= 4499


def may_be_sent(code: int) -> bool:
    """May a close frame carry this code? RFC 6455 section 7.4 and the IANA registry decide."""
    return (NORMAL <= code <= _LAST_REGISTERED and code not in _NEVER_SENT) or 3000 <= code <= 4999
