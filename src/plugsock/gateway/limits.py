"""The limits of a socket: sizes in bytes, times in seconds."""

from typing import Self

from msgspec import Struct

from plugsock.settings import Settings


class Limits(Struct, frozen=True, kw_only=True):
    """What one socket may cost, and how long the other side may take. `Settings` says where the numbers come from."""

    handshake_s: float = 5.0
    """From accepting a connection to the end of its handshake, TLS included."""
    max_message: int = 1_048_576
    max_answer: int = 16_777_216
    max_connections: int = 100_000
    high_water: int = 262_144
    slow_s: float = 5.0
    slow_bytes: int = 4_194_304
    """Beyond the largest answer."""
    ping_s: float = 25.0
    pong_s: float = 10.0
    message_s: float = 30.0
    """From the first bytes of a message to its last; as long as a call may take by default."""
    close_s: float = 2.0
    """For the other side to hang up; long enough for a round trip around the world, short enough for a restart."""
    sweep_s: float = 0.5
    """How often clocks are looked at: the precision of every time above."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take from the settings what concerns a socket."""
        return cls(
            handshake_s=settings.handshake_s,
            max_message=settings.max_message,
            max_answer=settings.max_answer,
            max_connections=settings.max_connections,
            high_water=settings.high_water,
            slow_s=settings.slow_s,
            slow_bytes=settings.slow_bytes,
            ping_s=settings.ping_s,
            pong_s=settings.pong_s,
        )
