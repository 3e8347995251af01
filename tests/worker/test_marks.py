"""Whose code runs: what the page tells while a worker runs, and after it has died of a call."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from plugsock.rpc.page import IDLE, SIZE, STARTED, STEP, Page, is_started, private, running
from plugsock.worker.marks import PageMarks

seen: list[set[int]] = []
pages: list[Page] = []


def look() -> None:
    seen.append(running(pages[-1]))


async def glance() -> None:
    look()


async def rest() -> None:
    await asyncio.sleep(0)
    look()


async def ticks() -> AsyncIterator[int]:
    for n in range(2):
        look()
        yield n
        await asyncio.sleep(0)
    look()


def look_beside() -> None:
    look()


class Nosy(Struct):
    name: str

    def __post_init__(self) -> None:
        look()


async def take(nosy: Nosy) -> None: ...


def take_beside(nosy: Nosy) -> None: ...


@pytest.fixture
async def one(worker):
    made = await worker(glance, rest, ticks, look_beside, take, take_beside)
    made.page[STEP] = IDLE
    seen.clear()
    pages.append(made.page)
    yield made
    pages.clear()


async def test_in_a_batch_the_call_that_began_last_runs(one):
    one.runner.batch_began()
    sequences = [one.start(glance) for _ in range(2)]
    one.runner.batch_ended()
    assert seen == [{sequence} for sequence in sequences]
    assert running(one.page) == set()


async def test_a_call_has_started_when_its_first_step_has(one):
    assert not is_started(one.page, 1, in_thread=False)
    assert one.start(glance) == 1
    assert is_started(one.page, 1, in_thread=False)
    assert not is_started(one.page, 2, in_thread=False)


@pytest.mark.parametrize("plug", [take, take_beside], ids=lambda plug: plug.__name__)
async def test_a_call_runs_while_its_payload_is_decoded(one, plug):
    one.runner.batch_began()
    sequence = one.start(plug, '{"name":"Ada"}')
    one.runner.batch_ended()
    await one.sink.answer_of(sequence)
    assert seen == [{sequence}]


async def test_a_call_that_goes_on_after_a_wait_runs_and_then_rests(one):
    first, second = one.start(rest), one.start(rest)
    assert running(one.page) == set()
    await one.sink.answer_of(second)
    assert seen == [{first}, {second}]
    assert one.page[STEP] == IDLE


async def test_calls_that_begin_after_others_have_suspended_are_told_from_them(one):
    one.start(rest)
    one.runner.batch_began()
    late = one.start(glance)
    one.runner.batch_ended()
    assert seen == [{late}]


async def test_every_step_of_a_stream_but_its_first_is_marked(one):
    one.runner.batch_began()
    sequence = one.start(ticks)
    one.runner.batch_ended()
    await one.sink.answer_of(sequence)
    assert seen == [{sequence}] * 3


async def test_a_call_in_a_thread_runs_there(one):
    sequence = one.start(look_beside)
    await one.sink.answer_of(sequence)
    assert seen == [{sequence}]


def test_marks_are_what_the_page_says_they_are():
    page = private()
    marks = PageMarks(page)
    marks.batch_ended()
    assert page[STEP] == IDLE
    marks.batch_began()
    assert page[STEP] == 0
    marks.rested()
    assert page[STEP] == IDLE


DIES = """
import asyncio, mmap, os, sys

from msgspec import Struct

from support.working import Worker

SIZE = int(sys.argv[3])

async def wait() -> None:
    await asyncio.Event().wait()

async def first_step() -> None:
    os._exit(3)

async def after_an_await() -> None:
    await asyncio.sleep(0)
    os._exit(3)

async def in_its_finally() -> None:
    try:
        await asyncio.Event().wait()
    finally:
        os._exit(3)

async def stream():
    yield 1
    await asyncio.sleep(0)
    os._exit(3)

def in_a_thread() -> None:
    os._exit(3)

class Deadly(Struct):
    def __post_init__(self) -> None:
        os._exit(3)

async def decoding(deadly: Deadly) -> None: ...

async def in_a_task_of_its_own() -> None:
    async def die() -> None:
        os._exit(3)
    async with asyncio.TaskGroup() as group:
        group.create_task(die())

async def main() -> None:
    with open(sys.argv[1], "r+b") as file:
        page = memoryview(mmap.mmap(file.fileno(), SIZE)).cast("Q")
    deadly = globals()[sys.argv[2]]
    one = Worker(wait, deadly, page=page)
    await asyncio.sleep(0)
    one.runner.batch_began()
    for plug in (wait, wait, deadly):
        sequence = one.start(plug, "{}")
    one.start(wait)
    one.runner.batch_ended()
    if deadly is in_its_finally:
        one.runner.cancel(sequence)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def died_of(kind: str, tmp_path: Path) -> Page:
    """The page of a worker whose third call of four has ended its process."""
    file = tmp_path / "page"
    file.write_bytes(bytes(SIZE))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", DIES, file, kind, str(SIZE)]
    assert subprocess.run(command, check=False, env=environment, timeout=50).returncode == 3
    return memoryview(file.read_bytes()).cast("Q")


@pytest.mark.parametrize(
    "kind", ["first_step", "after_an_await", "in_its_finally", "stream", "in_a_thread", "decoding"]
)
def test_the_call_that_ends_the_process_is_the_one_that_ran(tmp_path, kind):
    page = died_of(kind, tmp_path)
    assert running(page) - ({4} if kind == "in_a_thread" else set()) == {3}
    assert is_started(page, 3, in_thread=kind == "in_a_thread")


def test_nobody_is_blamed_for_a_task_that_a_plug_has_left_to_itself(tmp_path):
    page = died_of("in_a_task_of_its_own", tmp_path)
    assert running(page) == set()
    assert page[STARTED] == 4
