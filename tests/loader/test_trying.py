"""What is known of a group while it is tried, and what becomes of one that must not be tried again."""

import sys
import types

import pytest

SAY = "from seen_by_test import say\n"


@pytest.fixture
def watched(make_shelf, monkeypatch):
    """A shelf that notes what it is told of each attempt, and what modules and moments do meanwhile."""
    seen = []
    shelf = make_shelf(trying=seen.append)
    shelf.seen = seen
    monkeypatch.setitem(sys.modules, "seen_by_test", types.SimpleNamespace(say=seen.append))
    return shelf


def test_an_attempt_is_told_before_its_modules_run_and_after_its_moments(watched):
    watched.write("a.py", SAY + "say('module')\n@on_load\ndef load(): say('on_load')\n")
    (group,) = watched.swap().groups
    assert watched.seen == [group.id, "module", "on_load", None]


def test_each_group_is_told_by_itself(watched):
    watched.plug("a.py", 1)
    watched.plug("b.py", 1)
    one, two = watched.swap().groups
    assert watched.seen == [one.id, None, two.id, None]


def test_the_end_of_an_attempt_that_failed_is_told_too(watched):
    watched.write("a.py", "raise SystemExit\n")
    (group,) = watched.swap().groups
    assert watched.seen == [group.id, None]


def test_the_end_of_an_attempt_that_was_given_up_is_told_when_that_is_decided(make_shelf):
    seen = []
    shelf = make_shelf(trying=seen.append, import_limit_s=0.05)
    shelf.write("a.py", "import threading\nthreading.Event().wait(1)\n")
    (group,) = shelf.swap().groups
    assert seen == [group.id, None]


def test_where_nothing_is_tried_nothing_is_told(watched):
    watched.plug("a.py", 1)
    watched.swap()
    watched.seen.clear()
    watched.look()
    assert watched.seen == []


def refused(shelf):
    """Look and find out what one group is called, then look anew with that refused."""
    look = shelf.look()
    (group,) = look.groups
    shelf.loader.commit(look.stage, [], [])
    shelf.seen.clear()
    return group.id, shelf.swap(refused=[group.id])


def test_a_refused_group_fails_and_nothing_of_it_runs(watched):
    watched.write("a.py", SAY + "say('module')\n@plug\ndef a(): ...\n")
    id, look = refused(watched)
    (group,) = look.groups
    assert (group.id, watched.seen, watched.events) == (id, [], [])
    assert [str(problem) for problem in look.problems] == [
        "plugs/a.py:0: importing this ended a worker: it is tried again when the file changes"
    ]
    assert look.problems[0].events == ("a",)


def test_a_refused_change_is_blamed_on_the_file_that_has_changed_and_the_old_one_serves(watched):
    watched.write("_lib.py", "VALUE = 1\n")
    watched.write("a.py", "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n")
    watched.swap()
    watched.write("_lib.py", "VALUE = 2\n")
    _, look = refused(watched)
    assert [problem.file for problem in look.problems] == ["plugs/_lib.py"]
    assert watched.call("a") == 1


def test_where_a_file_has_gone_those_are_blamed_that_would_do_without_it(watched):
    path = watched.write("_lib.py", "VALUE = 1\n")
    watched.write("a.py", "try:\n    import plugs._lib\nexcept ImportError: pass\n@plug\ndef a(): return 1\n")
    watched.swap()
    path.unlink()
    watched.look()
    watched.now += 1.1
    _, look = refused(watched)
    assert [problem.file for problem in look.problems] == ["plugs/a.py"]


def test_other_groups_are_served(watched):
    watched.plug("a.py", 1)
    _, _ = refused(watched)
    watched.plug("b.py", 1)
    watched.swap()
    assert watched.events == ["b"]
    assert len(watched.loader.problems) == 1


def test_a_refusal_is_remembered_without_being_said_again(watched):
    watched.plug("a.py", 1)
    refused(watched)
    look = watched.swap()
    assert (look.groups, watched.seen, len(look.problems)) == ((), [], 1)


def test_a_refused_group_is_tried_again_when_its_file_changes(watched):
    watched.plug("a.py", 1)
    id, _ = refused(watched)
    watched.plug("a.py", 2)
    assert watched.swap(refused=[id]).problems == ()
    assert watched.call("a") == 2


def test_a_refused_group_is_tried_again_by_force_if_it_is_refused_no_more(watched):
    watched.plug("a.py", 1)
    refused(watched)
    assert watched.swap(force=True).problems == ()
    assert watched.call("a") == 1


def test_what_is_neither_committed_nor_held_is_staged_anew(watched):
    watched.plug("a.py", 1)
    watched.plug("b.py", 1)
    watched.plug("c.py", 1)
    look = watched.look()
    a, b, c = (group.id for group in look.groups)
    watched.loader.commit(look.stage, [a], [b])
    assert watched.events == ["a"]
    assert [group.id for group in watched.look().groups] == [c]
    assert [group.id for group in watched.look(force=True).groups] == [b, c]


def test_what_failed_is_not_tried_again_whether_it_is_held_or_not(watched):
    watched.write("a.py", "1/0\n")
    look = watched.look()
    watched.loader.commit(look.stage, [], [])
    assert watched.look().groups == ()
