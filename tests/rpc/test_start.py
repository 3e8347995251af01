import msgspec
import pytest

from plugsock.rpc import start


def test_what_the_gateway_says_reads_back_line_by_line():
    said = [start.Fork(1, "/run/workers", "k1"), start.Fork(2, "127.0.0.1:1", "k2")]

    assert start.requests(b"".join(map(start.encode, said))) == said


def test_what_a_nursery_says_reads_back_line_by_line():
    said = [start.Forked(1, 4711), start.Failed(2, "no room"), start.Ended(4711, -9)]

    assert start.answers(b"".join(map(start.encode, said))) == said


@pytest.mark.parametrize("line", [b"{}\n", b'{"type":"forked","token":1,"pid":2}\n', b"no\n"])
def test_nothing_else_is_a_request(line):
    with pytest.raises(msgspec.DecodeError):
        start.requests(line)
