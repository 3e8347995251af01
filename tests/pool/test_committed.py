from hypothesis import given
from hypothesis import strategies as st

from plugsock.model import Kind, TopicRule, Watching
from plugsock.pool.committed import IN_THREAD, MOST_QUICK, MOST_SLOW, ON_LOOP, QUICK, Committed
from plugsock.rpc.frames import File, Group
from support.scripted import announce


def file(module, data=b""):
    return File(module, f"/plugs/{module}.py", f"{module}.py", data, False, False, "folder", False)


def group(*events, gone=(), files=(), modules=None, id="g1"):
    names = [one.module for one in files] if modules is None else list(modules)
    return Group(id, list(events), list(gone), [], modules=names, files=list(files))


def test_before_the_first_commit_there_is_nothing():
    committed = Committed(10.0)

    assert (committed.entries, committed.files, committed.version) == ({}, [], 0)


def test_an_entry_holds_what_handing_out_calls_has_to_know():
    committed = Committed(10.0)
    slow = announce("slow", "r7", Kind.STREAM, timeout=60.0, idempotent=True, in_thread=True, worker="reports")

    assert committed.commit([group(slow, announce("quick"))]) == ["slow", "quick"]

    entry = committed.entries["slow"]
    assert (entry.event, entry.revision, entry.crew, entry.place) == ("slow", "r7", "reports", "a.py:1")
    assert (entry.in_thread, entry.is_stream, entry.idempotent, entry.is_barred) == (True, True, True, False)
    assert (entry.timeout_s, committed.entries["quick"].timeout_s) == (60.0, 10.0)


def test_a_view_is_run_again_like_any_call_that_is_idempotent_and_a_rule_is_an_event_like_others():
    committed = Committed(10.0)
    view = announce("summary", kind=Kind.VIEW, idempotent=True, view=Watching())
    committed.commit([group(view, announce("@topic:room.*", kind=Kind.TOPIC, topic=TopicRule("room.*")))])

    entry = committed.entries["summary"]
    assert (entry.idempotent, entry.is_stream) == (True, False)
    assert committed.commit([group(gone=["@topic:room.*"])]) == ["@topic:room.*"]
    assert list(committed.entries) == ["summary"]


def test_a_group_replaces_what_it_was_and_leaves_what_it_is_not():
    committed = Committed(10.0)
    committed.commit([group(announce("a"), announce("b"), files=[file("one", b"old"), file("two")])])

    touched = committed.commit([group(announce("c", "r2"), gone=["b"], files=[file("one", b"new")])])

    assert touched == ["b", "c"]
    assert committed.revisions == {"a": "r1", "c": "r2"}
    assert [(one.module, one.data) for one in committed.files] == [("one", b"new"), ("two", b"")]


def test_a_deleted_module_is_restored_nowhere():
    committed = Committed(10.0)
    committed.commit([group(announce("a"), files=[file("one")])])

    committed.commit([group(gone=["a"], modules=["one"])])

    assert (committed.files, committed.entries) == ([], {})


def test_a_commit_takes_an_event_out_of_quarantine():
    committed = Committed(10.0)
    committed.commit([group(announce("a"))])
    committed.entries["a"].is_barred = True

    committed.commit([group(announce("a"))])

    assert not committed.entries["a"].is_barred


def test_each_group_is_a_new_version_and_nothing_is_none():
    committed = Committed(10.0)

    committed.commit([group(announce("a")), group(announce("b"), id="g2")])
    committed.commit([])

    assert committed.version == 2


def test_an_event_whose_calls_end_in_a_moment_takes_places_of_its_own_until_they_do_not():
    committed = Committed(10.0)
    committed.commit([group(announce("quick"), announce("slow"), announce("plain", in_thread=True))])

    def answer(ran_s):
        for entry in committed.entries.values():
            entry.answered, entry.ran_s = 10, 10 * ran_s
            committed.active.append(entry)
        committed.entries["slow"].ran_s = 10.0
        committed.pace()
        return [committed.entries[event].kind for event in ("quick", "slow", "plain")]

    assert answer(1e-6) == [QUICK, ON_LOOP, IN_THREAD]
    assert MOST_SLOW < committed.entries["quick"].window <= MOST_QUICK
    assert committed.entries["slow"].window == 0
    committed.pace()
    assert committed.entries["quick"].kind == QUICK
    assert answer(1.0) == [ON_LOOP, ON_LOOP, IN_THREAD]
    assert committed.entries["quick"].window == 0


@given(st.permutations([announce("a", "r1"), announce("b", "r2"), announce("c", "r3")]))
def test_the_name_of_what_is_in_force_does_not_depend_on_how_it_came_to_be(events):
    one, other = Committed(10.0), Committed(10.0)
    one.commit([group(*events)])
    for number, event in enumerate(events):
        other.commit([group(event, id=f"g{number}")])

    assert one.revision == other.revision
    assert one.revision != Committed(10.0).revision
    assert len(one.revision) == 8
