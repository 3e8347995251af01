"""What workers print, on its way to the gateway's own streams."""

import asyncio
import io
import os
import re
import resource
import time
import tty
from pathlib import Path

import pytest

from plugsock.pool import output as module
from plugsock.pool.lines import BURST
from plugsock.pool.output import Output
from support.yard import LIMIT_S, descriptors, yard

GIBIBYTE = 1024**3


@pytest.fixture
def pipe():
    """A pipe that nobody reads unless the test does."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", 0) as end:
        yield stream, end


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "out").open("w+") as stream:
        yield stream


def content(file):
    return os.pread(file.fileno(), 100 * 1024 * 1024, 0)


async def all_written(output, end=None):
    """Let the loop go on until nothing waits; what was read from the pipe meanwhile."""
    read = b""
    async with asyncio.timeout(LIMIT_S):
        while any(outlet._waiting for outlet in output._outlets.values()):
            read += (end.read() or b"") if end else b""
            await asyncio.sleep(0.001)
    return read + ((end.read() or b"") if end else b"")


async def test_lines_go_to_the_stream_that_they_were_written_to(pipe, file):
    stream, end = pipe
    source = Output(stream, file).source()

    source.feed(1, b"out\n")
    source.feed(2, b"err\n")

    assert end.read() == b"out\n"
    assert content(file) == b"err\n"


async def test_processes_do_not_finish_each_other_s_lines(file):
    output = Output(file, file)
    one, other = output.source(), output.source()

    one.feed(1, b"half")
    other.feed(1, b"other\n")
    one.feed(1, b" a line\n")

    assert content(file) == b"other\nhalf a line\n"


async def test_the_last_line_of_a_process_needs_no_end(file):
    source = Output(file, file).source()
    source.feed(1, b"last words")

    source.end(1)

    assert content(file) == b"last words\n"


async def test_a_reader_that_is_a_little_late_loses_nothing(pipe):
    stream, end = pipe
    output = Output(stream, None)
    printed = b"".join(b"line %d\n" % number for number in range(100_000))

    output.source().feed(1, printed)

    assert await all_written(output, end) == printed


@pytest.mark.fault("P7")
async def test_a_reader_that_never_comes_is_not_waited_for(pipe, capsys):
    stream, _ = pipe
    output = Output(stream, None)
    line = b"x" * 1023 + b"\n"

    for _ in range(20):
        output.source().feed(1, line * 1024)
    output.close()

    assert "output of plugs was left out" in capsys.readouterr().err


@pytest.fixture
def terminal():
    """A terminal, and its other end, that nobody reads unless the test does."""
    reader, writer = os.openpty()
    tty.setraw(writer)
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", 0) as end:
        yield stream, end


def rest(end):
    """What was written to a terminal that nobody has open any more, but for its other end."""
    read = []
    try:
        while data := end.read(65_536):
            read.append(data)
    except OSError:  # on Linux it is an error instead of an end
        pass
    return b"".join(read)


@pytest.mark.fault("P7")
async def test_a_terminal_that_nobody_reads_is_not_waited_for(terminal, capsys):
    stream, end = terminal
    output = Output(stream, None)
    printed = (b"x" * 996 + b"\n") * 1024  # what there is room for is no number of these lines

    output.source().feed(1, printed)
    output.close()
    stream.close()

    shown = len(rest(end))
    assert 0 < shown < len(printed)
    assert f"output of plugs was left out  bytes={len(printed) - shown}" in capsys.readouterr().err


async def test_a_terminal_that_is_read_late_loses_nothing(terminal):
    stream, end = terminal
    output = Output(stream, None)
    printed = b"".join(b"line %d\n" % number for number in range(10_000))
    os.set_blocking(end.fileno(), False)
    read = b""

    output.source().feed(1, printed)

    async with asyncio.timeout(LIMIT_S):
        while len(read) < len(printed):
            read += end.read(65_536) or b""
            await asyncio.sleep(0.001)
    output.close()
    assert read == printed


async def test_who_else_has_a_terminal_still_waits_when_writing(terminal):
    stream, _ = terminal
    output = Output(stream, stream)
    output.source().feed(1, b"hello\n")

    assert os.get_blocking(stream.fileno())
    output.close()


async def test_a_terminal_that_can_not_be_opened_anew_is_written_to_as_it_is(terminal, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "ttyname", refuse)
    stream, end = terminal
    output = Output(stream, None)

    output.source().feed(1, b"hello\n")
    output.close()

    assert end.read(65_536) == b"hello\n"


async def test_a_terminal_that_was_opened_anew_is_closed(terminal):
    stream, _ = terminal
    before = descriptors()
    output = Output(stream, stream)

    output.close()
    output.source().feed(1, b"too late\n")

    assert descriptors() == before


@pytest.mark.fault("P7")
async def test_what_is_too_much_is_left_out_and_counted(file, capsys, monkeypatch):
    monkeypatch.setattr(module, "RATE", 0)
    output = Output(file, file)
    line = b"x" * 1023 + b"\n"

    output.source().feed(1, line * (BURST // 1024 + 10))
    await all_written(output)
    output.close()

    assert content(file) == line * (BURST // 1024)
    assert "output of plugs was left out" in (said := capsys.readouterr().err)
    assert f"bytes={10 * 1024}" in said


async def test_it_is_said_once_in_a_while_how_much_was_left_out(file, capsys, monkeypatch):
    monkeypatch.setattr(module, "QUIET_S", 0.001)
    output = Output(file, file)

    output.leave_out(3)
    output.leave_out(4)
    assert capsys.readouterr().err == ""
    await asyncio.sleep(0.05)

    assert re.findall(r"left out .*", capsys.readouterr().err) == ["left out  bytes=7"]


async def test_nothing_left_out_is_not_spoken_of(file, capsys):
    output = Output(file, file)
    output.source().feed(1, b"a\n")

    output.close()

    assert capsys.readouterr().err == ""


@pytest.mark.fault("D10")
async def test_a_reader_that_has_gone_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        source = Output(stream, stream).source()

        for _ in range(3):
            source.feed(1, b"hello\n")


@pytest.fixture
def full_disk():
    with Path("/dev/full").open("w") as stream:
        yield stream


@pytest.mark.fault("D10")
async def test_a_full_disk_is_no_error(full_disk):
    Output(full_disk, full_disk).source().feed(1, b"hello\n")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.fault("D10")
@pytest.mark.parametrize("stream", [None, io.StringIO(), closed()])
async def test_a_stream_that_leads_nowhere_is_no_error(stream):
    output = Output(stream, stream)

    output.source().feed(1, b"hello\n")
    output.close()


async def test_a_stream_that_somebody_has_made_non_blocking_is_retried(pipe):
    stream, end = pipe
    os.set_blocking(stream.fileno(), False)
    output = Output(stream, None)
    printed = b"x" * 9_999 + b"\n"

    output.source().feed(1, printed * 100)

    assert await all_written(output, end) == printed * 100


@pytest.mark.fault("P7")
async def test_a_gigabyte_stops_neither_the_gateway_nor_the_worker_and_fills_no_memory(capsys):
    async with yard("nursery") as workers:
        await workers.started("exit:0")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        lags = []
        watching = asyncio.create_task(watch(lags))  # noqa: TID251
        reading = asyncio.create_task(drain(workers.lines))  # noqa: TID251

        pid = await workers.start(f"print:{GIBIBYTE}")
        assert await workers.end(pid) == 0

        watching.cancel()
        reading.cancel()
    assert max(lags) < 0.25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    assert "output of plugs was left out" in capsys.readouterr().err


async def watch(lags):
    """Note by how much the loop is late."""
    while True:
        at = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append(time.perf_counter() - at - 0.005)


async def drain(lines):
    while await lines.read(1024 * 1024):
        pass
