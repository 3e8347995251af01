"""Who hears of which change, beside a model that is too simple to be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.hub import changes as module
from plugsock.hub.changes import Changes

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
KEYS = PATHS | PATHS.map(lambda path: f"{path}/*")
READERS = st.integers(0, 3)


def parts(key: str) -> list[str]:
    return [part for part in key.split("/") if part != "*"]


def meet(one: str, other: str) -> bool:
    """Does one of two paths begin with the other?"""
    return all(a == b for a, b in zip(parts(one), parts(other), strict=False))


def is_empty(changes: Changes) -> bool:
    return not (
        changes._read or changes._at or changes._below or changes._running or changes._latest or changes._latest_below
    )


@pytest.mark.parametrize(
    ("read", "changed", "is_woken"),
    [
        ("orders", "orders/42", True),
        ("orders/*", "orders/42", True),
        ("orders/42", "orders", True),
        ("orders/42", "orders/*", True),
        ("orders/42", "orders/42/items", True),
        ("orders/42", "orders/42", True),
        ("orders/*", "orders", True),
        ("orders/42", "orders/43", False),
        ("orders/42", "orders/421", False),
        ("orders", "ordersx", False),
        ("orders", "users", False),
    ],
)
def test_a_change_wakes_who_has_read_it_what_it_lies_in_or_what_lies_in_it(read, changed, is_woken):
    changes = Changes()
    changes.follow("reader", [read])
    assert changes.touch([changed]) == ["reader"] * is_woken
    begun = changes.begin()
    changes.touch([changed])
    assert changes.end(begun, [read]) is is_woken


def test_who_has_read_several_things_hears_once_of_a_change_of_them_all():
    changes = Changes()
    changes.follow("one", ["a", "b/c", "b/d"])
    changes.follow("other", ["b"])
    assert sorted(changes.touch(["a", "b", "b/c"])) == ["one", "other"]


def test_what_was_read_before_does_not_count_any_more():
    changes = Changes()
    changes.follow("reader", ["a/b", "c"])
    for _ in range(2):
        changes.follow("reader", ["c", "d"])
    assert changes.touch(["a", "a/b"]) == []
    assert changes.touch(["d"]) == ["reader"]
    changes.follow("reader", [])
    assert changes.touch(["c", "d"]) == []
    assert is_empty(changes)


def test_who_never_read_anything_can_be_forgotten():
    changes = Changes()
    changes.forget("nobody")
    assert is_empty(changes)


def test_a_change_before_a_run_began_is_none_of_its_business():
    changes = Changes()
    other = changes.begin()
    changes.touch(["a"])
    begun = changes.begin()
    assert not changes.end(begun, ["a"])
    assert changes.end(other, ["a"])
    assert is_empty(changes)


def test_a_run_that_has_read_nothing_has_missed_nothing():
    changes = Changes()
    begun = changes.begin()
    changes.touch(["a"])
    assert not changes.end(begun, [])


def test_nothing_is_remembered_while_nothing_runs():
    changes = Changes()
    changes.touch(["a", "b"])
    assert is_empty(changes)


@pytest.mark.parametrize("at_once", [True, False])
def test_when_too_much_has_changed_a_run_is_taken_to_have_missed_something(monkeypatch, at_once):
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    changes = Changes()
    early, idle = changes.begin(), changes.begin()
    keys = [f"k/{number}" for number in range(4)]
    for some in [keys] if at_once else [[key] for key in keys]:
        changes.touch(some)
    late = changes.begin()
    assert len(changes._latest) <= 3
    assert changes.end(early, ["something/else"])
    assert not changes.end(idle, [])
    assert not changes.end(late, ["k"])
    assert is_empty(changes)


OPERATIONS = st.lists(
    st.tuples(st.just("follow"), READERS, st.lists(KEYS, max_size=4))
    | st.tuples(st.just("forget"), READERS, st.none())
    | st.tuples(st.just("touch"), st.none(), st.lists(KEYS, max_size=3))
    | st.tuples(st.just("begin"), st.none(), st.none())
    | st.tuples(st.just("end"), st.integers(0, 5), st.lists(KEYS, max_size=4)),
    max_size=40,
)


@given(operations=OPERATIONS)
def test_it_says_what_a_list_of_everything_would_say(operations):
    changes: Changes[int] = Changes()
    reads: dict[int, list[str]] = {}
    runs: list[tuple[int, list[str]]] = []
    for word, number, keys in operations:
        if word == "follow":
            changes.follow(number, keys)
            reads[number] = keys
        elif word == "forget":
            changes.forget(number)
            reads.pop(number, None)
        elif word == "touch":
            woken = changes.touch(keys)
            assert len(woken) == len(set(woken))
            assert set(woken) == {
                reader for reader, read in reads.items() if any(meet(key, each) for key in keys for each in read)
            }
            for _, changed in runs:
                changed.extend(keys)
        elif word == "begin":
            runs.append((changes.begin(), []))
        elif runs:
            begun, changed = runs.pop(number % len(runs))
            assert changes.end(begun, keys) == any(meet(key, each) for key in keys for each in changed)
    for begun, _ in runs:
        changes.end(begun, ())
    for reader in reads:
        changes.forget(reader)
    assert is_empty(changes)


@given(operations=OPERATIONS, most=st.integers(1, 4))
def test_however_little_is_remembered_no_change_is_missed(operations, most):
    changes: Changes[int] = Changes()
    runs: list[tuple[int, list[str]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_KEPT", most)
        for word, number, keys in operations:
            if word == "touch":
                changes.touch(keys)
                for _, changed in runs:
                    changed.extend(keys)
            elif word == "begin":
                runs.append((changes.begin(), []))
            elif word == "end" and runs:
                begun, changed = runs.pop(number % len(runs))
                has_missed = changes.end(begun, keys)
                assert has_missed or not any(meet(key, each) for key in keys for each in changed)


def test_many_keys_below_one_that_was_read_wake_its_reader_once():
    changes: Changes[int] = Changes()
    for reader in range(3):
        changes.follow(reader, ["orders"])
    assert changes.touch([f"orders/{number}" for number in range(1000)]) == [0, 1, 2]
