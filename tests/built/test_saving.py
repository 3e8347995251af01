"""What becomes of a save, whatever is saved and however, when the server is the built executable.

Every way to save and swaps under load are in tests/test_saving.py and tests/test_swapping.py, which run against it too.
"""

import asyncio
import contextlib
import os
import sys
import time

import pytest

from plugsock import Error
from support.callers import EVENT, calling
from support.once import connect
from support.server import LIMIT_S, running
from support.swapping import swapping

pytestmark = pytest.mark.fault("F9")


@contextlib.asynccontextmanager
async def under_calls(folder):
    """A folder that is served and called all the while; at the end no answer was missing, doubled or out of date."""
    async with swapping(folder, "--workers", "1") as served:
        async with calling(served.server, served.history, connections=2, depth=2):
            yield served
        assert served.history.faults() == []


def in_three_parts(path, text):
    third = len(text) // 3
    with path.open("w") as file:
        for part in (text[:third], text[third:-third], text[-third:]):
            file.write(part)
            file.flush()
            time.sleep(0.2)  # the fault itself


def emptied_and_refilled(path, text):
    os.truncate(path, 0)
    time.sleep(0.5)  # the fault itself
    path.write_text(text)


def with_the_time_it_had(path, text):
    had = path.stat()
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    os.utime(beside, ns=(had.st_atime_ns, had.st_mtime_ns))
    beside.replace(path)


def with_an_older_time(path, text):
    beside = path.with_name("beside.tmp")
    beside.write_text(text)
    os.utime(beside, (1, 1))
    beside.replace(path)


@pytest.mark.parametrize(
    "style",
    [
        pytest.param(
            in_three_parts,
            marks=[
                pytest.mark.fault("S1"),
                pytest.mark.skipif(sys.platform != "linux", reason="only there is seen that a file is still written"),
            ],
        ),
        pytest.param(emptied_and_refilled, marks=pytest.mark.fault("S3")),
        pytest.param(with_the_time_it_had, marks=pytest.mark.fault("S6")),
        pytest.param(with_an_older_time, marks=pytest.mark.fault("S6")),
    ],
    ids=lambda style: style.__name__,
)
async def test_only_whole_files_are_served_and_each_is(tmp_path, style):
    async with under_calls(tmp_path / "plugs") as folder:
        for _ in range(2):
            await folder.swap(style)


@pytest.mark.fault("S5")
async def test_of_edits_that_differ_neither_in_size_nor_in_time_each_is_served(tmp_path):
    async with under_calls(tmp_path / "plugs") as folder:
        folder.version = 9  # the numbers of the next ones are equally long
        for _ in range(10):
            await folder.swap(with_the_time_it_had)


@pytest.mark.fault("S4")
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("def version(:\n", "SyntaxError"),
        ("from plugsock import plug\nnothing_of_this_name\n", "NameError"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
    ],
    ids=["syntax", "name", "import"],
)
async def test_what_is_broken_is_not_served_and_the_next_save_heals_it(tmp_path, broken, said):
    async with under_calls(tmp_path / "plugs") as folder:
        folder.server.save(folder.path.name, broken)
        await folder.server.says(rf"{said}.*stale={EVENT}|stale={EVENT}.*{said}")
        assert (await folder.client.call(EVENT))["versions"] == [1, 1]
        await folder.swap()


WAITING = """
import asyncio
from pathlib import Path
from plugsock import Socket, plug

@plug
async def waits(socket: Socket, path: str) -> str:
    socket.send("began")
    while not Path(path).exists():
        await asyncio.sleep(0.02)
    return "done"
"""


@pytest.mark.fault("S7")
async def test_a_call_whose_file_is_deleted_ends_as_it_would_have_and_there_is_no_other(tmp_path):
    opened = tmp_path / "opened"
    async with running(tmp_path / "plugs", "--workers", "1", waits=WAITING) as server, connect(server.url) as client:
        call = asyncio.get_running_loop().create_task(client.call("waits", {"path": str(opened)}))
        await anext(aiter(client.pushes()))
        (server.folder / "waits.py").unlink()
        await server.says("removed.*event=waits")
        with pytest.raises(Error, match="gone"):
            await client.call("waits", {"path": str(opened)})
        opened.touch()
        assert await asyncio.wait_for(call, LIMIT_S) == "done"


SENDING = """
from plugsock import plug

@plug
async def send() -> str:
    return {answer!r}
"""


@pytest.mark.fault("S8")
async def test_an_event_that_moves_to_another_file_is_never_missing(tmp_path):
    answers = ["old"]
    chat = SENDING.format(answer="old")
    async with running(tmp_path / "plugs", "--workers", "1", chat=chat) as server, connect(server.url) as client:
        (server.folder / "chat.py").unlink()
        server.save("chat/send.py", SENDING.format(answer="new"))
        async with asyncio.timeout(LIMIT_S):
            while answers[-1] == "old":
                answers.append(await client.call("chat.send"))
    assert answers[-1] == "new"


async def test_a_file_is_added_edited_renamed_and_deleted_while_a_client_is_connected(tmp_path):
    async with running(tmp_path / "plugs", "--workers", "1") as server, connect(server.url) as client:

        async def answers(event, expected):
            async with asyncio.timeout(LIMIT_S):
                while await answer(event) != expected:  # noqa: ASYNC110 - the clients' notice is tested elsewhere
                    await asyncio.sleep(0.02)

        async def answer(event):
            try:
                return await client.call(event)
            except Error as error:
                return error.code

        server.save("a/send.py", SENDING.format(answer="added"))
        await answers("a.send", "added")
        server.save("a/send.py", SENDING.format(answer="edited"))
        await answers("a.send", "edited")
        (server.folder / "a").rename(server.folder / "b")
        await answers("b.send", "edited")
        await answers("a.send", "gone")
        (server.folder / "b" / "send.py").unlink()
        await answers("b.send", "gone")
