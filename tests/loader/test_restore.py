"""A loader that is brought to what another one has committed, whatever the folder holds meanwhile."""

import pytest

from plugsock.loader.source import Source


def committed(shelf):
    """The files of everything that a shelf serves, as they would come from another process."""
    return [
        Source(s.module, s.path, s.file, s.data, s.is_package, s.is_helper, s.origin, s.is_implicit)
        for s in shelf.loader._generation.sources.values()
    ]


def revisions(shelf):
    return {event: plug.announcement.revision for event, plug in shelf.loader.catalog.items()}


@pytest.fixture
def old(make_shelf):
    """A loader that has been here for a while."""
    shelf = make_shelf()
    shelf.write("_lib.py", "VALUE = 1\n")
    shelf.write("a.py", "from plugs._lib import VALUE\n@plug\ndef a(): return VALUE\n")
    shelf.plug("pack/b.py", 1)
    shelf.swap()
    return shelf


@pytest.fixture
def new(make_shelf):
    """Another loader over the same folder."""
    return make_shelf()


def test_it_serves_the_same_revisions(old, new):
    assert new.swap(contents=committed(old)).problems == ()
    assert revisions(new) == revisions(old)
    assert (new.call("a"), new.call("pack.b")) == (1, 1)


def test_the_folder_is_not_looked_at(old, new):
    files = committed(old)
    old.save("a.py", b"this is no Python\n")
    old.plug("c.py", 1)
    (old.path / "pack/b.py").unlink()
    look = new.swap(contents=files)
    assert (look.problems, look.again_in_s) == ((), None)
    assert new.events == ["a", "pack.b"]


def test_where_nothing_has_changed_the_next_look_finds_nothing_and_compiles_nothing(old, new, monkeypatch):
    new.swap(contents=committed(old))
    compiled = []

    def noted(data, name, *more, **options):
        compiled.append(name)
        return compile(data, name, *more, **options)

    monkeypatch.setattr("plugsock.loader.source.compile", noted, raising=False)
    assert new.look().groups == ()
    assert compiled == []
    old.plug("pack/b.py", 2)
    assert len(new.look().groups) == 1
    assert compiled != []


def test_what_has_changed_meanwhile_is_found_by_the_next_look(old, new):
    files = committed(old)
    old.plug("pack/b.py", 2)
    new.swap(contents=files)
    assert [sorted(group.modules) for group in new.swap().groups] == [["plugs.pack.b"]]
    assert new.call("pack.b") == 2


def test_what_is_broken_meanwhile_goes_on_in_its_old_revision(old, new):
    files = committed(old)
    old.save("_lib.py", b"1/0\n")
    new.swap(contents=files)
    new.swap()
    assert "ZeroDivisionError" in new.loader.problems[0].message
    assert new.call("a") == 1


def test_a_file_that_is_missing_for_a_moment_was_never_gone(old, new):
    files = committed(old)
    path = old.path / "pack/b.py"
    text = path.read_bytes()
    path.unlink()
    new.swap(contents=files)
    look = new.swap()
    assert look.groups == ()
    assert 0 < look.again_in_s <= 1
    old.save("pack/b.py", text)
    assert new.swap(after_s=2).groups == ()
    assert new.call("pack.b") == 1


def test_a_file_that_stays_missing_is_gone_after_a_second(old, new):
    files = committed(old)
    (old.path / "pack/b.py").unlink()
    new.swap(contents=files)
    new.swap()
    assert new.swap(after_s=1.1).groups[0].gone == ("pack.b",)


def test_files_of_no_folder_of_its_own_are_left_out(old, new):
    stranger = Source("elsewhere.x", "/x.py", "/x.py", b"1/0\n")
    assert new.swap(contents=[stranger, *committed(old)]).problems == ()
    assert new.events == ["a", "pack.b"]


def test_a_loader_that_serves_something_else_is_brought_to_it_too(old, new):
    files = committed(old)
    old.plug("a.py", 2)
    old.plug("c.py", 1)
    new.swap()
    new.swap(contents=files)
    assert (new.events, new.call("a")) == (["a", "pack.b"], 1)


def test_a_group_holds_the_files_that_it_was_staged_from(old):
    old.write("_lib.py", "VALUE = 2\n")
    (group,) = old.look().groups
    assert [source.module for source in group.sources] == ["plugs._lib", "plugs.a"]
    assert group.sources[0].data.endswith(b"VALUE = 2\n")


def test_a_group_that_is_deleted_holds_none(old):
    (old.path / "pack/b.py").unlink()
    old.look()
    (group,) = old.look(after_s=1.1).groups
    assert (group.modules, group.sources) == ({"plugs.pack.b"}, ())


# One that serves the same already, and gets only what has changed.


@pytest.fixture
def same(old, make_shelf):
    """A loader that serves what the other one does."""
    shelf = make_shelf()
    shelf.swap(contents=committed(old))
    return shelf


def adopted(shelf, look, *, gone=(), **options):
    """Stage and serve what another loader has staged."""
    sources = [source for group in look.groups for source in group.sources]
    staged = shelf.loader.adopt(sources, gone, **options)
    shelf.loader.commit(staged.stage, [group.id for group in staged.groups if not group.problems])
    return staged


def test_what_another_has_staged_is_staged_as_the_same_group(old, same):
    old.write("_lib.py", "VALUE = 2\n")
    look = old.swap()
    (old.path / "_lib.py").write_text("this is no Python\n")

    staged = adopted(same, look)

    assert [group.id for group in staged.groups] == [group.id for group in look.groups]
    assert revisions(same) == revisions(old)
    assert same.call("a") == 2


def test_what_another_has_not_staged_stays_as_it_is(old, same):
    old.write("_lib.py", "VALUE = 2\n")
    look = old.swap()

    adopted(same, look)

    assert same.call("pack.b") == 1


def test_a_module_that_is_gone_goes(old, same):
    old.write("c.py", "@plug\ndef c(): return 3\n")
    adopted(same, old.swap())
    assert same.events == ["a", "c", "pack.b"]

    staged = same.loader.adopt((), ["plugs.c"])
    same.loader.commit(staged.stage, [group.id for group in staged.groups])

    assert same.events == ["a", "pack.b"]
