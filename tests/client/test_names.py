import pytest

from plugsock.client.names import check_name, check_topic
from plugsock.errors import Error


@pytest.mark.parametrize("name", ["orders.place", "a", "orders:7/x-y_z", "x" * 128])
def test_a_name_is_one(name):
    check_name(name)


@pytest.mark.parametrize("name", ["", "not a name", "straße", "x" * 129, "a?b"])
def test_what_can_be_no_name_is_refused(name):
    with pytest.raises(Error, match="bad_frame"):
        check_name(name)


@pytest.mark.parametrize(("topic", "at"), [("room.kitchen", None), ("room.kitchen", "e3.118")])
def test_a_topic_and_a_position_are_such(topic, at):
    check_topic(topic, at)


@pytest.mark.parametrize(("topic", "at"), [("-", None), ("not a name", None), ("room", "e3"), ("room", "")])
def test_what_can_be_none_is_refused(topic, at):
    with pytest.raises(Error, match="bad_frame"):
        check_topic(topic, at)
