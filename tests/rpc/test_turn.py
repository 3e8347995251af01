from hypothesis import given
from hypothesis import strategies as st

from plugsock.rpc import batches
from plugsock.rpc.batches import LONG, Answer, Parcel
from plugsock.rpc.turn import MOST, Turn


class Recorded:
    """A turn whose end comes when the test says so."""

    def __init__(self):
        self.soon = []
        self.written = []
        self.flaws = []
        self.turn = Turn(self.soon.append, self.written.append, lambda message, _error: self.flaws.append(message))

    def end(self):
        """The batches of one turn, each as the messages in it."""
        (flush,) = self.soon
        self.soon.clear()
        flush()
        (pieces,) = self.written
        self.written.clear()
        reader = batches.Reader()
        return [batches.read_up(batch) for batch in reader.feed(b"".join(pieces))]


def item(sequence, size=1):
    return batches.Item(sequence, b"x" * size)


def sequences(said):
    return [[message.sequence for message in batch] for batch in said]


def test_what_is_said_in_a_turn_is_one_batch_and_one_write():
    recorded = Recorded()
    for sequence in (1, 2, 3):
        recorded.turn.say(item(sequence), 1)
    assert sequences(recorded.end()) == [[1, 2, 3]]


def test_what_is_appended_is_said_in_its_place():
    recorded = Recorded()
    recorded.turn.say(item(1))
    recorded.turn.said.append(item(2))
    recorded.turn.expect()
    recorded.turn.say(item(3))
    assert sequences(recorded.end()) == [[1, 2, 3]]


def test_nothing_is_left_for_the_next_turn():
    recorded = Recorded()
    recorded.turn.say(item(1, LONG + 1), LONG + 1)
    recorded.end()
    recorded.turn.say(item(2))
    recorded.turn.say(item(3))
    assert sequences(recorded.end()) == [[2, 3]]


def test_what_is_long_is_a_batch_of_its_own_in_its_place():
    recorded = Recorded()
    for sequence, size in enumerate((1, LONG + 1, LONG + 1, LONG, 1)):
        recorded.turn.say(item(sequence, size), size)
    assert sequences(recorded.end()) == [[0], [1], [2], [3, 4]]


def test_many_messages_are_several_batches_in_one_write():
    recorded = Recorded()
    for sequence in range(2 * MOST + 1):
        recorded.turn.say(item(sequence))
    assert [len(batch) for batch in recorded.end()] == [MOST, MOST, 1]


def test_a_parcel_and_the_message_that_it_belongs_to_are_in_one_batch():
    recorded = Recorded()
    for sequence in range(MOST - 1):
        recorded.turn.say(item(sequence))
    recorded.turn.said.append(Parcel(1, LONG + 1))
    recorded.turn.say(item(MOST))
    recorded.turn.say(item(MOST + 1))
    assert [len(batch) for batch in recorded.end()] == [MOST + 1, 1]


@given(st.lists(st.sampled_from(["long", "parcel", *[1, 2, MOST - 1, MOST, MOST + 1]]), min_size=1, max_size=6))
def test_however_it_is_divided_the_order_is_kept_and_no_parcel_is_last(words):
    recorded, expected = Recorded(), []
    for word in words:
        for _ in range(word if isinstance(word, int) else 1):
            size = LONG + 1 if word == "long" else 1
            if word == "parcel":
                expected.append(Parcel(1, LONG + 1))
                recorded.turn.said.append(expected[-1])
            expected.append(Answer(len(expected), 0, b"x" * size, 0.0, None))
            recorded.turn.say(expected[-1], size)

    said = recorded.end()

    assert [message for batch in said for message in batch] == expected
    assert all(0 < len(batch) <= MOST + 1 and type(batch[-1]) is not Parcel for batch in said)
    assert all(len(batch) == 1 for batch in said if any(len(getattr(each, "payload", b"")) > LONG for each in batch))


def test_what_can_not_be_encoded_is_left_out_and_told_and_all_the_rest_is_said():
    class Text(str):
        """What a library may hand out."""

        __slots__ = ()

    recorded = Recorded()
    recorded.turn.say(item(1))
    recorded.turn.said.append(Parcel(7, LONG + 1))
    recorded.turn.say(item(2))
    flawed = batches.Outdated(Text("no"))
    recorded.turn.say(flawed)
    recorded.turn.say(item(3))

    assert [[type(message).__name__ for message in batch] for batch in recorded.end()] == [
        ["Item"],
        ["Parcel", "Item"],
        ["Item"],
    ]
    assert recorded.flaws == [flawed]
    recorded.turn.say(item(4))
    assert sequences(recorded.end()) == [[4]]
