"""What was granted and denied, kept through whatever happens to the server."""

import asyncio
import shutil
import signal
import stat
import subprocess
import sys

import msgspec
import pytest

from plugsock.errors import PlugsockError
from plugsock.hub import grants as module
from plugsock.hub.grants import Grants, Kept, check_user

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, signals and limits are not there")

GRANTS_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from plugsock.hub.grants import Grants

async def main():
    grants = Grants(Path(sys.argv[1]), lambda user: None)
    for number in range(1_000_000):
        await (grants.grant if number % 2 else grants.revoke)("ada", f"a.{number // 2 % 500}")
        print(number, flush=True)

asyncio.run(main())
"""

DIES_AT_THE_RENAME = """
import asyncio, os, signal, sys
from pathlib import Path
from plugsock.hub.grants import Grants

async def main():
    grants = Grants(Path(sys.argv[1]), lambda user: None)
    await grants.revoke("ada", "a")
    sys.addaudithook(lambda event, _: event == "os.rename" and os.kill(os.getpid(), signal.SIGKILL))
    await grants.grant("ada", "a")

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "grants.json"


@pytest.fixture(autouse=True)
def data(path):
    path.parent.mkdir(mode=0o700)


@pytest.fixture
def applied():
    return []


@pytest.fixture
def grants(path, applied):
    return opened(path, applied)


def opened(path, applied=None):
    """As a server that starts; a change is answered with the number of changes that were applied so far."""
    heard = [] if applied is None else applied

    def apply(user):
        heard.append(user)
        return len(heard)

    return Grants(path, apply)


def allows(grants, permission, token=(), user="ada"):
    return grants.rights(user, token, 0).allows(permission)


async def test_without_a_file_nobody_was_granted_or_denied_anything(grants, path):
    assert grants.users() == {}
    assert allows(grants, "a", token=["a"])
    assert not allows(grants, "a")
    assert not path.exists()


async def test_what_was_granted_comes_to_what_the_token_says(grants):
    await grants.grant("ada", "orders.*")
    assert allows(grants, "orders.read", token=["sales.read"])
    assert allows(grants, "sales.read", token=["sales.read"])
    assert not allows(grants, "orders.read", user="bob")


async def test_a_revoke_is_kept_against_every_token_until_the_same_is_granted(grants):
    await grants.revoke("ada", "orders.read")
    assert not allows(grants, "orders.read", token=["orders.read", "*"])
    await grants.grant("ada", "orders.*")
    assert not allows(grants, "orders.read", token=["orders.read"])
    await grants.grant("ada", "orders.read")
    assert allows(grants, "orders.read")


async def test_a_revoke_takes_a_grant_back(grants):
    await grants.grant("ada", "a")
    await grants.revoke("ada", "a")
    assert grants.users() == {"ada": Kept((), ("a",))}


async def test_a_wider_denial_stands_against_a_grant_and_is_named(grants):
    await grants.revoke("ada", "orders.*")
    await grants.revoke("ada", "orders.delete.all")
    await grants.revoke("ada", "sales.read")
    await grants.grant("ada", "orders.read")
    assert not allows(grants, "orders.read")
    assert grants.standing("ada", "orders.read") == ["orders.*"]
    assert grants.standing("ada", "orders.delete.*") == ["orders.*", "orders.delete.all"]
    assert grants.standing("ada", "stock.read") == grants.standing("bob", "orders.read") == []


async def test_the_rights_have_the_version_that_was_asked_for(grants):
    assert grants.rights("ada", [], 7).version == 7


async def test_a_change_outlives_a_restart(grants, path):
    await grants.grant("ada", "orders.*")
    await grants.revoke("ada", "orders.delete")
    await grants.revoke("Zoë \u2028 \x00", "*")
    again = opened(path)
    assert again.users() == grants.users()
    assert allows(again, "orders.read")
    assert not allows(again, "orders.delete", token=["*"])
    assert not allows(again, "a", token=["*"], user="Zoë \u2028 \x00")


@posix
async def test_only_the_user_who_serves_can_read_the_file(grants, path):
    await grants.grant("ada", "a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_change_is_on_the_disk_before_it_is_in_force_and_in_force_when_it_is_applied(path):
    seen = []

    def apply(user):
        seen.append((opened(path).users()[user], grants.users()[user]))
        return "reached"

    grants = Grants(path, apply)
    assert await grants.revoke("ada", "a") == "reached"
    assert seen == [(Kept((), ("a",)), Kept((), ("a",)))]


async def test_until_a_change_is_on_the_disk_what_was_in_force_is(grants, monkeypatch):
    before = grants.users()
    seen = []
    write = module.durable.write

    def watched(*arguments):
        seen.append((grants.users() is before, allows(grants, "a", token=["a"])))
        write(*arguments)

    monkeypatch.setattr(module.durable, "write", watched)
    await grants.revoke("ada", "a")
    assert seen == [(True, True)]
    assert before == {}


async def test_while_a_change_is_written_the_loop_runs(grants, monkeypatch):
    turned = asyncio.Event()
    loop = asyncio.get_running_loop()
    write = module.durable.write

    def waits_for_the_loop(*arguments):
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(turned.wait(), 10), loop).result()
        write(*arguments)

    monkeypatch.setattr(module.durable, "write", waits_for_the_loop)
    change = asyncio.gather(grants.grant("ada", "a"))
    loop.call_soon(turned.set)
    await change
    assert allows(grants, "a")


async def test_what_is_so_already_is_answered_and_not_written_again(grants, path, applied):
    await grants.grant("ada", "a")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert await grants.grant("ada", "a") == 2
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert applied == ["ada", "ada"]


async def test_changes_are_made_in_the_order_in_which_they_were_asked_for(grants, path, applied):
    changes = [
        (grants.revoke if number % 3 else grants.grant)(f"user {number % 5}", f"a.{number % 7}") for number in range(60)
    ]
    assert await asyncio.gather(*changes) == list(range(1, 61))
    assert applied == [f"user {number % 5}" for number in range(60)]
    last = {(number % 5, number % 7): number % 3 == 0 for number in range(60)}
    again = opened(path)
    assert again.users() == grants.users()
    assert {key: allows(again, f"a.{key[1]}", user=f"user {key[0]}") for key in last} == last


async def held_up(grants, monkeypatch):
    """A revoke that is being written, and the event that lets it end."""
    begun, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    write = module.durable.write

    def slow(*arguments):
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(go.wait(), 10), loop).result()
        write(*arguments)

    monkeypatch.setattr(module.durable, "write", slow)
    change = asyncio.gather(grants.revoke("ada", "a"))
    await begun.wait()
    return change, go


async def test_a_change_that_has_begun_is_made_although_whoever_asked_for_it_is_gone(
    grants, path, applied, monkeypatch
):
    change, go = await held_up(grants, monkeypatch)
    change.cancel()
    await asyncio.sleep(0)
    change.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await change
    assert applied == ["ada"]
    assert opened(path).users() == grants.users() == {"ada": Kept((), ("a",))}


async def test_a_change_that_still_waits_for_its_turn_can_be_called_off(grants, path, monkeypatch):
    first, go = await held_up(grants, monkeypatch)
    second, third = asyncio.gather(grants.grant("ada", "a")), asyncio.gather(grants.revoke("ada", "b"))
    await asyncio.sleep(0)
    second.cancel()
    go.set()
    await asyncio.gather(first, third)
    assert opened(path).users() == grants.users() == {"ada": Kept((), ("a", "b"))}


@pytest.mark.fault("A17")
async def test_a_change_that_can_not_be_written_changes_nothing(grants, path, applied):
    await grants.revoke("ada", "a")
    shutil.rmtree(path.parent)
    with pytest.raises(PlugsockError, match=r"grants\.json can't be written, so nothing has changed: No such file"):
        await grants.grant("ada", "a")
    assert not allows(grants, "a")
    assert applied == ["ada"]

    path.parent.mkdir()
    await grants.revoke("ada", "b")
    assert opened(path).users() == {"ada": Kept((), ("a", "b"))}


@pytest.mark.fault("A12")
@pytest.mark.parametrize("permission", ["**", "orders*", "\u043erders.read", "", "a" * 129])
async def test_what_is_no_permission_is_refused(grants, path, permission):
    for change in (grants.grant, grants.revoke):
        with pytest.raises(PlugsockError, match="is no permission"):
            await change("ada", permission)
    with pytest.raises(ValueError, match="is no permission"):
        grants.rights("ada", [permission], 0)
    assert not path.exists()


@pytest.mark.parametrize(("user", "why"), [("", "has 1 to 255"), ("a" * 256, "has 256"), ("\ud800", "no proper text")])
async def test_what_can_be_no_users_id_is_refused(grants, user, why):
    with pytest.raises(ValueError, match=why):
        check_user(user)
    with pytest.raises(PlugsockError, match=why):
        await grants.revoke(user, "a")
    assert grants.users() == {}


async def test_a_user_has_a_limit_that_keeps_nothing_from_being_taken_back(grants, path, monkeypatch):
    monkeypatch.setattr(module, "MAX_PERMISSIONS", 3)
    for permission in "abc":
        await grants.revoke("ada", permission)
    with pytest.raises(PlugsockError, match="'ada' has 3 permissions granted and denied, which is the most"):
        await grants.grant("ada", "d")
    await grants.grant("ada", "a")
    await grants.revoke("bob", "d")
    assert opened(path).users() == {"ada": Kept(("a",), ("b", "c")), "bob": Kept((), ("d",))}


async def test_there_is_a_limit_of_users(grants, monkeypatch):
    monkeypatch.setattr(module, "MAX_USERS", 2)
    await grants.grant("ada", "a")
    await grants.grant("bob", "a")
    with pytest.raises(PlugsockError, match=r"grants\.json has grants and denials of 2 users, which is the most"):
        await grants.grant("eve", "a")
    await grants.revoke("bob", "a")
    assert set(grants.users()) == {"ada", "bob"}


async def test_there_is_a_limit_of_the_file(grants, path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    await grants.grant("ada", "a")
    with pytest.raises(PlugsockError, match=r"grants\.json would be larger than 100 bytes"):
        await grants.grant("ada", "b" * 100)
    assert opened(path).users() == grants.users() == {"ada": Kept(("a",))}


WHOLE = b'{"v":1,"users":{"ada":{"granted":["a"],"denied":["b.*"]}}}'


@pytest.mark.fault("A17")
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 100, b"{", WHOLE[:30], WHOLE[:-1], WHOLE + b"}", b"[]", b"null", b"\xff", b"[" * 100_000),
        *(
            b"{}",
            b'{"v":1}',
            b'{"users":{}}',
            b'{"v":2,"users":{}}',
            b'{"v":1,"users":[]}',
            b'{"v":1,"users":{},"x":1}',
        ),
        WHOLE.replace(b"denied", b"deneid"),
        WHOLE.replace(b"b.*", b"b*"),
        WHOLE.replace(b'"a"', b'"\xd0\xbe"'),
        WHOLE.replace(b'"a"', b"1"),
        WHOLE.replace(b"ada", b""),
    ],
    ids=repr,
)
def test_with_a_file_that_is_not_whole_no_server_starts(path, content):
    path.write_bytes(content)
    with pytest.raises(PlugsockError) as refused:
        opened(path)
    assert str(refused.value).startswith(f"{path} can't be read (")
    assert str(refused.value).endswith(f"begin without any grants and denials: mv {path} {path}.broken")
    assert path.read_bytes() == content


@pytest.mark.fault("A17")
def test_every_beginning_of_a_file_is_refused(path):
    for length in range(len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        with pytest.raises(PlugsockError, match="can't be read"):
            opened(path)
    path.write_bytes(WHOLE)
    assert opened(path).users() == {"ada": Kept(("a",), ("b.*",))}


@pytest.mark.fault("A17")
@pytest.mark.parametrize("kind", ["folder", pytest.param("link", marks=posix)])
def test_with_a_file_that_can_not_be_opened_no_server_starts(path, kind):
    path.mkdir() if kind == "folder" else path.symlink_to("not-mounted")
    with pytest.raises(PlugsockError, match="can't be read"):
        opened(path)


@pytest.mark.fault("A17")
@pytest.mark.parametrize("broken", [b"", b"{", None])
async def test_what_becomes_of_the_file_while_the_server_runs_changes_nothing_that_is_in_force(grants, path, broken):
    await grants.revoke("ada", "a")
    path.unlink() if broken is None else path.write_bytes(broken)
    assert not allows(grants, "a", token=["a"])
    await grants.revoke("ada", "b")
    assert opened(path).users() == {"ada": Kept((), ("a", "b"))}


@posix
@pytest.mark.fault("A17")
def test_a_server_that_dies_between_writing_and_the_rename_leaves_what_was_answered(path):
    ended = subprocess.run([sys.executable, "-c", DIES_AT_THE_RENAME, path], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert sorted(file.name for file in path.parent.iterdir()) == ["grants.json", "grants.json.new"]
    assert opened(path).users() == {"ada": Kept((), ("a",))}


@posix
@pytest.mark.fault("A17")
@pytest.mark.parametrize("answers", [1, 20, 77])
def test_a_server_that_is_killed_has_kept_all_that_it_answered(path, answers):
    with subprocess.Popen([sys.executable, "-c", GRANTS_UNTIL_KILLED, path], stdout=subprocess.PIPE) as server:
        for _ in range(answers):
            server.stdout.readline()
        server.kill()
        said = answers + len(server.stdout.read().splitlines())
    kept = opened(path).users()["ada"]
    made = [expected(said), expected(said + 1)]  # the last one may have been kept and not yet answered
    assert kept in made


def expected(changes):
    """What is kept after so many of the changes that the program makes."""
    granted = sorted(f"a.{number}" for number in range(changes // 2))
    return Kept(tuple(granted), (f"a.{changes // 2}",) if changes % 2 else ())


def test_the_file_is_the_one_of_the_documentation(path):
    path.write_bytes(b'{"v":1,"users":{"ada":{"granted":["orders.read"],"denied":["orders.delete"]}}}')
    assert path.read_text() in module.__doc__
    assert msgspec.json.encode(opened(path).users()["ada"]) == b'{"granted":["orders.read"],"denied":["orders.delete"]}'
