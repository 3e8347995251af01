import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from plugsock.wire.deflate import Deflater, Inflater
from plugsock.wire.frames import CLOSED, FAILED, INSIDE, PINGS_IN_A_ROW, READY, SHORT_HEADS, Parser, head
from support.client_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, client_frame, close, text

LIMIT = 100_000


def parse(*pieces, limit=LIMIT, inflater=None):
    """Feed pieces and return all events and the code of the failure."""
    parser = Parser(limit, inflater)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events, parser.failure and parser.failure.code


def in_bytes(data):
    return [data[i : i + 1] for i in range(len(data))]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 1_000, 65_535, 65_536, LIMIT])
def test_whole_frames_of_every_length_arrive(length):
    message = b"x" * length
    data = client_frame(TEXT, message) + client_frame(BINARY, message)
    assert parse(data) == ([(TEXT, message), (BINARY, message)], None)


@pytest.mark.fault("W19")
@pytest.mark.parametrize("length", [0, 1, 3, 125, 126, 300])
def test_frames_cut_into_single_bytes_arrive(length):
    message = b"abcdefg" * (length // 7 + 1)
    message = message[:length]
    data = client_frame(BINARY, message) * 2 + client_frame(PING, message[:9])
    assert parse(*in_bytes(data)) == ([(BINARY, message), (BINARY, message), (PING, message[:9])], None)


@pytest.mark.fault("W19")
def test_a_session_cut_at_every_offset_reads_the_same():
    data = (
        text("hello")
        + text("gr\u00fc\u00dfe " * 30)
        + client_frame(BINARY, b"a", fin=False)
        + client_frame(PING, b"now")
        + client_frame(CONTINUATION, b"b")
        + client_frame(PONG)
        + close(1000, b"bye")
    )
    whole = parse(data)
    assert len(whole[0]) == 6
    for cut in range(len(data) + 1):
        assert parse(data[:cut], data[cut:]) == whole


def test_a_control_frame_between_fragments_comes_first():
    data = text("a", fin=False) + client_frame(PING, b"!") + client_frame(CONTINUATION, b"b")
    assert parse(data) == ([(PING, b"!"), (TEXT, b"ab")], None)


def test_empty_fragments_make_an_empty_message():
    data = text("", fin=False) + client_frame(CONTINUATION, fin=False) + client_frame(CONTINUATION)
    assert parse(data) == ([(TEXT, b"")], None)


def test_the_state_says_where_the_parser_is():
    parser = Parser(LIMIT)
    assert (parser.state, parser.begun) == (READY, 0)
    parser.feed(text("a", fin=False))
    assert (parser.state, parser.begun) == (INSIDE, 1)
    parser.feed(client_frame(CONTINUATION))
    assert parser.state == READY
    parser.feed(close())
    assert parser.state == CLOSED


@pytest.mark.fault("W3")
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_an_unmasked_frame_is_a_protocol_error(opcode):
    assert parse(client_frame(opcode, masked=False)) == ([], 1002)


@pytest.mark.fault("W4")
@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING])
def test_a_reserved_bit_is_a_protocol_error(rsv, opcode):
    assert parse(client_frame(opcode, b"x", rsv=rsv)) == ([], 1002)


@pytest.mark.fault("W4")
@pytest.mark.parametrize("frame", [client_frame(PING, rsv=4), client_frame(TEXT, rsv=5), client_frame(TEXT, rsv=2)])
def test_only_rsv1_of_a_data_frame_means_compressed(frame):
    assert parse(frame, inflater=Inflater(15, takeover=True)) == ([], 1002)


@pytest.mark.fault("W4", "W11")
def test_rsv1_on_a_continuation_is_a_protocol_error():
    data = client_frame(TEXT, b"", fin=False, rsv=4) + client_frame(CONTINUATION, rsv=4)
    assert parse(data, inflater=Inflater(15, takeover=True)) == ([], 1002)


@pytest.mark.fault("W5")
def test_a_length_with_its_highest_bit_set_is_a_protocol_error():
    assert parse(client_frame(BINARY, length=1 << 63, width=8)[:10]) == ([], 1002)


@pytest.mark.fault("W6")
@pytest.mark.parametrize("length", [(1 << 63) - 1, 1 << 40, LIMIT + 1])
def test_a_length_beyond_the_limit_is_refused_on_the_header(length):
    assert parse(client_frame(BINARY, length=length)[:10]) == ([], 1009)


@pytest.mark.fault("W6")
def test_a_short_limit_holds_for_short_frames():
    assert parse(text("1234") + text("12345") + text("1"), limit=4) == ([(TEXT, b"1234")], 1009)


@pytest.mark.fault("W6")
def test_fragments_together_are_held_to_the_limit_on_the_header():
    fragments = text("x" * 60, fin=False) + client_frame(CONTINUATION, b"y" * 41)[:6]
    assert parse(fragments, limit=100) == ([], 1009)


@pytest.mark.fault("W7")
@pytest.mark.parametrize(("length", "width"), [(0, 2), (125, 2), (0, 8), (125, 8), (126, 8), (65_535, 8)])
def test_a_length_not_in_its_shortest_form_is_a_protocol_error(length, width):
    assert parse(client_frame(BINARY, b"x" * length, width=width)) == ([], 1002)


@pytest.mark.fault("W8")
@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
@pytest.mark.parametrize("wrong", [{"payload": b"x" * 126}, {"fin": False}, {"payload": b"x", "width": 8}])
def test_long_and_fragmented_control_frames_are_protocol_errors(opcode, wrong):
    assert parse(client_frame(opcode, **wrong)) == ([], 1002)


@pytest.mark.fault("W8")
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_are_protocol_errors_from_their_first_byte(opcode):
    assert parse(client_frame(opcode)[:1]) == ([], 1002)


@pytest.mark.fault("W9")
@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"\x03", 1002)]
    + [(code.to_bytes(2, "big"), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535)]
    + [(b"\x03\xe8\xff", 1007), (b"\x03\xe8ok\xc3", 1007)],
)
def test_close_frames_that_break_the_rules_are_refused(payload, code):
    assert parse(client_frame(CLOSE, payload)) == ([], code)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xf5", b"\x0b\xb8", b"\x13\x87gr\xc3\xbc\xc3\x9fe"])
def test_right_close_frames_arrive(payload):
    assert parse(client_frame(CLOSE, payload)) == ([(CLOSE, payload)], None)


@pytest.mark.fault("W10")
def test_data_after_a_close_frame_is_ignored():
    assert parse(close(1000) + text("late") + b"\xff\xff", text("later")) == ([(CLOSE, b"\x03\xe8")], None)


def test_a_close_frame_ends_a_fragmented_message():
    parser = Parser(LIMIT)
    assert parser.feed(text("a", fin=False) + close()) == [(CLOSE, b"")]
    assert parser.state == CLOSED


@pytest.mark.fault("W11")
@pytest.mark.parametrize(
    "data", [client_frame(CONTINUATION), text("a", fin=False) + text("b"), text("a", fin=False) + client_frame(BINARY)]
)
def test_fragments_out_of_order_are_protocol_errors(data):
    assert parse(data) == ([], 1002)


def test_what_comes_before_a_violation_is_delivered_and_nothing_after_it():
    parser = Parser(LIMIT)
    assert parser.feed(text("good") + text("bad", masked=False) + text("late")) == [(TEXT, b"good")]
    assert parser.state == FAILED
    assert parser.failure.reason == "unmasked frame"
    assert parser.feed(text("later")) == []


@pytest.mark.fault("W12")
def test_65536_fragments_of_one_byte_are_a_message():
    fragments = text("*", fin=False) + client_frame(CONTINUATION, b"*", fin=False) * 65_534
    assert parse(fragments, client_frame(CONTINUATION, b"*")) == ([(TEXT, b"*" * 65_536)], None)


@pytest.mark.fault("W12")
def test_a_fragment_of_one_byte_holds_at_most_two():
    parser = Parser(1_000_000)
    fragments = client_frame(CONTINUATION, b"*", fin=False) * 10_000
    parser.feed(text("*", fin=False))
    tracemalloc.start()
    try:
        for _ in range(10):
            parser.feed(fragments)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held <= 2 * 100_000


@pytest.mark.fault("W12")
def test_fragments_without_end_are_refused_at_the_limit():
    assert parse(text("*", fin=False), client_frame(CONTINUATION, b"*", fin=False) * 1_000, limit=500)[1] == 1009


@pytest.mark.fault("W2")
@pytest.mark.parametrize(
    "bad", [b"\x80", b"\xc0", b"\xc3\x28", b"\xed\xa0", b"\xf4\x90", b"\xf8", b"\xe0\x80", b"\xf0\x80", b"\xff"]
)
def test_bad_utf8_inside_a_long_frame_fails_before_its_end(bad):
    frame = client_frame(TEXT, b"good " + bad + b"x" * 10_000)
    assert parse(*in_bytes(frame[: 8 + 5 + len(bad)])) == ([], 1007)


@pytest.mark.fault("W2")
@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"gr\xc3", b"\xf0\x9f\x98"])
@pytest.mark.parametrize("padding", [0, 200, 70_000])
def test_bad_utf8_is_refused_whole_fragmented_and_cut(bad, padding):
    payload = b"x" * padding + bad
    assert parse(text(payload)) == ([], 1007)
    assert parse(text(payload, fin=False) + client_frame(CONTINUATION)) == ([], 1007)
    frame = text(payload)
    assert parse(frame[:20], frame[20:]) == ([], 1007)


def test_characters_may_be_cut_by_fragments():
    message = "a\u00e9\u20ac\U0001f600".encode()
    fragments = [client_frame(CONTINUATION, bytes([byte]), fin=False) for byte in message]
    data = text("", fin=False) + b"".join(fragments) + client_frame(CONTINUATION)
    assert parse(data) == ([(TEXT, message)], None)


def test_binary_messages_may_hold_anything():
    assert parse(client_frame(BINARY, b"\xff\xfe")) == ([(BINARY, b"\xff\xfe")], None)


@pytest.mark.fault("W17")
def test_of_many_pings_in_a_row_the_first_and_the_newest_are_reported():
    events, _ = parse(b"".join(client_frame(PING, b"%d" % number) for number in range(10_000)))
    assert len(events) == PINGS_IN_A_ROW
    assert events[0] == (PING, b"0")
    assert events[-1] == (PING, b"9999")


@pytest.mark.fault("W17")
def test_pings_between_messages_are_all_reported():
    events, _ = parse((client_frame(PING, b"p") + text("m")) * 100)
    assert len(events) == 200


@pytest.mark.fault("W18")
def test_100000_empty_texts_are_all_read():
    assert parse(text("") * 100_000) == ([(TEXT, b"")] * 100_000, None)


def test_compressed_messages_are_inflated_whole_cut_and_fragmented():
    deflater = Deflater(12, takeover=True)
    first, second = deflater.deflate(b"hello hello hello"), deflater.deflate(b"hello hello again")
    data = (
        client_frame(TEXT, first, rsv=4)
        + text("plain")
        + client_frame(BINARY, second[:2], rsv=4, fin=False)
        + client_frame(CONTINUATION, second[2:])
    )
    expected = [(TEXT, b"hello hello hello"), (TEXT, b"plain"), (BINARY, b"hello hello again")]
    assert parse(data, inflater=Inflater(12, takeover=True)) == (expected, None)
    assert parse(*in_bytes(data), inflater=Inflater(12, takeover=True)) == (expected, None)


@pytest.mark.fault("W2", "W14")
def test_bad_utf8_in_a_compressed_message_is_refused():
    data = client_frame(TEXT, Deflater(12, takeover=True).deflate(b"\xff"), rsv=4)
    assert parse(data, inflater=Inflater(12, takeover=True)) == ([], 1007)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_heads_are_those_of_websockets(length):
    theirs = Frame(TEXT, b"x" * length).serialize(mask=False)
    assert head(TEXT, length) == theirs[: len(theirs) - length]


def test_a_compressed_frame_has_rsv1():
    assert head(BINARY, 5, compressed=True) == b"\xc2\x05"


def test_short_heads_are_the_same_heads():
    assert all(SHORT_HEADS[opcode][length] == head(opcode, length) for opcode in SHORT_HEADS for length in range(126))


# Whatever comes, however it is cut.

payloads = st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40), st.just(b"x" * 200))
frames = st.builds(
    client_frame,
    st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 3]),
    payloads,
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 0, 4]),
    masked=st.sampled_from([True, True, True, True, False]),
    width=st.sampled_from([None, None, None, 2, 8]),
)
streams = st.one_of(st.binary(max_size=200), st.lists(frames, max_size=6).map(b"".join))


@st.composite
def cut_streams(draw):
    data = draw(streams)
    places = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return data, [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.fault("W19")
@given(cut_streams(), st.booleans())
def test_arbitrary_bytes_read_the_same_however_they_are_cut(stream, compression):
    data, pieces = stream
    whole = parse(data, limit=150, inflater=Inflater(12, takeover=True) if compression else None)
    cut = parse(*pieces, limit=150, inflater=Inflater(12, takeover=True) if compression else None)
    assert cut == whole


def parse_like_websockets(data):
    """Read with the library's parser, which leaves UTF-8 to its user and accepts lengths that are not minimal."""
    protocol = ServerProtocol(state=OPEN, max_size=150)
    protocol.receive_data(data)
    events, message = [], b""
    for frame in protocol.events_received():
        opcode = int(frame.opcode)
        if opcode >= CLOSE:
            events.append((opcode, bytes(frame.data)))
            continue
        started, message = (opcode or started), message + bytes(frame.data)  # noqa: F821 - a continuation has a start
        if frame.fin:
            events.append((started, message))
            message = b""
    error = protocol.parser_exc
    code = {PayloadTooBig: 1009, ProtocolError: 1002, UnicodeDecodeError: 1007}.get(type(error))
    return events, code


@settings(max_examples=200)
@given(st.lists(frames, max_size=6).map(b"".join))
def test_reads_the_same_as_websockets_wherever_that_is_right(data):
    ours, code = parse(data, limit=150)
    theirs, their_code = parse_like_websockets(data)
    if code in (None, 1009):
        assert (ours, code) == (theirs, their_code)
    else:
        # Stricter only, and then silent: about UTF-8 of texts, and lengths in their shortest form.
        assert code in (1002, 1007)
        assert ours == theirs[: len(ours)]
