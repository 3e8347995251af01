"""What every link does, whatever is behind it: one suite, run over each implementation."""

import asyncio
import itertools
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from plugsock.loader.source import Folder
from plugsock.loader.swap import Loader
from plugsock.model import JSON
from plugsock.rpc.frames import Call, Send, SocketState, Staged
from plugsock.settings import Settings
from plugsock.worker.inline import InlineLink
from support.recording import Answer, RecordingSink

GREET = """
    from plugsock import plug

    @plug
    async def greet(name: str) -> str:
        return f"Hello, {name}!"
"""


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

    def start(self, event: str, payload: str = "", *, revision: str | None = None, credit: int = 32) -> int:
        sequence = next(self._sequences)
        wanted = self.revisions[event] if revision is None else revision
        self.link.call(Call(sequence, event, wanted, JSON, "s1", 0, 0, credit, "", "", payload.encode()))
        return sequence

    async def call(self, event: str, payload: str = "", **more: Any) -> Answer:
        return await self.sink.answer_of(self.start(event, payload, **more))

    async def look(self) -> Staged:
        """Have the worker look now, and wait for what it says."""
        count = len(self.sink.stages())
        self.link.look()
        return await self.sink.until(
            lambda: next((staged for staged in self.sink.stages()[count:] if staged.asked), None)
        )


@pytest.fixture(params=["inline"])
async def linked(request, tmp_path) -> AsyncIterator[Callable[..., Any]]:
    """Write plugs, start a worker over them, stop it in the end."""
    made: list[Linked] = []

    async def make(**files: str) -> Linked:
        sink = RecordingSink()
        folder = tmp_path / "plugs"
        folder.mkdir()
        settings = Settings(plugs=folder, data=tmp_path / "data")
        link = {"inline": lambda: InlineLink(Loader([Folder(folder)]), sink, settings)}[request.param]()
        sink.link = link
        one = Linked(folder, link, sink)
        made.append(one)
        for name, text in files.items():
            one.save(f"{name}.py", text)
        await link.start()
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
    assert [len(staged.groups) for staged in one.sink.stages()] == [0]


async def test_a_broken_file_is_announced_with_its_problem(linked):
    one = await linked(broken="def greet(:\n", greet=GREET)
    (staged,) = one.sink.stages()
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
    one.link.retire(one.sink.stages()[-1].stage)
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
    for _ in range(3):
        one.link.look()
    await one.sink.until(lambda: sum(staged.asked for staged in one.sink.stages()) == 3)


async def test_a_look_finds_what_was_saved_just_before(linked):
    one = await linked(greet=GREET)
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    while (await one.look()) and not (await one.call("greet", '{"name":"Ada"}')).value.startswith("Good"):
        pass


async def test_what_is_not_committed_is_not_served(linked):
    one = await linked(greet=GREET)
    old = one.revisions["greet"]
    one.sink.link = None  # from here on the test decides
    one.save("greet.py", GREET.replace("Hello", "Good day"))
    staged = await one.sink.until(lambda: next((s for s in one.sink.stages()[1:] if s.groups), None))
    one.link.commit(staged.stage, [])
    new = staged.groups[0].events[0].revision
    assert (await one.call("greet", '{"name":"Ada"}', revision=new)).code == "gone"
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).ok


async def test_a_deleted_file_takes_its_events_away(linked):
    one = await linked(greet=GREET)
    old = one.revisions["greet"]
    (one.folder / "greet.py").unlink()
    await one.sink.until(lambda: "greet" not in one.revisions)
    assert (await one.call("greet", '{"name":"Ada"}', revision=old)).ok
    one.link.retire(one.sink.stages()[-1].stage)
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
    staged = await one.look()
    one.link.cancel(sequence)
    one.link.retire(staged.stage)
    async with asyncio.timeout(10):
        while not (log.exists() and "unloaded" in log.read_text()):  # noqa: ASYNC110 - a thread writes the file
            await asyncio.sleep(0.01)
    assert log.read_text().split() == ["ended", "unloaded"]
