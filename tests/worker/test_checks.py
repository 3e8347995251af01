import enum

import pytest

from plugsock import Raw, any_of
from plugsock.worker.checks import (
    MOST_DATA,
    event_name,
    key_paths,
    member_data,
    needed,
    permission_text,
    socket_id,
    topic_name,
    user_id,
)


class Name(enum.StrEnum):
    ROOM = "room"


@pytest.mark.parametrize("permission", ["a", "orders.read:berlin", "orders.*", "orders:*", "*", "A_z-0/9", "a" * 128])
def test_permissions_and_wildcards_pass(permission):
    assert permission_text(permission) == permission


def test_a_permission_that_only_looks_right_shows_why():
    with pytest.raises(ValueError, match=r"not 'orders\.r\\u0435ad'"):
        permission_text("orders.r\u0435ad")


def test_a_name_that_is_more_than_a_text_is_kept_as_a_text():
    for check in (event_name, topic_name, permission_text, user_id, socket_id, lambda name: key_paths((name,))[0]):
        assert type(check(Name.ROOM)) is str
    with pytest.raises(ValueError, match="an event is called"):
        event_name(["chat"])


@pytest.mark.parametrize("topic", ["room", "room.kitchen", "a:b/c-d_e", "--", "-a", "a" * 128])
def test_topics_have_the_names_that_a_header_has_room_for(topic):
    assert topic_name(topic) == topic


@pytest.mark.parametrize("topic", ["", "-", "a b", "a\n", "é", "a" * 129, "a?at=1", "room.*", None, 7, b"a"], ids=repr)
def test_other_topics_are_refused(topic):
    with pytest.raises(ValueError, match="a topic is called by 1 to 128 of"):
        topic_name(topic)


@pytest.mark.parametrize("key", ["orders", "orders/42", "orders/*", "a.b:c-d_e/f/g/*", "-", "a" * 256])
def test_keys_are_paths(key):
    assert key_paths((key, "b")) == [key, "b"]


@pytest.mark.parametrize(
    "key",
    ["", "/", "a/", "/a", "a//b", "*", "*/a", "a/*/b", "a*", "@members/a", "a b", "a\n", "a" * 257, None, 7],
    ids=repr,
)
def test_other_keys_are_refused(key):
    with pytest.raises(ValueError, match="a key is a path of up to 256 characters, as `orders/42`"):
        key_paths(("orders", key))


def test_at_least_one_key_is_named():
    with pytest.raises(ValueError, match="name at least one key"):
        key_paths(())


@pytest.mark.parametrize(
    ("requires", "needs"),
    [
        (None, ()),
        ("orders.read", (("orders.read",),)),
        (["a", any_of("b", "c")], (("a",), ("b", "c"))),
    ],
    ids=repr,
)
def test_what_a_push_requires_has_one_form(requires, needs):
    assert needed(requires) == needs


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        ("orders.*", "must name what is needed in full"),
        ([], "asks for nothing"),
        (7, "must be a permission"),
        ("", "must be made of permissions"),
        (
            "orders.read:{shop}",
            "said in full, as `orders.read:berlin`: it has no fields to put into 'orders.read:{shop}'",
        ),
        (["a", any_of("b", "c:{d}")], "it has no fields to put into 'c:{d}'"),
    ],
    ids=repr,
)
def test_what_nobody_can_hold_is_not_required_of_a_push(requires, said):
    with pytest.raises(ValueError, match=said) as raised:
        needed(requires)

    assert raised.value.__cause__ is None  # no second traceback for one mistake


def test_what_is_told_of_a_member_is_json():
    assert member_data(None) is None
    assert member_data({"mood": "é"}) == '{"mood":"é"}'.encode()
    assert member_data(Raw(b"[1]")) == b"[1]"
    assert member_data("x" * (MOST_DATA - 2)) == b'"%b"' % (b"x" * (MOST_DATA - 2))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("x" * (MOST_DATA - 1), "has 4097 bytes as JSON; it may have 4096"),
        (float("nan"), "JSON has no word for"),
        ({1: 2}, "key"),
        (object(), "object"),
        (Raw(b"{"), "must be JSON"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_no_member_could_be_told_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        member_data(data)
