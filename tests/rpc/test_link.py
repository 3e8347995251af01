"""What every link does, whatever is behind it: one suite, run over each implementation."""

import asyncio
import itertools
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import json, msgpack, to_builtins

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.model import JSON, Member, Reach
from plugsock.rpc import views
from plugsock.rpc.batches import LONG
from plugsock.rpc.frames import (
    VIEW,
    Call,
    File,
    Grant,
    Join,
    KickUser,
    Leave,
    Members,
    Publish,
    Reply,
    Revoke,
    Send,
    SocketState,
    Staged,
    Touch,
)
from plugsock.settings import Settings
from plugsock.worker.engine import Engine
from support.ends import Ends, OwnerOf
from support.recording import Answer, Ended, RecordingSink

GREET = """
    from plugsock import plug

    @plug
    async def greet(name: str) -> str:
        return f"Hello, {name}!"
"""


def engine(folder: Path, sink: Any) -> Engine:
    return Engine(Loader([Folder(folder)]), sink, Settings(plugs=folder, data=folder.parent / "data"))


class Behind:
    """A worker at the other end of a connection."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    def __getattr__(self, word: str) -> Any:
        return getattr(self._ends.link, word)

    async def start(self) -> None:
        await self._ends.engine.start()

    async def stop(self) -> None:
        self._ends.link.stop()
        assert await self._ends.process.over
        await self._ends.engine.stop()
        await self._ends.close()


async def inline(folder: Path, sink: RecordingSink) -> Any:
    return engine(folder, sink)


async def process(folder: Path, sink: RecordingSink) -> Any:
    return Behind(await Ends(OwnerOf(sink), lambda end: engine(folder, end)).connect())


LINKS: dict[str, Callable[[Path, RecordingSink], Awaitable[Any]]] = {"inline": inline, "process": process}
"""Each makes a worker over a folder: it has the words of a `WorkerLink`, and `start` and `stop`."""


class Linked:
    """A folder of plugs, a worker that serves it, and the gateway's end of the link between them."""

    def __init__(self, folder: Path, link: Any, sink: RecordingSink) -> None:
        self.folder = folder
        self.link = link
        self.sink = sink
        self._sequences = itertools.count(1)

    def save(self, name: str, text: str) -> None:
        """Save a file as editors do: beside it, then renamed."""
        path = self.folder / name
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(textwrap.dedent(text))
        beside.replace(path)

    @property
    def revisions(self) -> dict[str, str]:
        """What a gateway would route to: the newest announcement of each event."""
        found: dict[str, str] = {}
        for staged in self.sink.stages():
            for group in staged.groups:
                if not group.problems:
                    found.update({plug.event: plug.revision for plug in group.events})
                    for event in group.gone:
                        found.pop(event, None)
        return found

    def start(
        self, event: str, payload: str | bytes = "", *, revision: str | None = None, credit: int = 32, flags: int = 0
    ) -> int:
        sequence = next(self._sequences)
        wanted = self.revisions[event] if revision is None else revision
        data = payload.encode() if isinstance(payload, str) else payload
        self.link.call(Call(sequence, event, wanted, JSON, "s1", 0, flags, credit, "", "", "", data))
        return sequence

    async def call(self, event: str, payload: str | bytes = "", **more: Any) -> Answer:
        return await self.sink.answer_of(self.start(event, payload, **more))

    async def look(self) -> Staged:
        """Have the worker look now, also at what had failed, and wait for what it says."""
        count = len(self.sink.stages())
        self.link.look(force=True)
        return await self.sink.until(
            lambda: next((staged for staged in self.sink.stages()[count:] if staged.asked), None)
        )

    async def stage(self, count: int) -> Staged:
        """The n-th answer to a look."""
        await self.sink.until(lambda: len(self.sink.stages()) >= count)
        return self.sink.stages()[count - 1]

    def stage_of_change(self) -> int:
        """Where something has changed last."""
        return [staged.stage for staged in self.sink.stages() if staged.groups][-1]


@pytest.fixture(params=list(LINKS))
async def linked(request, tmp_path) -> AsyncIterator[Callable[..., Any]]:
    """Write plugs, start a worker over them, stop it in the end.

    With `alone=True` nobody answers the worker: it is said to it what the test says, and it has not looked yet.
    """
    made: list[Linked] = []

    async def make(*, alone: bool = False, **files: str) -> Linked:
        sink = RecordingSink()
        folder = tmp_path / "plugs"
        folder.mkdir()
        link = await LINKS[request.param](folder, sink)
        one = Linked(folder, link, sink)
        made.append(one)
        for name, text in files.items():
            one.save(f"{name}.py", text)
        sink.link = None if alone else link
        await link.start()
        if not alone:
            await one.stage(1)
        return one

    yield make
    for one in made:
        await one.link.stop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_after_start_the_plugs_are_announced_and_answer(linked):
    one = await linked(greet=GREET)
    assert list(one.revisions) == ["greet"]
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Hello, Ada!"


async def test_a_folder_without_plugs_is_announced_too(linked):
    one = await linked()
    assert (await one.stage(1)).groups == []


async def test_a_broken_file_is_announced_with_its_problem(linked):
    one = await linked(broken="def greet(:\n", greet=GREET)
    staged = await one.stage(1)
    assert [problem.file.rpartition("/")[2] for problem in staged.problems] == ["broken.py"]
    assert (await one.call("greet", '{"name":"Ada"}')).ok


async def test_a_saved_file_is_announced_without_being_asked_for(linked):
    one = await linked()
    one.save("greet.py", GREET)
    await one.sink.until(lambda: "greet" in one.revisions)
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Hello, Ada!"


async def test_a_call_runs_on_the_revision_that_it_names(linked):
    one = await linked(greet=GREET)
    old = one.revisions["greet"]
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    await one.sink.until(lambda: one.revisions["greet"] != old)
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).value == "Hello, Ada!"
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Good day, Ada!"


async def test_a_retired_revision_is_gone(linked):
    one = await linked(greet=GREET)
    old = one.revisions["greet"]
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    await one.sink.until(lambda: one.revisions["greet"] != old)
    one.link.retire(one.stage_of_change())
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).code == "gone"
    assert (await one.call("greet", '{"name":"Ada"}')).ok


async def test_a_revision_that_was_never_committed_is_gone(linked):
    one = await linked(greet=GREET)
    assert (await one.call("greet", '{"name":"Ada"}', revision="00000000")).code == "gone"


async def test_a_look_is_answered_though_nothing_has_changed(linked):
    one = await linked(greet=GREET)
    staged = await one.look()
    assert (staged.asked, staged.groups) == (True, [])


async def test_every_look_is_answered(linked):
    one = await linked(greet=GREET)
    count = len(one.sink.stages())
    for force in (True, False, True):
        one.link.look(force=force)
    await one.stage(count + 3)
    assert [staged.asked for staged in one.sink.stages()[count:]] == [True, False, True]


async def test_a_worker_says_at_once_that_its_folder_may_have_changed(linked):
    one = await linked(alone=True, greet=GREET)
    await one.sink.until(one.sink.changes)
    assert one.sink.changes()[0] == []


async def test_nothing_is_looked_at_before_it_is_asked_for(linked):
    one = await linked(alone=True, greet=GREET)
    await one.sink.until(one.sink.changes)
    one.link.look()
    await one.stage(1)
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    await one.sink.until(lambda: any(one.sink.changes()))
    assert len(one.sink.stages()) == 1


async def test_nothing_is_looked_at_before_the_last_look_has_been_decided_on(linked):
    one = await linked(alone=True, greet=GREET)
    one.link.look()
    one.link.look()
    one.link.look()
    first = await one.stage(1)
    one.link.commit(first.stage, [group.id for group in first.groups])
    second = await one.stage(2)
    assert (second.groups, len(one.sink.stages())) == ([], 2)
    one.link.commit(second.stage, [])
    await one.stage(3)


async def test_a_look_finds_what_was_saved_just_before(linked):
    one = await linked(greet=GREET)
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    while (await one.look()) and not (await one.call("greet", '{"name":"Ada"}')).value.startswith("Good"):
        pass


async def test_what_is_not_committed_is_not_served(linked):
    one = await linked(alone=True, greet=GREET)
    one.link.look()
    first = await one.stage(1)
    one.link.commit(first.stage, [group.id for group in first.groups])
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    one.link.look()
    second = await one.stage(2)
    one.link.commit(second.stage, [])
    old, new = (staged.groups[0].events[0].revision for staged in (first, second))
    assert (await one.call("greet", '{"name":"Ada"}', revision=new)).code == "gone"
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).ok


async def test_what_is_held_is_not_staged_again_before_it_changes(linked):
    one = await linked(alone=True, greet=GREET)
    one.link.look()
    first = await one.stage(1)
    one.link.commit(first.stage, [], [group.id for group in first.groups])
    one.link.look()
    second = await one.stage(2)
    assert second.groups == []
    one.link.commit(second.stage, [])
    one.link.look(force=True)
    assert [group.id for group in (await one.stage(3)).groups] == [group.id for group in first.groups]


async def test_what_is_neither_committed_nor_held_is_staged_anew(linked):
    one = await linked(alone=True, greet=GREET)
    await one.sink.until(one.sink.changes)
    count = len(one.sink.changes())
    one.link.look()
    first = await one.stage(1)
    one.link.commit(first.stage, [], [])
    await one.sink.until(lambda: len(one.sink.changes()) > count)
    one.link.look()
    again = await one.stage(2)
    assert [group.id for group in again.groups] == [group.id for group in first.groups]
    one.link.commit(again.stage, [group.id for group in again.groups], [])
    assert (await one.call("greet", '{"name":"Ada"}')).ok


async def test_a_refused_group_fails_without_being_tried(linked, tmp_path):
    one = await linked(alone=True, greet=f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + textwrap.dedent(GREET))
    one.link.look()
    (group,) = (await one.stage(1)).groups
    one.link.commit(1, [], [])
    (tmp_path / "ran").unlink()
    one.link.look(refused=[group.id])
    (refused,) = (await one.stage(2)).groups
    assert refused.id == group.id
    assert [problem.file.rpartition("/")[2] for problem in refused.problems] == ["greet.py"]
    assert not (tmp_path / "ran").exists()


async def test_a_group_brings_the_files_that_it_was_staged_from(linked):
    one = await linked(greet="from plugs._words import HELLO\n" + textwrap.dedent(GREET), _words="HELLO = 'Hello'\n")
    (group,) = (await one.stage(1)).groups
    assert group.modules == ["plugs._words", "plugs.greet"]
    assert [(file.module, file.is_helper) for file in group.files] == [("plugs._words", True), ("plugs.greet", False)]
    assert group.files[0].data == b"HELLO = 'Hello'\n"


def greet_of(one: Linked, text: str) -> File:
    path = str(one.folder / "greet.py")
    data = textwrap.dedent(text).encode()
    return File("plugs.greet", path, path, data, is_package=False, is_helper=False, origin="folder", is_implicit=False)


async def test_a_worker_is_brought_to_files_whatever_its_folder_holds(linked):
    one = await linked(alone=True, greet="this is no Python", other=GREET)
    one.link.restore([greet_of(one, GREET)])
    staged = await one.stage(1)
    assert (staged.problems, [group.modules for group in staged.groups]) == ([], [["plugs.greet"]])
    one.link.commit(staged.stage, [group.id for group in staged.groups])
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Hello, Ada!"


async def test_after_that_it_finds_what_the_folder_holds_instead(linked):
    one = await linked(alone=True, greet=GREET.replace("Hello", "Good day"))
    one.link.restore([greet_of(one, GREET)])
    first = await one.stage(1)
    one.link.commit(first.stage, [group.id for group in first.groups])
    one.link.look()
    second = await one.stage(2)
    one.link.commit(second.stage, [group.id for group in second.groups])
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Good day, Ada!"


async def test_what_another_worker_has_staged_is_staged_whatever_the_folder_holds(linked):
    one = await linked(alone=True, greet="this is no Python")
    one.link.restore([greet_of(one, GREET)])
    first = await one.stage(1)
    one.link.commit(first.stage, [group.id for group in first.groups])
    one.link.adopt([greet_of(one, GREET.replace("Hello", "Good day"))], [])
    second = await one.stage(2)
    one.link.commit(second.stage, [group.id for group in second.groups])
    assert (await one.call("greet", '{"name":"Ada"}')).value == "Good day, Ada!"


async def test_a_worker_that_was_brought_to_nothing_serves_nothing(linked):
    one = await linked(alone=True, greet=GREET)
    one.link.restore([])
    assert (await one.stage(1)).groups == []


async def test_a_deleted_file_takes_its_events_away(linked):
    one = await linked(greet=GREET)
    old = one.revisions["greet"]
    (one.folder / "greet.py").unlink()
    await one.sink.until(lambda: "greet" not in one.revisions)
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).ok
    one.link.retire(one.stage_of_change())
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).code == "gone"


async def test_a_call_that_is_cancelled_is_not_answered(linked):
    one = await linked(
        wait="import asyncio\nfrom plugsock import plug\n@plug\nasync def wait():\n    await asyncio.sleep(60)\n"
    )
    sequence = one.start("wait")
    one.link.cancel(sequence)
    one.link.cancel(sequence)
    await one.look()
    assert one.sink.answers(sequence) == []


async def test_what_is_long_arrives_whole_and_in_order(linked):
    one = await linked(
        grow="""
        from plugsock import plug

        @plug
        async def grow(text: str, times: int) -> str:
            return text * times

        @plug
        async def rows(text: str, count: int):
            for row in range(count):
                yield text * row
        """
    )
    text = "x" * LONG
    short, long, also_short = (one.start("grow", f'{{"text":"{each}","times":2}}') for each in ("a", text, "b"))
    rows = one.start("grow.rows", f'{{"text":"{text}","count":4}}')

    assert (await one.sink.answer_of(long)).value == 2 * text
    assert [(await one.sink.answer_of(each)).value for each in (short, also_short)] == ["aa", "bb"]
    await one.sink.answer_of(rows)
    assert one.sink.items(rows) == [text * row for row in range(4)]


async def test_a_stream_follows_its_credit(linked):
    one = await linked(count="from plugsock import plug\n@plug\ndef count(to: int):\n    yield from range(to)\n")
    sequence = one.start("count", '{"to":5}', credit=2)
    await one.sink.items_of(sequence, 2)
    one.link.hold("s1", held=True)
    one.link.more(sequence, 10)
    await one.look()
    assert one.sink.items(sequence) == [0, 1]
    one.link.hold("s1", held=False)
    assert (await one.sink.answer_of(sequence)).payload == b""
    assert one.sink.items(sequence) == [0, 1, 2, 3, 4]


async def test_a_plug_speaks_to_its_caller_in_the_formats_that_are_wanted(linked):
    one = await linked(
        hello="""
        from plugsock import Socket, plug

        @plug
        def hello(socket: Socket):
            socket.send("hello", socket.user and socket.user.id)
        """
    )
    one.link.socket(SocketState("s1", "ada", [], None, 1))
    one.link.formats(msgpack=True)
    first = await one.call("hello")
    one.link.formats(msgpack=False)
    one.link.forget("s1")
    second = await one.call("hello")
    assert one.sink.emits() == [
        Send("s1", "hello", b'"ada"', b"\xa3ada", first.sequence),
        Send("s1", "hello", b"null", None, second.sequence),
    ]


RIGHTS = """
    from plugsock import PlugsockError, Reach, Server, blocking, plug

    @plug
    async def promote(server: Server, user: str) -> Reach:
        server.kick(user="eve", reason="out")
        return await server.grant(user, "orders.approve")

    @plug
    def demote(server: blocking.Server, user: str) -> str:
        try:
            server.revoke(user, "orders.*", fence=5)
        except PlugsockError as error:
            return str(error)
        return "done"
"""


async def test_a_plug_asks_for_something_and_waits_for_its_answer(linked):
    one = await linked(rights=RIGHTS)
    sequence = one.start("rights.promote", '{"user":"ada"}')
    asked = await one.sink.question()
    assert (asked.sequence, asked.request) == (sequence, Grant("ada", "orders.approve"))
    assert one.sink.emits() == [KickUser("eve", 4502, "out", sequence)]
    assert one.sink.answers(sequence) == []

    one.link.told(asked.number, Reply(Reach(2, 1, 3)))
    assert (await one.sink.answer_of(sequence)).value == to_builtins(Reach(2, 1, 3))


async def test_a_plain_function_waits_in_its_thread_and_hears_why_it_was_not_done(linked):
    one = await linked(rights=RIGHTS)
    sequence = one.start("rights.demote", '{"user":"ada"}')
    asked = await one.sink.question()
    assert (asked.sequence, asked.request) == (sequence, Revoke("ada", "orders.*", 5.0))

    one.link.told(asked.number, Reply(Reach(), "the disk is full"))
    assert (await one.sink.answer_of(sequence)).value == "the disk is full"


async def test_answers_may_come_in_any_order_and_those_that_nobody_waits_for_are_ignored(linked):
    one = await linked(rights=RIGHTS)
    sequences = [one.start(event, '{"user":"ada"}') for event in ("rights.promote", "rights.demote", "rights.promote")]
    await one.sink.question(3)
    numbers = {asked.sequence: asked.number for asked in one.sink.questions()}
    assert len({*numbers.values()}) == 3

    one.link.told(999, Reply(Reach()))
    for sequence in reversed(sequences):
        for _ in range(2):
            one.link.told(numbers[sequence], Reply(Reach(sequence)))
    answers = [(await one.sink.answer_of(sequence)).value for sequence in sequences]
    assert [answers[0]["sockets"], answers[1], answers[2]["sockets"]] == [sequences[0], "done", sequences[2]]


@pytest.mark.parametrize("event", ["rights.promote", "rights.demote"])
async def test_a_call_that_is_cancelled_while_it_waits_comes_to_its_end(linked, event):
    one = await linked(rights=RIGHTS)
    sequence = one.start(event, '{"user":"ada"}')
    asked = await one.sink.question()
    one.link.cancel(sequence)
    await one.sink.until(lambda: Ended(sequence) in one.sink.said)
    one.link.told(asked.number, Reply(Reach()))
    await one.look()
    assert one.sink.answers(sequence) == []


ROOMS = """
    from plugsock import Member, Server, Socket, plug, view

    @plug
    async def enter(socket: Socket, server: Server, room: str) -> list[str]:
        socket.join(room, {"mood": "hungry"})
        socket.leave("hall")
        server.publish(room, "entered", 1, requires="rooms")
        server.changed("rooms/" + room)
        return sorted(socket.topics)

    @view(on="rooms")
    async def crowd(server: Server, room: str) -> dict[str, object]:
        return {"members": await server.members(room), "room": room}
"""


async def test_a_plug_joins_leaves_publishes_and_says_what_has_changed(linked):
    one = await linked(rooms=ROOMS)
    one.link.socket(SocketState("s1", None, [], None, 0, ["hall", "attic"]))
    answer = await one.call("rooms.enter", '{"room":"kitchen"}')
    assert answer.value == ["attic", "kitchen"]
    assert one.sink.emits() == [
        Join("s1", "kitchen", b'{"mood":"hungry"}', answer.sequence),
        Leave("s1", "hall", answer.sequence),
        Publish("kitchen", "entered", b"1", None, answer.sequence, (("rooms",),)),
        Touch(["rooms/kitchen"]),
    ]


async def test_a_view_is_run_for_those_who_watch_it(linked):
    one = await linked(rooms=ROOMS)
    asking = views.Asked(b'{"room":"kitchen"}', msgpack=True, base=b'{"members":[],"room":"kitchen","more":"of this"}')
    sequence = one.start("rooms.crowd", views.encode(asking), flags=VIEW)
    asked = await one.sink.question()
    assert (asked.sequence, asked.request) == (sequence, Members("kitchen"))

    ada = {"id": "ada", "user": "ada", "sockets": 2, "data": [1]}
    one.link.told(asked.number, Reply(Reach(), members=[Member("ada", "ada", 2, [1])]))
    told = views.read_told((await one.sink.answer_of(sequence)).payload)
    assert json.decode(told.json) == msgpack.decode(told.msgpack) == {"members": [ada], "room": "kitchen"}
    assert json.decode(told.patch) == msgpack.decode(told.msgpack_patch) == {"more": None, "members": [ada]}
    assert told.reads == ["@members/kitchen"]


async def test_a_view_that_does_not_run_says_why_in_the_format_of_its_arguments(linked):
    one = await linked(rooms=ROOMS)
    answer = await one.call("rooms.crowd", views.encode(views.Asked(b'{"room":7}')), flags=VIEW)
    assert answer.code == "bad_payload"


@pytest.mark.parametrize("name", ["schema", "asyncapi", "types"])
async def test_a_worker_tells_what_its_plugs_look_like_that_are_committed(linked, name):
    one = await linked(greet=GREET)
    one.sink.link = None  # what is found from now on is staged, and not committed
    one.save("farewell.py", GREET.replace("greet", "farewell"))
    await one.look()
    one.link.document(7, name, "ws://127.0.0.1:8765")
    document = await one.sink.document(7)

    assert b"greet" in document.content
    assert b"farewell" not in document.content
    assert document.problems == []


async def test_what_was_replaced_is_unloaded_after_its_last_call_has_come_to_rest(linked, tmp_path):
    log = tmp_path / "log"
    source = (
        "import asyncio\nfrom pathlib import Path\nfrom plugsock import on_unload, plug\n"
        f"LOG = Path({str(log)!r})\n"
        "def note(what):\n    with LOG.open('a') as file: file.write(what + ' ')\n"
        "@plug\nasync def wait():\n    try:\n        await asyncio.sleep(60)\n"
        "    finally:\n        await asyncio.sleep(0.1)\n        note('ended')\n"
        "@on_unload\ndef bye():\n    note('unloaded')\n"
    )
    one = await linked(slow=source)
    sequence = one.start("slow.wait")
    one.save("slow.py", source + "# another\n")
    await one.look()
    one.link.cancel(sequence)
    one.link.retire(one.stage_of_change())
    async with asyncio.timeout(10):
        while not (log.exists() and "unloaded" in log.read_text()):  # noqa: ASYNC110 - a thread writes the file
            await asyncio.sleep(0.01)
    assert log.read_text().split() == ["ended", "unloaded"]
