import pytest

from plugsock.gateway.outbox import BATCH, LONG, OVERHEAD, Age, long_frame, next_batch, next_deflated_batch, take_back
from plugsock.wire.deflate import Deflater, Inflater
from support.client_frames import BINARY, PING, TEXT, split_frames


def deflated(outbox):
    return next_deflated_batch(outbox, Deflater(12, takeover=True))


@pytest.mark.parametrize("batch", [next_batch, deflated])
def test_a_batch_is_all_there_is_if_that_is_little(batch):
    outbox = [(TEXT, b"one"), (BINARY, b"x" * 126), (PING, b"")]
    count, size, joined = batch(outbox)
    assert (count, size) == (3, 129 + 3 * OVERHEAD)
    frames, rest = split_frames(joined)
    assert [first & 0x0F for first, _ in frames] == [TEXT, BINARY, PING]
    assert rest == b""


@pytest.mark.parametrize("length", [0, 125, 126, LONG])
@pytest.mark.parametrize("batch", [next_batch, deflated])
def test_one_message_is_a_batch(batch, length):
    count, size, joined = batch([(PING, b"x" * length)])
    assert (count, size) == (1, length + OVERHEAD)
    assert split_frames(joined) == ([(0x89, b"x" * length)], b"")


@pytest.mark.parametrize("batch", [next_batch, deflated])
def test_a_batch_ends_before_a_long_message(batch):
    assert batch([(TEXT, b"short"), (TEXT, b"x" * (LONG + 1)), (TEXT, b"short")])[0] == 1
    assert batch([(TEXT, b"x" * (LONG + 1)), (TEXT, b"short")])[0] == 0


@pytest.mark.parametrize("batch", [next_batch, deflated])
def test_a_batch_ends_when_it_is_full(batch):
    assert batch([(TEXT, b"x" * (BATCH // 4))] * 10)[0] == 4


def test_control_frames_are_never_compressed():
    _, _, joined = deflated([(PING, b"x" * 100), (TEXT, b"x" * 100)])
    (ping, message), _ = split_frames(joined)
    assert ping == (0x89, b"x" * 100)
    inflater = Inflater(12, takeover=True)
    assert message[0] == 0xC1
    assert b"".join([*inflater.inflate(message[1]), *inflater.finish()]) == b"x" * 100


def test_a_long_frame_is_its_head_and_the_payload_uncopied():
    payload = bytes(LONG + 1)
    head, body = long_frame(BINARY, payload, None)
    assert head == b"\x82\x7f" + (LONG + 1).to_bytes(8, "big")
    assert body is payload


def test_the_age_is_that_of_the_oldest_unsent_byte():
    age = Age(now=10.0, queued=100)
    assert age.mark(11.0, queued=200, sent=50) == 1.0
    assert age.mark(12.0, queued=200, sent=99) == 2.0
    assert age.mark(13.0, queued=200, sent=100) == 2.0  # the bytes queued between 10 and 11, at the latest at 11
    assert age.mark(14.0, queued=300, sent=200) == 0.0
    assert age.mark(15.0, queued=300, sent=250) == 1.0


def taken_back(outbox, age=None, handed=0):
    """Take back what is longer than three bytes; a text is replaced by one byte."""
    return take_back(outbox, lambda frame: len(frame) <= 3, lambda binary, _: None if binary else b"!", age, handed)


def test_what_is_taken_back_is_gone_or_replaced_and_the_rest_keeps_its_order():
    outbox = [(TEXT, b"one"), (BINARY, b"gone"), (TEXT, b"other"), (PING, b""), (BINARY, b"two")]
    assert taken_back(outbox) == (4 + OVERHEAD) + 4
    assert outbox == [(TEXT, b"one"), (TEXT, b"!"), (PING, b""), (BINARY, b"two")]
    assert taken_back(outbox) == 0


def test_the_age_of_the_rest_is_what_it_was():
    first, forbidden, last = (TEXT, b"one"), (BINARY, b"x" * 1_000), (TEXT, b"two")
    short = 3 + OVERHEAD
    age = Age(now=10.0, queued=50 + short)
    age.mark(11.0, queued=50 + short + 1_000 + OVERHEAD, sent=50)
    age.mark(12.0, queued=50 + 2 * short + 1_000 + OVERHEAD, sent=50)
    taken_back([first, forbidden, last], age, handed=50)
    assert age.mark(13.0, queued=50 + 2 * short, sent=50) == 3.0, "the first one still waits"
    assert age.mark(14.0, queued=50 + 2 * short, sent=50 + short) == 2.0, (
        "the last one was queued after the second mark"
    )
    assert age.mark(15.0, queued=50 + 2 * short, sent=50 + 2 * short) == 0.0
