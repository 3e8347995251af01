"""What may be shown of what plugs print: whole lines, none without end, and no more than a reader can follow. Pure."""

from typing import Final

LONGEST: Final = 65_536
"""Bytes of a line that are shown."""

CUT: Final = "…\n".encode()
"""How a line ends whose rest is left out."""

RATE: Final = 1024 * 1024
"""Bytes a second that are shown over time; journald drops a service's lines at a comparable rate."""

BURST: Final = 4 * 1024 * 1024
"""Bytes that are shown at once after a pause: a traceback of every plug, a table somebody wants to see."""


class Lines:
    """One stream of one process, cut into lines.

    Workers of one nursery share a pipe; a line of up to 4096 bytes that is written at once stays in one piece (PIPE_BUF).
    """

    def __init__(self) -> None:
        self._unfinished = b""
        self._is_skipping = False
        self.left_out = 0
        """Bytes that lines have lost."""

    def feed(self, data: bytes) -> bytes:
        """Take what was read; the lines that are complete now."""
        if self._is_skipping:
            data = self._skip(data)
        lines, newline, rest = data.rpartition(b"\n")
        shown = b""
        if newline:
            shown = self._cut(self._unfinished + lines + newline)
            self._unfinished = b""
        self._unfinished += rest
        if len(self._unfinished) > LONGEST:
            self._is_skipping = True
            shown += self._cut(self.end())
        return shown

    def end(self) -> bytes:
        """The stream has ended; its last line, if nobody has finished it."""
        rest, self._unfinished = self._unfinished, b""
        return rest + b"\n" if rest else b""

    def _skip(self, data: bytes) -> bytes:
        """Leave out the rest of a line that was shown as far as one is."""
        rest, newline, data = data.partition(b"\n")
        self._is_skipping = not newline
        self.left_out += len(rest)
        return data

    def _cut(self, lines: bytes) -> bytes:
        """Cut those that are too long; looks once at every LONGEST bytes, not at every line."""
        shown = []
        at = 0
        while len(lines) - at > LONGEST:
            end = lines.rfind(b"\n", at, at + LONGEST) + 1
            if end:
                shown.append(lines[at:end])
            else:
                end = lines.index(b"\n", at + LONGEST) + 1
                shown += [lines[at : at + LONGEST], CUT]
                self.left_out += end - 1 - at - LONGEST
            at = end
        return b"".join([*shown, lines[at:]])


class Bucket:
    """Tokens for bytes: fills evenly, is emptied by what is shown.

    Args:
        rate: Bytes a second.
        burst: Bytes that it holds.
        now: Seconds on any clock that never goes back.
    """

    def __init__(self, rate: int, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._held = float(burst)
        self._at = now

    def take(self, lines: bytes, now: float, most: int) -> bytes:
        """As many whole lines from the first on as there are tokens for, and no more than `most` bytes."""
        self._held = min(self._burst, self._held + (now - self._at) * self._rate)
        self._at = now
        room = min(int(self._held), most)
        taken = lines if len(lines) <= room else lines[: lines.rfind(b"\n", 0, max(room, 0)) + 1]
        self._held -= len(taken)
        return taken
