import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from plugsock.gateway.open_call import OpenCall
from plugsock.model import Announcement, Kind, Member, Problem, Reach, TopicRule, Watching
from plugsock.rpc import batches
from plugsock.rpc.frames import (
    Broadcast,
    Call,
    Details,
    Document,
    Emit,
    File,
    Grant,
    Group,
    Join,
    Kick,
    KickUser,
    Leave,
    Members,
    Publish,
    Reply,
    Request,
    Revoke,
    Send,
    SocketState,
    Staged,
    Touch,
)

GREET = Announcement("greet", "5e0c1a22", Kind.CALL, "(name: str)", "str", "Say hello.", "plugs/greet.py:4")
BROKEN = Problem("plugs/chat.py", 3, "name 'x' is not defined", ("chat.send",))
FILE = File("plugs.greet", "/p/greet.py", "greet.py", b"\xff\0", False, False, "folder", False)
VIEW = structs.replace(GREET, kind=Kind.VIEW, view=Watching("user", ("orders",), 5.0, 0.2))
RULE = structs.replace(
    GREET, event="@topic:room.*", kind=Kind.TOPIC, topic=TopicRule("room.*", 100, 60.0, presence=True)
)
GROUP = Group("ab" * 32, [GREET, VIEW, RULE], ["old"], [BROKEN], ["trace"], ["plugs.greet"], [FILE])
CALL = Call(7, "greet", "5e0c1a22", 1, "s1", 2, 3, 32, "key", "trace", "room", b'{"name":"Ada"}')

DOWN = [
    batches.Began(*(getattr(CALL, field) for field in CALL.__struct_fields__)),
    batches.Parcel(1, 1 << 20),
    batches.Cancel(7),
    batches.More(7, 32),
    batches.Hold("s1", held=True),
    batches.Met(SocketState("s1", "ada", ["read"], 17.5, 3)),
    batches.Met(SocketState("s2", None, [], None, 0, ["room.kitchen"])),
    batches.Forget("s1"),
    batches.Formats(msgpack=True),
    batches.Told(3, Reply(Reach(2, 1, 4))),
    batches.Told(4, Reply(Reach(), "the disk is full")),
    batches.Told(5, Reply(Reach(), members=[Member("ada", "ada", 2, {"mood": [1, None]}), Member("x7", None)])),
    batches.Look(["/p/greet.py"], force=True, refused=["ab"]),
    batches.Restore([FILE]),
    batches.Adopt([FILE], ["plugs.gone"], True, ["0123456789abcdef"]),
    batches.Commit(3, ["ab"], None),
    batches.Commit(3, [], ["ab"]),
    batches.Retire(3),
    batches.Describe(4, "schema", "ws://127.0.0.1:8765"),
    batches.Stop(),
]

UP = [
    batches.Answer(7, 0, b"1", 0.5, None),
    batches.Answer(7, 1, b"", 0.5, Details(0.1, 0.2, 0.3)),
    batches.Item(7, b"\0\xff"),
    batches.Parcel(2, 0),
    batches.Said(Send("s1", "a.b", b"1", b"\x01", 7)),
    batches.Said(Send("s1", "a.b", b"1", None, 7, (("a",), ("b", "c")))),
    batches.Said(Broadcast("a.b", b"1", None, 0)),
    batches.Said(Broadcast("a.b", b"1", None, 0, (("a",),))),
    batches.Said(Publish("room", "a.b", b"1", b"\x01", 7)),
    batches.Said(Publish("room", "a.b", b"1", None, 7, (("a",),))),
    batches.Said(Join("s1", "room", b"{}", 7)),
    batches.Said(Join("s1", "room", None, 0)),
    batches.Said(Leave("s1", "room", 7)),
    batches.Said(Touch(["orders/42", "stock/*"], 7)),
    batches.Said(Kick("s1", 4502, "why", 7)),
    batches.Said(KickUser("ada", 4502, "why", 0)),
    batches.Asked(3, 7, Grant("ada", "orders.*")),
    batches.Asked(4, 0, Revoke("ada", "orders.read:berlin", 5.0)),
    batches.Asked(5, 0, Revoke("ada", "*")),
    batches.Asked(6, 7, Members("room.kitchen")),
    batches.Ended(7),
    batches.Changed(["/p/greet.py"]),
    batches.Looked(Staged(3, [GROUP], [BROKEN], asked=True)),
    batches.Described(4, Document(b"{}", [BROKEN])),
    batches.Beat(0.001, 2),
    batches.Outdated("site-packages has changed"),
    batches.Returned(7),
    batches.Leave(),
]


def framed(*bodies):
    return b"".join(batches.head(len(body)) + body for body in bodies)


def read(data, reader=None):
    return [bytes(batch) for batch in (reader or batches.Reader()).feed(data)]


def test_every_word_of_the_gateway_reads_back_as_itself():
    assert {type(message) for message in DOWN} == set(batches.Down.__args__)
    assert batches.read_down(batches.encode(DOWN)) == DOWN


def test_every_word_of_a_worker_reads_back_as_itself():
    assert {type(message) for message in UP} == set(batches.Up.__args__)
    assert batches.read_up(batches.encode(UP)) == UP


def test_every_kind_of_word_and_question_of_a_plug_is_tried():
    assert {type(said.emit) for said in UP if isinstance(said, batches.Said)} == set(Emit.__args__)
    assert {type(said.request) for said in UP if isinstance(said, batches.Asked)} == set(Request.__args__)


def test_every_number_is_given_once():
    words = {*batches.Down.__args__, *batches.Up.__args__}
    assert len({each.__struct_config__.tag for each in words}) == len(words)


def test_a_tuple_is_as_good_as_a_message():
    fields = tuple(getattr(CALL, field) for field in Call.__struct_fields__)
    (call,) = batches.read_down(batches.encode([(batches.CALL, *fields)]))
    assert tuple(getattr(call, field) for field in Call.__struct_fields__) == fields
    (answer,) = batches.read_up(batches.encode([(batches.ANSWER, 7, 0, b"1", 0.5, None)]))
    assert answer == UP[0]


def test_a_call_begins_with_the_fields_that_travel():
    assert OpenCall.__struct_fields__[: len(Call.__struct_fields__)] == Call.__struct_fields__
    assert batches.Began.__struct_fields__ == Call.__struct_fields__


def test_what_utf8_has_no_bytes_for_becomes_a_question_mark():
    odd = Announcement("greet", "5e0c1a22", Kind.CALL, "()", "str", "half \ud83d", "plugs/greet.py:4")
    said = [
        batches.Looked(Staged(1, [Group("ab", [odd], [], [])], [])),
        batches.Item(7, b"\xff"),
        (64, 8, 0, b"", 0.0, None),
    ]

    looked, item, answer = batches.read_up(batches.encode(said))

    assert looked.staged.groups[0].events[0].doc == "half ?"
    assert (item.payload, answer.sequence) == (b"\xff", 8)


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 30), min_size=1))
def test_batches_are_put_together_from_whatever_pieces_they_come_in(bodies, sizes):
    data, reader, found = framed(*bodies), batches.Reader(), []
    for size in sizes * (len(data) + 1):
        piece, data = data[:size], data[size:]
        found += read(piece, reader) if piece else []

    assert found == bodies


def test_a_batch_of_the_greatest_length_is_read():
    assert read(framed(b"x" * 8), batches.Reader(8)) == [b"x" * 8]


@pytest.mark.fault("K6")
@pytest.mark.parametrize("length", [9, 1 << 31, (1 << 32) - 1])
def test_a_batch_that_would_be_longer_is_refused_before_it_has_come(length):
    with pytest.raises(batches.Violation, match=f"a batch of {length} bytes is longer than 8"):
        read(batches.head(length), batches.Reader(8))


@pytest.mark.fault("K6")
def test_what_came_before_it_is_read():
    batch = batches.Reader(8).feed(framed(b"good") + batches.head(9))

    assert bytes(next(batch)) == b"good"
    with pytest.raises(batches.Violation):
        next(batch)


@pytest.mark.parametrize(
    ("payload", "length"), [(0, 256 << 20), (16 << 20, 256 << 20), (1 << 30, (2 << 30) + (1 << 20))]
)
def test_the_limit_has_room_for_a_push_in_both_formats(payload, length):
    assert batches.limit(payload) == length


GARBAGE = {
    "nothing": b"",
    "no array": b"\x01",
    "an unknown number": b"\x91\x92\x63\x01",
    "a number of the other end": batches.encode([(batches.CALL, 1), (batches.ANSWER, 1)]),
    "too few fields": b"\x91\x92\x40\x01",
    "a wrong type": batches.encode([(batches.ANSWER, "7", 0, b"", 0.0, None)]),
    "a question of no kind": batches.encode([(74, 1, 7, ("Ask", "ada", "orders.read"))]),
    "a question without a number": batches.encode([(74, None, 7, ("Grant", "ada", "orders.read"))]),
    "an answer without what it reached": batches.encode([(14, 1, (None, ""))]),
    "a parcel without a number": b"\x91\x93\x20\x00\x01",
    "a parcel of less than nothing": b"\x91\x93\x20\x01\xff",
    "no UTF-8": b"\x91\x92\x44\x91\xa1\xff",
    "more after the end": b"\x90\x90",
    "four thousand million messages": b"\xdd\xff\xff\xff\xff",
    "four thousand million paths": b"\x91\x92\x44\xdd\xff\xff\xff\xff",
    "four gigabytes of text": b"\x91\x92\x44\x91\xdb\xff\xff\xff\xff",
    "five thousand arrays in each other": b"\x91" * 5000,
}


@pytest.mark.fault("K6")
@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_a_violation(name):
    for read in (batches.read_up, batches.read_down):
        with pytest.raises(batches.Violation):
            read(GARBAGE[name])


@pytest.mark.fault("K6")
@given(st.binary(max_size=60) | st.sampled_from(DOWN + UP).map(lambda said: batches.encode([said])))
def test_whatever_is_read_is_understood_or_a_violation(data):
    for read, words in ((batches.read_up, batches.Up.__args__), (batches.read_down, batches.Down.__args__)):
        try:
            said = read(data)
        except batches.Violation:
            continue
        assert all(type(message) in words for message in said)
