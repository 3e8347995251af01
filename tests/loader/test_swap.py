"""The transaction: what is served after which change, and what never is."""

import os
import shutil
import sys
import threading
import time

import pytest

from plugsock.loader.source import Folder


def test_the_first_look_loads_everything(shelf):
    shelf.plug("greet.py", "hello")
    shelf.plug("chat/rooms.py", "rooms")
    shelf.swap()
    assert shelf.events == ["chat.rooms", "greet"]
    assert shelf.call("greet") == "hello"


def test_nothing_is_served_before_the_commit(shelf):
    shelf.plug("greet.py", "hello")
    shelf.look()
    assert shelf.events == []


def test_an_edit_is_served_after_its_commit(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.plug("greet.py", 2)
    look = shelf.look()
    assert shelf.call("greet") == 1
    shelf.loader.commit(look.stage, [look.groups[0].id])
    assert shelf.call("greet") == 2


def test_a_look_without_a_change_stages_nothing(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    assert shelf.look().groups == ()


def test_a_touched_file_is_no_change(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    os.utime(path)
    assert shelf.look().groups == ()


def test_a_new_file_is_served(shelf):
    shelf.plug("one.py", 1)
    shelf.swap()
    shelf.plug("two.py", 2)
    look = shelf.swap()
    assert [sorted(group.plugs) for group in look.groups] == [["two"]]
    assert shelf.events == ["one", "two"]


@pytest.mark.fault("S7")
def test_a_deleted_file_is_gone_after_a_second(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    old = shelf.loader.catalog
    path.unlink()
    look = shelf.look()
    assert look.groups == ()
    assert 0 < look.again_in_s <= 1
    look = shelf.swap(after_s=1.1)
    assert look.groups[0].gone == ("greet",)
    assert shelf.events == []
    assert shelf.call("greet", catalog=old) == 1


@pytest.mark.fault("S2")
def test_a_file_that_comes_back_within_a_second_was_never_gone(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    path.rename(path.with_suffix(".bak"))
    assert shelf.look().groups == ()
    shelf.plug("greet.py", 2)
    look = shelf.swap(after_s=0.5)
    assert [group.gone for group in look.groups] == [()]
    assert look.again_in_s is None
    assert shelf.call("greet") == 2
    assert shelf.look(after_s=2).groups == ()


@pytest.mark.fault("S3")
def test_an_emptied_file_that_is_refilled_within_a_second_was_never_gone(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    os.truncate(path, 0)
    look = shelf.swap()
    assert look.groups == ()
    assert look.again_in_s > 0
    shelf.plug("greet.py", 2)
    shelf.swap(after_s=0.5)
    assert shelf.call("greet") == 2


def test_an_emptied_file_is_a_deletion_after_a_second(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    os.truncate(path, 0)
    shelf.swap()
    shelf.swap(after_s=1.1)
    assert shelf.events == []


@pytest.mark.fault("S8")
def test_an_event_that_moves_to_another_file_moves_at_once_and_without_a_gap(shelf):
    path = shelf.write("chat.py", "@plug\ndef send(): return 'old'\n")
    shelf.swap()
    path.unlink()
    shelf.write("chat/send.py", "@plug\ndef send(): return 'new'\n")
    look = shelf.look()
    assert [(sorted(group.plugs), group.gone) for group in look.groups] == [(["chat.send"], ())]
    shelf.loader.commit(look.stage, [look.groups[0].id])
    assert shelf.call("chat.send") == "new"
    assert look.again_in_s is None


@pytest.mark.fault("S8")
def test_an_event_that_moves_out_of_its_folder_moves_at_once(shelf):
    path = shelf.write("chat/send.py", "@plug\ndef send(): return 'old'\n@plug\ndef loud(): ...\n")
    shelf.swap()
    path.unlink()
    path.parent.rmdir()
    shelf.write("chat.py", "@plug\ndef send(): return 'new'\n")
    look = shelf.swap()
    assert [(sorted(group.plugs), group.gone) for group in look.groups] == [(["chat.send"], ("chat.send.loud",))]
    assert shelf.call("chat.send") == "new"


def test_a_renamed_file_serves_its_new_events_and_drops_the_old(shelf):
    path = shelf.write("old.py", "@plug\ndef run(): return 1\n")
    shelf.swap()
    path.rename(path.with_name("new.py"))
    shelf.swap()
    assert shelf.events == ["new.run", "old.run"]
    shelf.swap(after_s=1.1)
    assert shelf.events == ["new.run"]


@pytest.mark.fault("S22")
def test_users_of_a_helper_swap_together_and_others_keep_their_state(shelf):
    shelf.write("_shared.py", "VALUE = 1\n")
    for name in "abc":
        shelf.write(f"{name}.py", f"from plugs._shared import VALUE\n@plug\ndef {name}(): return VALUE\n")
    shelf.write("counter.py", "count = 0\n@plug\ndef counter():\n    global count\n    count += 1\n    return count\n")
    shelf.swap()
    assert shelf.call("counter") == 1
    before = shelf.loader.catalog["counter"]
    shelf.write("_shared.py", "VALUE = 2\n")
    look = shelf.swap()
    assert [sorted(group.plugs) for group in look.groups] == [["a", "b", "c"]]
    assert [shelf.call(name) for name in "abc"] == [2, 2, 2]
    assert shelf.call("counter") == 2
    assert shelf.loader.catalog["counter"] is before


@pytest.mark.fault("S22")
def test_one_broken_user_keeps_all_users_of_a_helper_on_the_old_one(shelf):
    shelf.write("_shared.py", "def name(): return 'old'\n")
    shelf.write("a.py", "from ._shared import name\n@plug\ndef a(): return name()\n")
    shelf.write("b.py", "from ._shared import name\nresult = name()\n@plug\ndef b(): return name()\n")
    shelf.swap()
    shelf.write("_shared.py", "def name(x='new'): return x + 1 if x == 'new' else x\n")
    look = shelf.swap()
    assert look.groups[0].problems[0].file == "plugs/_shared.py"
    assert look.groups[0].problems[0].events == ("a", "b")
    assert shelf.call("a") == shelf.call("b") == "old"


def test_a_helper_of_helpers_moves_its_users(shelf):
    shelf.write("_one.py", "VALUE = 1\n")
    shelf.write("_two.py", "from . import _one\n")
    shelf.write("use.py", "from ._two import _one\n@plug\ndef use(): return _one.VALUE\n")
    shelf.swap()
    shelf.write("_one.py", "VALUE = 2\n")
    shelf.swap()
    assert shelf.call("use") == 2


def test_a_broken_file_holds_back_no_other(shelf):
    shelf.plug("good.py", 1)
    shelf.plug("bad.py", 1)
    shelf.swap()
    shelf.plug("good.py", 2)
    shelf.write("bad.py", "def (:\n")
    look = shelf.swap()
    assert shelf.call("good") == 2
    assert shelf.call("bad") == 1
    assert [(p.file, p.line, p.events) for p in look.problems] == [("plugs/bad.py", 2, ("bad",))]


def test_at_boot_a_broken_file_holds_back_none_that_shares_its_helper(shelf):
    shelf.write("_shared.py", "VALUE = 1\n")
    shelf.write("good.py", "from ._shared import VALUE\n@plug\ndef good(): return VALUE\n")
    shelf.write("bad.py", "from ._shared import VALUE\n1/0\n")
    shelf.swap()
    assert shelf.events == ["good"]
    assert [str(problem) for problem in shelf.loader.problems] == [
        "plugs/bad.py:3: ZeroDivisionError: division by zero"
    ]
    assert shelf.look().groups == ()


@pytest.mark.fault("S4")
def test_a_fixed_file_heals(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.write("greet.py", "@plug\ndef greet(: return 2\n")
    shelf.swap()
    assert shelf.loader.problems
    shelf.plug("greet.py", 3)
    shelf.swap()
    assert shelf.call("greet") == 3
    assert shelf.loader.problems == ()


@pytest.mark.fault("S4")
def test_reverting_a_broken_file_clears_its_problem_without_a_swap(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    served = shelf.loader.catalog["greet"]
    shelf.write("greet.py", "@plug\ndef greet(: return 2\n")
    shelf.swap()
    shelf.plug("greet.py", 1)
    look = shelf.swap()
    assert look.groups == ()
    assert look.problems == ()
    assert shelf.loader.catalog["greet"] is served


@pytest.mark.fault("S4")
def test_a_removed_mark_removes_the_event(shelf):
    shelf.write("a.py", "@plug\ndef one(): ...\n@plug\ndef two(): ...\n")
    shelf.swap()
    shelf.write("a.py", "@plug\ndef one(): ...\ndef two(): ...\n")
    look = shelf.swap()
    assert look.groups[0].gone == ("a.two",)
    assert shelf.events == ["a.one"]


def test_what_failed_is_tried_again_only_when_it_changes_or_by_force(shelf, tmp_path):
    switch = tmp_path / "switch"
    shelf.write("greet.py", f"import os\nassert os.path.exists({str(switch)!r})\n@plug\ndef greet(): return 1\n")
    assert len(shelf.swap().groups) == 1
    switch.touch()
    look = shelf.swap()
    assert look.groups == ()
    assert len(look.problems) == 1
    shelf.swap(force=True)
    assert shelf.events == ["greet"]
    assert shelf.loader.problems == ()


def test_a_part_of_the_groups_can_be_committed(shelf):
    shelf.plug("a.py", 1)
    shelf.plug("b.py", 1)
    look = shelf.look()
    first, second = look.groups
    shelf.loader.commit(look.stage, [first.id])
    assert shelf.events == ["a"]
    assert shelf.look().groups == ()
    again = shelf.look(force=True)
    assert [group.id for group in again.groups] == [second.id]


def test_what_was_staged_and_forgotten_is_staged_again(shelf):
    shelf.plug("a.py", 1)
    first = shelf.look()
    second = shelf.look()
    assert [group.id for group in first.groups] == [group.id for group in second.groups]
    with pytest.raises(LookupError):
        shelf.loader.commit(first.stage, [first.groups[0].id])
    shelf.loader.commit(second.stage, [second.groups[0].id])
    assert shelf.events == ["a"]


def test_the_id_of_a_group_depends_on_contents_alone(make_shelf):
    one, other = make_shelf("one/plugs"), make_shelf("other/plugs")
    for shelf in (one, other):
        shelf.plug("a.py", 1)
    other.swap()
    other.plug("a.py", 2)
    other.swap()
    other.plug("a.py", 1)
    assert one.look().groups[0].id == other.look().groups[0].id


def test_a_revision_depends_on_the_file_and_what_it_imports_alone(make_shelf):
    one, other = make_shelf("one/plugs"), make_shelf("other/plugs")
    for shelf in (one, other):
        shelf.write("_shared.py", "VALUE = 1\n")
        shelf.write("a.py", "@plug\ndef a():\n    from ._shared import VALUE\n    return VALUE\n")
        shelf.plug("unrelated.py", str(shelf.path))
        shelf.swap()
    first = one.loader.catalog["a"].announcement.revision
    assert first == other.loader.catalog["a"].announcement.revision
    one.write("_shared.py", "VALUE = 2\n")
    one.swap()
    assert one.loader.catalog["a"].announcement.revision != first
    one.write("_shared.py", "VALUE = 1\n")
    one.swap()
    assert one.loader.catalog["a"].announcement.revision == first


@pytest.mark.fault("P15")
def test_of_two_functions_for_one_event_neither_is_served_at_boot_and_both_are_named(shelf):
    shelf.write("a.py", "@plug\ndef a(): return 1\n\n@plug\ndef a(): return 2\n")
    shelf.plug("good.py", 1)
    shelf.swap()
    assert shelf.events == ["good"]
    assert [str(problem) for problem in shelf.loader.problems] == [
        "plugs/a.py:6: the event 'a' is defined here and at plugs/a.py:3: rename or remove one"
    ]


@pytest.fixture
def two_folders(make_shelf, tmp_path):
    """Within one folder an event's name is its path, so it takes two folders to define it in two files."""
    folders = [Folder(tmp_path / "plugs"), Folder(tmp_path / "more", "more_plugs")]
    (tmp_path / "more").mkdir()
    return make_shelf(folders=folders)


@pytest.mark.fault("P15")
def test_of_two_files_with_one_event_neither_is_served_at_boot(two_folders):
    two_folders.plug("a.py", 1)
    two_folders.plug("../more/a.py", 2)
    two_folders.plug("good.py", 3)
    two_folders.swap()
    assert two_folders.events == ["good"]
    messages = sorted(str(problem) for problem in two_folders.loader.problems)
    assert len(messages) == 2
    assert "/more/a.py:3: the event 'a' is defined here and at " in messages[0]
    assert messages[0].count("a.py:3") == 2


@pytest.mark.fault("P15")
def test_a_second_file_with_an_event_is_refused_while_the_first_goes_on(two_folders):
    path = two_folders.plug("a.py", 1)
    two_folders.swap()
    two_folders.plug("../more/a.py", 2)
    look = two_folders.swap()
    assert two_folders.call("a") == 1
    assert "plugs/a.py:3" in look.problems[0].message
    path.unlink()
    two_folders.look()
    two_folders.swap(after_s=1.1)
    assert two_folders.call("a") == 2
    assert two_folders.loader.problems == ()


@pytest.mark.fault("P15")
def test_an_event_that_only_running_shows_is_refused_too(two_folders):
    text = "def make(n):\n    return plug(lambda: n)\nglobals()['run'] = make({})\n"
    two_folders.write("a.py", text.format(1))
    two_folders.write("../more/a.py", text.format(2))
    two_folders.swap()
    assert two_folders.events == []
    (two_folders.path / "a.py").unlink()
    two_folders.look()
    two_folders.swap(after_s=1.1)
    assert two_folders.call("a.run") == 2


@pytest.mark.fault("S8")
def test_an_event_moves_between_folders_without_a_gap(two_folders):
    path = two_folders.plug("a.py", 1)
    two_folders.swap()
    path.unlink()
    two_folders.plug("../more/a.py", 2)
    look = two_folders.look()
    assert [(sorted(group.plugs), group.gone) for group in look.groups] == [(["a"], ())]


@pytest.mark.fault("P15")
def test_a_file_beside_a_folder_of_its_name_serves_neither_at_boot(shelf):
    shelf.write("chat.py", "@plug\ndef send(): return 1\n")
    shelf.write("chat/rooms.py", "@plug\ndef rooms(): return 1\n")
    shelf.plug("good.py", 1)
    shelf.swap()
    assert shelf.events == ["good"]
    (problem,) = shelf.loader.problems
    assert problem.file == "plugs/chat.py"
    assert "plugs/chat/rooms.py" in problem.message


@pytest.mark.fault("P15")
def test_a_folder_that_appears_beside_a_served_file_changes_nothing(shelf):
    shelf.write("chat.py", "@plug\ndef send(): return 1\n")
    shelf.swap()
    shelf.write("chat/rooms.py", "@plug\ndef rooms(): return 1\n")
    look = shelf.swap()
    assert shelf.events == ["chat.send"]
    assert look.problems[0].events == ("chat.send",)
    (shelf.path / "chat.py").unlink()
    shelf.swap()
    assert shelf.events == ["chat.rooms"]


def test_events_of_the_folder_hide_embedded_ones_until_they_go(make_shelf, tmp_path):
    embedded = tmp_path / "embedded"
    embedded.mkdir()
    (embedded / "_voice.py").write_text("NAME = 'embedded'\n")
    (embedded / "echo.py").write_text(
        "from plugsock import plug\nfrom ._voice import NAME\n@plug\ndef echo(): return NAME\n@plug\ndef two(): return 2\n"
    )
    shelf = make_shelf(folders=[Folder(tmp_path / "plugs"), Folder(embedded, "plugsock_embedded", "embedded")])
    shelf.swap()
    assert shelf.call("echo") == "embedded"
    path = shelf.plug("echo.py", "mine")
    look = shelf.swap()
    assert [(sorted(group.plugs), group.gone) for group in look.groups] == [(["echo"], ())]
    assert shelf.call("echo") == "mine"
    assert shelf.events == ["echo", "echo.two"]
    path.unlink()
    shelf.look()
    look = shelf.swap(after_s=1.1)
    assert [(sorted(group.plugs), group.gone) for group in look.groups] == [(["echo"], ())]
    assert shelf.call("echo") == "embedded"


def test_an_event_of_the_folder_hides_an_embedded_one_that_is_loaded_together_with_it(make_shelf, tmp_path):
    embedded = tmp_path / "embedded"
    embedded.mkdir()
    (embedded / "echo.py").write_text("from plugsock import plug\n@plug\ndef echo(): return 'embedded'\n")
    shelf = make_shelf(folders=[Folder(tmp_path / "plugs"), Folder(embedded, "plugsock_embedded", "embedded")])
    path = shelf.plug("echo.py", "mine")
    look = shelf.swap()
    assert look.problems == ()
    assert shelf.call("echo") == "mine"
    path.unlink()
    shelf.look()
    shelf.swap(after_s=1.1)
    assert shelf.call("echo") == "embedded"


@pytest.mark.fault("S12")
def test_two_hundred_files_at_once_are_one_look(shelf):
    for n in range(200):
        shelf.plug(f"p{n}.py", 1)
    shelf.swap()
    for n in range(200):
        shelf.plug(f"p{n}.py", 2)
    look = shelf.swap()
    assert len(look.groups) == 200
    assert {shelf.call(f"p{n}") for n in range(200)} == {2}


@pytest.mark.fault("S14")
def test_a_folder_that_is_moved_away_goes_on_serving_and_is_found_again(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.path.rename("elsewhere")
    look = shelf.swap(after_s=10)
    assert look.groups == ()
    assert "can't be read" in look.problems[0].message
    shelf.plug("greet.py", 2) if shelf.path.mkdir() is None else None
    shelf.swap()
    assert shelf.call("greet") == 2
    assert shelf.loader.problems == ()


@pytest.mark.fault("S14")
def test_an_unmounted_folder_is_not_a_deletion(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.path.rename("elsewhere")
    shelf.path.mkdir()
    shelf.swap(after_s=10)
    shelf.swap(after_s=10)
    assert shelf.events == ["greet"]
    assert "replaced by an empty one" in shelf.loader.problems[0].message


@pytest.mark.fault("S14")
def test_a_link_that_is_turned_to_the_next_release_swaps(make_shelf, tmp_path):
    for n in (1, 2):
        release = tmp_path / f"releases/{n}"
        release.mkdir(parents=True)
        (release / "greet.py").write_text(f"from plugsock import plug\n@plug\ndef greet(): return {n}\n")
    current = tmp_path / "current"
    current.symlink_to("releases/1")
    shelf = make_shelf(current)
    shelf.swap()
    assert shelf.call("greet") == 1
    (tmp_path / "next").symlink_to("releases/2")
    (tmp_path / "next").replace(current)
    shelf.swap()
    assert shelf.call("greet") == 2


def test_a_subfolder_added_and_removed(shelf):
    shelf.plug("a.py", 1)
    shelf.swap()
    shelf.plug("deep/er/b.py", 1)
    shelf.swap()
    assert shelf.events == ["a", "deep.er.b"]
    shutil.rmtree(shelf.path / "deep")
    shelf.look()
    shelf.swap(after_s=1.1)
    assert shelf.events == ["a"]


@pytest.mark.fault("S11")
def test_of_many_saves_the_last_is_served_and_few_are_staged(shelf):
    shelf.plug("greet.py", 0)
    shelf.swap()
    writer = threading.Thread(target=lambda: [(shelf.plug("greet.py", n), time.sleep(0.005)) for n in range(1, 101)])
    writer.start()
    staged = 0
    while writer.is_alive():
        staged += len(shelf.swap().groups)
    writer.join()
    staged += len(shelf.swap().groups)
    assert shelf.call("greet") == 100
    assert staged < 50


def test_moments_run_around_the_life_of_a_revision(shelf, tmp_path):
    log = tmp_path / "log"
    text = """
        def note(what):
            with open({log!r}, "a") as file: file.write(what + "{n} ")
        @on_load
        def begin(): note("load")
        @on_unload
        async def end(): note("unload")
        @plug
        def greet(): return {n}
    """
    shelf.write("greet.py", text.format(log=str(log), n=1))
    shelf.swap()
    shelf.write("greet.py", text.format(log=str(log), n=2))
    look = shelf.look()
    assert log.read_text() == "load1 load2 "
    shelf.loader.commit(look.stage, [look.groups[0].id])
    assert log.read_text() == "load1 load2 "
    shelf.loader.retire(look.stage)
    shelf.settled_gc()
    assert log.read_text() == "load1 load2 unload1 "
    shelf.loader.close()
    assert log.read_text() == "load1 load2 unload1 unload2 "


def test_on_unload_runs_for_what_was_staged_and_not_committed(shelf, tmp_path):
    log = tmp_path / "log"
    shelf.write("a.py", f"@on_unload\ndef end():\n    with open({str(log)!r}, 'a') as f: f.write('unload ')\n")
    look = shelf.look()
    shelf.loader.discard(look.stage)
    shelf.settled_gc()
    assert log.read_text() == "unload "


def test_on_load_that_raises_keeps_the_old_revision(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.write(
        "greet.py", "@plug\ndef greet(): return 2\n@on_load\nasync def begin():\n    raise OSError('no database')\n"
    )
    look = shelf.swap()
    assert str(look.problems[0]) == "plugs/greet.py:6: OSError: no database"
    assert shelf.call("greet") == 1


def test_what_goes_wrong_in_on_unload_is_reported(shelf):
    shelf.write("a.py", "@on_unload\ndef end(): 1/0\n")
    shelf.swap()
    shelf.loader.close()
    assert [str(problem) for problem in shelf.problems_reported] == [
        "plugs/a.py:3: ZeroDivisionError: division by zero"
    ]


def test_closing_leaves_no_trace_in_the_import_system(shelf):
    shelf.plug("greet.py", 1)
    finders = list(sys.meta_path)
    shelf.swap()
    assert "plugs.greet" in sys.modules
    shelf.loader.close()
    assert not [name for name in sys.modules if name.partition(".")[0] == "plugs"]
    assert len(sys.meta_path) == len(finders) - 1


@pytest.mark.fault("S27")
def test_a_file_that_can_not_be_read_goes_on_serving_and_is_tried_again(shelf, monkeypatch):
    shelf.plug("a.py", 1)
    shelf.swap()
    shelf.plug("a.py", 2)

    def fail(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("plugsock.loader.scan.os.read", fail)
        look = shelf.swap()
    assert shelf.call("a") == 1
    assert look.again_in_s == 1.0
    assert str(look.problems[0]) == "plugs/a.py:0: it is skipped: it can't be read: Input/output error"
    assert look.problems[0].events == ("a",)
    shelf.swap(after_s=1.0)
    assert shelf.call("a") == 2


@pytest.mark.fault("S15")
def test_a_file_that_turns_into_something_else_goes_on_serving(shelf):
    path = shelf.plug("a.py", 1)
    shelf.swap()
    path.unlink()
    os.mkfifo(path)
    look = shelf.swap(after_s=5)
    assert look.groups == ()
    assert look.problems[0].events == ("a",)
    assert shelf.call("a") == 1


def test_an_on_unload_that_never_ends_is_left_behind(make_shelf):
    shelf = make_shelf(import_limit_s=0.1)
    shelf.write("a.py", "import threading\n@on_unload\ndef end():\n    threading.Event().wait(1)\n")
    shelf.swap()
    shelf.loader.close()
    assert [str(problem) for problem in shelf.problems_reported] == ["plugs/a.py:4: @on_unload ran for over 0.1 s"]


def test_async_moments_run_where_the_loader_is_told(make_shelf):
    ran = []

    def run_async(coro):
        ran.append(coro.__name__)
        coro.close()

    shelf = make_shelf(run_async=run_async)
    shelf.write("a.py", "@on_load\nasync def begin(): ...\n@on_unload\nasync def end(): ...\n")
    shelf.swap()
    shelf.loader.close()
    assert ran == ["begin", "end"]


def test_a_group_announces_what_it_serves(shelf):
    shelf.write("a.py", "@plug(timeout=2.5)\nasync def a(n: int = 1) -> str:\n    '''Say it.'''\n")
    (group,) = shelf.look().groups
    (announced,) = group.announcements
    assert (announced.event, announced.kind, announced.input, announced.output) == ("a", "call", "(n: int = 1)", "str")
    assert (announced.doc, announced.place, announced.timeout, announced.origin) == (
        "Say it.",
        "plugs/a.py:3",
        2.5,
        "folder",
    )
    assert shelf.loader.folders == tuple(shelf.folders)


def test_a_stage_can_be_discarded(shelf):
    shelf.plug("a.py", 1)
    look = shelf.look()
    shelf.loader.discard(look.stage)
    shelf.loader.discard(look.stage - 1)
    assert shelf.events == []
    assert shelf.look().groups == ()
    shelf.plug("a.py", 2)
    shelf.swap()
    assert shelf.call("a") == 2
