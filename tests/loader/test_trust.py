"""Only the server's user and root may write where plugs are: whoever else can would run code as the server."""

import os
import shlex
import struct
import subprocess
import time
from pathlib import Path

import pytest

from plugsock.loader import trust
from plugsock.loader.scan import Scanner
from plugsock.loader.source import Folder
from plugsock.loader.trust import Guard, Untrusted, is_private

pytestmark = pytest.mark.fault("S16")

pwd = pytest.importorskip("pwd", reason="modes and owners are POSIX'")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")

LONG_AGO = 10_000_000_000
SOMEBODY = 4_000_000_001
"""A user and a group that no system has."""


@pytest.fixture
def folder(tmp_path):
    """A folder with `a.py` and `deep/b.py`, all of them as they should be."""
    path = tmp_path / "plugs"
    (path / "deep").mkdir(parents=True)
    for name in ("a.py", "deep/b.py"):
        (path / name).write_text("x = 1")
        (path / name).chmod(0o644)
    path.chmod(0o755)
    (path / "deep").chmod(0o755)
    return path


def scanned(folder, **more):
    return Scanner(Folder(folder, **more), lambda: time.time_ns() + LONG_AGO).scan(0)


def mend(problem):
    """Run the command that a problem ends with."""
    subprocess.run(problem.message.partition("mend it with: ")[2], shell=True, check=True)


def replacing_open(monkeypatch, name, replace, *, before):
    """Let somebody replace a file right before or right after it is opened."""
    opens = os.open

    def opened(path, *rest):
        if before and path.endswith(name):
            replace()
        fd = opens(path, *rest)
        if not before and path.endswith(name):
            replace()
        return fd

    monkeypatch.setattr(trust.os, "open", opened)


def test_what_only_its_owner_can_write_to_is_read(folder):
    scan = scanned(folder)
    assert (sorted(scan.sources), scan.problems) == (["plugs.a", "plugs.deep.b"], [])


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o602])
def test_a_file_that_everybody_can_write_to_is_refused_and_the_command_mends_it(folder, mode):
    (folder / "a.py").chmod(mode)
    scan = scanned(folder)
    (problem,) = scan.problems
    assert (list(scan.sources), scan.kept, scan.has_unread) == (["plugs.deep.b"], {"plugs.a"}, True)
    assert problem.file == str(folder / "a.py")
    assert problem.message == (
        "it is skipped: everybody can write to it, and whoever can change a plug runs code as the server; "
        f"mend it with: chmod go-w {folder}/a.py"
    )
    mend(problem)
    assert scanned(folder).problems == []


def test_a_subfolder_that_everybody_can_write_to_is_refused_with_all_that_is_in_it(folder):
    (folder / "deep").chmod(0o777)
    scan = scanned(folder)
    (problem,) = scan.problems
    assert (list(scan.sources), scan.kept, scan.has_unread) == (["plugs.a"], {"plugs.deep"}, True)
    assert problem.file == str(folder / "deep")
    assert problem.message.endswith(f"mend it with: chmod -R go-w {folder}/deep")
    mend(problem)
    assert scanned(folder).problems == []


def test_of_a_folder_that_everybody_can_write_to_nothing_is_read(folder):
    folder.chmod(0o1777)
    scan = scanned(folder)
    (problem,) = scan.problems
    assert (scan.sources, scan.is_gone, scan.has_unread) == ({}, True, True)
    assert problem.file == str(folder)
    assert problem.message.startswith("the folder is skipped: everybody can write to it")
    mend(problem)
    assert scanned(folder).problems == []


def test_above_the_folder_nothing_is_judged(folder):
    folder.parent.chmod(0o1777)
    assert scanned(folder).problems == []


def test_a_folder_behind_a_link_to_a_file_is_judged_too(folder):
    (folder / "..data").mkdir()
    (folder / "..data" / "c.py").write_text("")
    (folder / "c.py").symlink_to("..data/c.py")
    assert "plugs.c" in scanned(folder).sources
    (folder / "..data").chmod(0o777)
    scan = scanned(folder)
    assert "plugs.c" not in scan.sources
    assert scan.problems[0].message.endswith(f"chmod -R go-w {folder}/..data")


def test_a_link_to_a_file_is_mended_where_the_file_is(folder):
    (folder / ".real.py").write_text("")
    (folder / ".real.py").chmod(0o666)
    (folder / "c.py").symlink_to(".real.py")
    (problem,) = scanned(folder).problems
    assert problem.file.endswith("c.py")
    mend(problem)
    assert scanned(folder).problems == []


def test_a_command_can_be_pasted_whatever_the_folder_is_called(folder):
    odd = folder.rename(folder.with_name("my plugs; it's $HOME"))
    (odd / "a.py").chmod(0o666)
    (problem,) = scanned(odd).problems
    assert shlex.split(problem.message)[-1] == str(odd / "a.py")
    mend(problem)
    assert scanned(odd).problems == []


def test_a_folder_that_is_trusted_is_read_whoever_can_write_to_it(folder):
    for path in (folder, folder / "a.py", folder / "deep", folder / "deep" / "b.py"):
        path.chmod(0o777)
    scan = scanned(folder, is_trusted=True)
    assert (sorted(scan.sources), scan.problems) == (["plugs.a", "plugs.deep.b"], [])


@needs_root
@pytest.mark.parametrize("name", ["a.py", "deep", ""])
def test_what_belongs_to_another_user_is_refused_and_the_command_mends_it(folder, name):
    os.chown(folder / name, SOMEBODY, -1)
    (problem,) = scanned(folder).problems
    assert problem.file == str(folder / name)
    assert f"it belongs to the user {SOMEBODY}, and" in problem.message
    mend(problem)
    assert scanned(folder).problems == []


@needs_root
def test_both_flaws_are_said_and_mended_at_once(folder):
    os.chown(folder / "a.py", SOMEBODY, -1)
    (folder / "a.py").chmod(0o666)
    (problem,) = scanned(folder).problems
    path = folder / "a.py"
    assert "it belongs to the user 4000000001 and everybody can write to it, and" in problem.message
    assert problem.message.endswith(f"mend it with: chown root {path} && chmod go-w {path}")
    mend(problem)
    assert scanned(folder).problems == []


@needs_root
def test_roots_files_are_fine_for_anybody_and_ones_own_for_oneself(folder, monkeypatch):
    os.chown(folder / "a.py", SOMEBODY, -1)
    monkeypatch.setattr(trust.os, "geteuid", lambda: SOMEBODY)
    assert scanned(folder).problems == []
    monkeypatch.setattr(trust.os, "geteuid", lambda: SOMEBODY + 1)
    (problem,) = scanned(folder).problems
    assert problem.message.endswith(f"mend it with: chown {SOMEBODY + 1} {folder}/a.py")


@needs_root
def test_a_file_that_a_group_can_write_to_is_refused(folder):
    os.chown(folder / "a.py", -1, SOMEBODY)
    (folder / "a.py").chmod(0o664)
    (problem,) = scanned(folder).problems
    assert f"the group {SOMEBODY} can write to it, and" in problem.message
    mend(problem)
    assert scanned(folder).problems == []


def own_group():
    """The user's own group of that name, or None where this system has no such groups or it has other members."""
    user = pwd.getpwuid(os.geteuid())
    return user.pw_gid if is_private(user.pw_uid, user.pw_gid) else None


needs_own_group = pytest.mark.skipif(own_group() is None, reason="users have no groups of their own")


@needs_own_group
def test_the_owners_own_group_may_write_as_with_the_umask_002(folder):
    for path in (folder, folder / "a.py", folder / "deep", folder / "deep" / "b.py"):
        os.chown(path, -1, own_group())
        path.chmod(0o775 if path.is_dir() else 0o664)
    assert scanned(folder).problems == []


@needs_own_group
def test_a_group_of_ones_own_is_private_only_without_other_members(monkeypatch):
    me, mine = os.geteuid(), own_group()
    group, user = trust.grp.getgrgid(mine), pwd.getpwuid(me)
    with monkeypatch.context() as patch:
        patch.setattr(trust.grp, "getgrgid", lambda _: type(group)((*group[:3], [user.pw_name, "mallory"])))
        assert not is_private(me, mine)
    with monkeypatch.context() as patch:
        mallory = type(user)(("mallory", "x", SOMEBODY, mine, "", "/", "/bin/sh"))
        patch.setattr(trust.pwd, "getpwall", lambda: [user, mallory])
        assert not is_private(me, mine)
    assert is_private(me, mine)


def test_a_group_of_another_name_or_none_is_not_private():
    me = os.geteuid()
    others = [group.gr_gid for group in trust.grp.getgrall() if group.gr_name != pwd.getpwuid(me).pw_name]
    assert not any(is_private(me, gid) for gid in others)
    assert not is_private(me, SOMEBODY)
    assert not is_private(SOMEBODY, SOMEBODY)


@needs_own_group
def test_what_an_access_list_grants_to_somebody_counts(folder):
    path = folder / "a.py"
    os.chown(path, -1, own_group())
    everyone = 0xFFFFFFFF
    owner, somebody, group, mask, others = (
        (1, 6, everyone),
        (2, 6, SOMEBODY),
        (4, 4, everyone),
        (16, 6, everyone),
        (32, 4, everyone),
    )
    entries = b"".join(struct.pack("<HHI", *entry) for entry in (owner, somebody, group, mask, others))
    try:
        os.setxattr(path, trust.ACCESS_LIST, struct.pack("<I", 2) + entries)
    except (AttributeError, OSError) as error:
        pytest.skip(f"no access lists here: {error}")
    (problem,) = scanned(folder).problems
    assert "can write to it" in problem.message
    mend(problem)
    assert scanned(folder).problems == []


def test_a_file_that_is_exchanged_before_it_is_opened_is_judged_itself(folder, tmp_path, monkeypatch):
    evil = tmp_path / "evil.py"
    evil.write_text("x = 'evil'")
    evil.chmod(0o666)
    replacing_open(monkeypatch, "a.py", lambda: evil.exists() and evil.replace(folder / "a.py"), before=True)
    scan = scanned(folder)
    assert "plugs.a" not in scan.sources
    assert "everybody can write to it" in scan.problems[0].message


def test_a_file_that_is_exchanged_for_a_harmless_one_after_it_was_opened_is_judged_itself(
    folder, tmp_path, monkeypatch
):
    (folder / "a.py").chmod(0o666)
    harmless = tmp_path / "harmless.py"
    harmless.write_text("x = 2")
    harmless.chmod(0o644)
    replacing_open(monkeypatch, "a.py", lambda: harmless.exists() and harmless.replace(folder / "a.py"), before=False)
    scan = scanned(folder)
    assert "plugs.a" not in scan.sources
    assert "everybody can write to it" in scan.problems[0].message


def test_the_bytes_of_the_file_that_was_judged_are_those_that_are_compiled(folder, tmp_path, monkeypatch):
    evil = tmp_path / "evil.py"
    evil.write_text("x = 'evil'")
    evil.chmod(0o666)
    replacing_open(monkeypatch, "a.py", lambda: evil.exists() and evil.replace(folder / "a.py"), before=False)
    assert scanned(folder).sources["plugs.a"].data == b"x = 1"


def test_a_mode_that_changes_is_noticed_although_the_content_does_not(folder):
    scanner = Scanner(Folder(folder), lambda: time.time_ns() + LONG_AGO)
    scanner.scan(0)
    (folder / "a.py").chmod(0o666)
    assert "plugs.a" not in scanner.scan(0).sources
    (folder / "a.py").chmod(0o644)
    assert "plugs.a" in scanner.scan(0).sources


def test_no_descriptor_stays_open_after_a_refusal(folder):
    (folder / "a.py").chmod(0o666)
    lowest = os.dup(0)
    os.close(lowest)
    with pytest.raises(Untrusted), Guard(is_off=False).opened(str(folder / "a.py"), os.O_RDONLY):
        pass
    again = os.dup(0)
    os.close(again)
    assert again == lowest


def test_what_was_served_goes_on_until_the_new_revision_can_be_trusted(shelf):
    path = shelf.plug("greet.py", 1)
    shelf.swap()
    shelf.plug("greet.py", 2)
    path.chmod(0o666)
    look = shelf.swap(after_s=10)
    assert shelf.call("greet") == 1
    assert look.problems[0].events == ("greet",)
    assert look.again_in_s == pytest.approx(1.0)
    mend(look.problems[0])
    shelf.swap()
    assert shelf.call("greet") == 2
    assert shelf.loader.problems == ()


def test_what_was_served_goes_on_while_the_folder_can_not_be_trusted(shelf):
    shelf.plug("greet.py", 1)
    shelf.swap()
    Path(shelf.path).chmod(0o777)
    shelf.plug("greet.py", 2)
    look = shelf.swap(after_s=10)
    assert (shelf.call("greet"), len(look.problems)) == (1, 1)
    mend(look.problems[0])
    shelf.swap()
    assert shelf.call("greet") == 2
