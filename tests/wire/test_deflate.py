import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import BINARY, Frame

from plugsock.wire.close import Violation
from plugsock.wire.deflate import PIECE, Deflater, Inflater, deflater_of, inflater_of
from plugsock.wire.message import Message

MIB = 1024 * 1024

messages = st.lists(st.one_of(st.binary(max_size=50), st.integers(0, 200_000).map(lambda size: b"ab" * (size // 2))))


def inflate(inflater, data):
    return b"".join([*inflater.inflate(data), *inflater.finish()])


@given(messages, st.booleans())
def test_what_is_deflated_inflates_to_the_same(many, takeover):
    deflater, inflater = Deflater(12, takeover=takeover), Inflater(12, takeover=takeover)
    assert [inflate(inflater, deflater.deflate(each)) for each in many] == many


@given(messages, st.booleans())
def test_websockets_inflates_what_is_deflated(many, takeover):
    deflater = Deflater(12, takeover=takeover)
    theirs = PerMessageDeflate(not takeover, False, 12, 12)
    for each in many:
        assert bytes(theirs.decode(Frame(BINARY, deflater.deflate(each), rsv1=True)).data) == each


@given(messages, st.booleans())
def test_what_websockets_deflates_is_inflated(many, takeover):
    inflater = Inflater(12, takeover=takeover)
    theirs = PerMessageDeflate(False, not takeover, 12, 12)
    for each in many:
        assert inflate(inflater, bytes(theirs.encode(Frame(BINARY, each)).data)) == each


def test_both_ends_are_made_from_what_was_negotiated():
    extension = PerMessageDeflate(True, False, 10, 11)
    data = deflater_of(extension).deflate(b"x" * 10_000)
    assert inflate(Inflater(11, takeover=True), data) == b"x" * 10_000
    once = inflater_of(extension)
    for _ in range(2):
        assert inflate(once, Deflater(10, takeover=False).deflate(b"again and again")) == b"again and again"


@pytest.mark.fault("W14")
@pytest.mark.parametrize("data", [b"", b"\x00", b"\x02\x00", b"\x00\x00\x00\xff\xff"])
def test_empty_messages_in_every_form_are_empty(data):
    assert inflate(Inflater(12, takeover=True), data) == b""


@pytest.mark.fault("W14")
@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x07garbage", b"\x00\x01\x02\x03\x04"])
def test_garbage_is_a_violation(data):
    with pytest.raises(Violation) as caught:
        inflate(Inflater(12, takeover=True), data)
    assert caught.value.code == 1007


@pytest.mark.fault("W14")
def test_a_context_that_was_not_kept_is_a_violation():
    deflater = Deflater(12, takeover=True)
    deflater.deflate(b"a phrase to refer to")
    with pytest.raises(Violation):
        inflate(Inflater(12, takeover=False), deflater.deflate(b"a phrase to refer to"))


@pytest.mark.fault("W14")
def test_a_stream_that_ends_with_its_message_is_followed_by_a_new_one():
    final = bytes.fromhex("f348cdc9c90700 00".replace(" ", ""))  # RFC 7692 section 7.2.3.4: "Hello"
    inflater = Inflater(15, takeover=True)
    assert [inflate(inflater, final), inflate(inflater, final)] == [b"Hello", b"Hello"]


@pytest.mark.fault("W14")
@given(st.binary(max_size=300))
def test_arbitrary_bytes_inflate_or_are_a_violation(data):
    with suppress(Violation):
        inflate(Inflater(12, takeover=True), data)


@pytest.mark.fault("W14")
def test_output_of_exactly_one_piece_is_followed_by_the_rest():
    for size in (PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1):
        assert inflate(Inflater(12, takeover=True), Deflater(12, takeover=True).deflate(b"z" * size)) == b"z" * size


@pytest.mark.fault("W15")
def test_a_bomb_costs_at_most_the_limit_and_4_mib():
    packer = zlib.compressobj(wbits=-12)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush(zlib.Z_SYNC_FLUSH)
    message = Message(2, MIB, Inflater(12, takeover=True), text=False)
    tracemalloc.start()
    try:
        with pytest.raises(Violation) as caught:
            message.add(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.code == 1009
    assert peak <= MIB + 4 * MIB


@pytest.mark.fault("W15")
def test_a_message_may_inflate_to_the_limit_and_no_further():
    for size, fits in ((1_000, True), (1_001, False)):
        message = Message(2, 1_000, Inflater(12, takeover=True), text=False)
        data = Deflater(12, takeover=True).deflate(bytes(size))
        if fits:
            message.add(data)
            assert message.finish() == bytes(size)
        else:
            with pytest.raises(Violation, match="inflates to more"):
                message.add(data)


@pytest.mark.fault("W14")
def test_what_only_the_end_of_a_message_brings_to_light_belongs_to_it():
    for limit, fits in ((1, True), (0, False)):
        message = Message(2, limit, Inflater(12, takeover=False), text=False)
        message.add(b"\x0a")  # five of the eight bits of a literal P: the other three are zeros of the tail
        if fits:
            assert message.finish() == b"P"
        else:
            with pytest.raises(Violation, match="inflates to more"):
                message.finish()
