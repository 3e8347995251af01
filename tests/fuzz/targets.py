"""Fuzz targets for atheris: whatever a client or a worker sends, the pure parts return or refuse, and raise nothing else.

    python tests/fuzz/targets.py frames -max_total_time=60

A crash is written to `crash-*` in the working directory; `python tests/fuzz/targets.py frames crash-...` runs it again.
"""

import sys
from collections.abc import Callable, Iterator

import atheris

with atheris.instrument_imports(include=["plugsock"]):
    from plugsock.gateway.head import read_head
    from plugsock.gateway.http import Refusal
    from plugsock.rpc import batches
    from plugsock.wire.close import Violation
    from plugsock.wire.deflate import Inflater
    from plugsock.wire.frames import Parser
    from plugsock.wire.header import BadFrame, parse_client, parse_server

LIMIT = 4096


def frames(data: bytes) -> None:
    """The same messages and the same end, however the bytes are cut."""
    whole, cut = Parser(LIMIT), Parser(LIMIT)
    size = 1 + data[0] % 16 if data else 1
    events = whole.feed(data)
    pieces = [event for start in range(0, len(data), size) for event in cut.feed(data[start : start + size])]
    texts = [[event for event in found if event[0] <= 2] for found in (events, pieces)]
    assert texts[0] == texts[1], (events, pieces)
    assert (whole.failure is None) == (cut.failure is None) or cut.failure is not None
    assert whole.state == cut.state, (whole.state, cut.state)


def header(data: bytes) -> None:
    """A frame is taken apart without a rest, or refused."""
    for parse in (parse_client, parse_server):
        try:
            frame = parse(data)
        except BadFrame:
            continue
        assert data.startswith(frame.verb)
        assert data.endswith(frame.payload)


def deflate(data: bytes) -> None:
    """Inflating gives pieces, or one violation."""
    inflater = Inflater(12, takeover=True)
    size = 0
    try:
        for piece in inflater.inflate(data):
            size += len(piece)
            if size > 1 << 20:
                return
        for piece in inflater.finish():
            size += len(piece)
    except Violation:
        return


def handshake(data: bytes) -> None:
    """A head is read or refused with a status."""
    try:
        read_head(data)
    except Refusal as refusal:
        if not 400 <= refusal.status < 600:
            raise


def batch(data: bytes) -> None:
    """The same batches, however the bytes are cut, and each of them is understood or one violation."""
    whole, cut = batches.Reader(LIMIT), batches.Reader(LIMIT)
    size = 1 + data[0] % 16 if data else 1
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(_batches(whole, [data]))
    assert found == list(_batches(cut, pieces)), (data, size)
    for each in found:
        for read in (batches.read_up, batches.read_down):
            try:
                said = read(each)
            except batches.Violation:
                continue
            assert repr(read(batches.encode(said))) == repr(said)


def _batches(reader: batches.Reader, pieces: list[bytes]) -> Iterator[bytes]:
    try:
        for piece in pieces:
            yield from map(bytes, reader.feed(piece))
    except batches.Violation:
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (frames, header, deflate, handshake, batch)
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
