import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.client.merge import merge

RFC_7396 = [
    # the table of its appendix A: original, patch, result
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

LEAVES = st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)
"""Without null, which a patch can't put anywhere."""


def difference(old, new):
    """A patch from one document to another."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    gone = dict.fromkeys(old.keys() - new.keys())
    return gone | {name: difference(old.get(name), value) for name, value in new.items() if old.get(name) != value}


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_it_does_what_the_standard_says(target, patch, result):
    assert merge(target, patch) == result


@given(DOCUMENTS, DOCUMENTS)
def test_a_document_and_its_patch_make_the_new_document(old, new):
    assert merge(old, difference(old, new)) == new


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_given_stays_as_it_is(old, patch):
    before = copy.deepcopy((old, patch))

    merge(old, patch)

    assert (old, patch) == before
