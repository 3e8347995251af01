import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.worker.patch import DEEPEST, merge_patch, with_values

encode = msgspec.json.encode
decode = msgspec.json.decode

NAMES = st.sampled_from(["a", "b", "c", "é", ""])
LEAVES = (
    st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 1.5]) | st.sampled_from(["", "1", "null"])
)


def trees(leaves):
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
    )


OBJECTS = st.dictionaries(NAMES, trees(LEAVES), max_size=4)
WITH_NULLS = st.dictionaries(NAMES, trees(LEAVES | st.none()), max_size=4)


def applied(patch, target):
    """RFC 7396, section 2, word by word."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = applied(value, target.get(name))
    return target


def same(one, other):
    """`1`, `1.0` and `True` are equal to Python, and no two of them are the same here."""
    deterministic = msgspec.json.Encoder(order="deterministic").encode
    return deterministic(one) == deterministic(other)


@given(OBJECTS | WITH_NULLS, OBJECTS | WITH_NULLS)
def test_what_is_patched_is_the_new_value(old, new):
    patch = merge_patch(encode(old), encode(new))
    if patch is not None:
        assert same(applied(decode(patch), old), new)
        assert len(patch) < len(encode(new))


@given(OBJECTS, OBJECTS)
def test_where_nothing_becomes_null_and_something_stays_there_is_a_patch(old, new):
    stays = {"stays": "x" * 1000}
    assert merge_patch(encode(old | stays), encode(new | stays)) is not None


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ('{"a":1,"b":2}', '{"a":1,"b":3}', '{"b":3}'),
        ('{"a":1,"b":"long enough"}', '{"b":"long enough"}', '{"a":null}'),
        ('{"a":{"b":"long enough","c":2,"d":3}}', '{"a":{"b":"long enough","c":3}}', '{"a":{"d":null,"c":3}}'),
        ('{"a":[1,2,3],"b":"long enough"}', '{"a":[1,2],"b":"long enough"}', '{"a":[1,2]}'),
        ('{"a":1,"b":"long enough"}', '{"a":true,"b":"long enough"}', '{"a":true}'),
        ('{"a":null,"b":"long enough"}', '{"a":null,"b":"long enough!"}', '{"b":"long enough!"}'),
        ('{"a":[1],"b":"long enough"}', '{"a":[null],"b":"long enough"}', '{"a":[null]}'),
        ('{"a":1,"b":"long enough"}', '{"a":{"b":1},"b":"long enough"}', '{"a":{"b":1}}'),
        ('{"a":1,"b":2}', '{"a":1,"b":2}', "{}"),
    ],
)
def test_only_what_has_changed_is_said(old, new, patch):
    assert merge_patch(old.encode(), new.encode()) == patch.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"a":1,"b":"long enough"}', '{"a":null,"b":"long enough"}'),
        ('{"a":{"b":1},"c":"long enough"}', '{"a":{"b":null},"c":"long enough"}'),
        ('{"a":1,"c":"long enough"}', '{"a":{"b":null},"c":"long enough"}'),
        ("[1]", "[1,2]"),
        ("[1]", '{"a":1}'),
        ('{"a":1}', "[1]"),
        ('{"a":1}', "null"),
        ('{"a":1}', '{"a":2}'),
        ('{"abcdef":1}', '{"b":1}'),
        ("{}", "{}"),
    ],
)
def test_what_no_patch_can_say_or_only_a_longer_one_is_said_in_full(old, new):
    assert merge_patch(old.encode(), new.encode()) is None


def test_what_is_nested_deeply_is_not_searched():
    def nested(value, depth):
        return (
            encode({"stays": "x" * 1000} | {"a": value})
            if not depth
            else (b'{"stays":"%b","a":%b}' % (b"x" * 100, nested(value, depth - 1)))
        )

    assert merge_patch(nested(1, DEEPEST - 1), nested(2, DEEPEST - 1)) is not None
    assert merge_patch(nested(1, DEEPEST), nested(2, DEEPEST)) is None


def test_a_patch_can_have_the_values_of_another_format():
    patch = {"a": "YQ==", "gone": None, "in": {"b": "Yg==", "gone": None}, "list": ["Yw=="], "new": {}}
    value = {"a": b"a", "same": 1, "in": {"b": b"b", "c": 2}, "list": [b"c"], "new": {}}
    assert with_values(patch, value) == {
        "a": b"a",
        "gone": None,
        "in": {"b": b"b", "gone": None},
        "list": [b"c"],
        "new": {},
    }
