import io
import os
import subprocess
import sys

import pytest

from plugsock.ops.output import printable, write_line


@pytest.fixture
def broken_pipe():
    """A text stream whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        yield stream


def test_a_line_goes_out_at_once():
    stream = io.StringIO()

    assert write_line(stream, "hello")
    assert stream.getvalue() == "hello\n"


@pytest.mark.fault("D10")
def test_a_reader_that_has_gone_is_no_error(broken_pipe):
    assert not write_line(broken_pipe, "hello")


@pytest.mark.fault("D10")
def test_after_that_lines_vanish(broken_pipe):
    write_line(broken_pipe, "hello")

    assert write_line(broken_pipe, "hello again")


@pytest.mark.fault("D10")
def test_a_closed_stream_and_none_at_all_are_no_error():
    stream = io.StringIO()
    stream.close()

    assert not write_line(stream, "hello")
    assert not write_line(None, "hello")


@pytest.mark.fault("D10")
def test_a_process_whose_stdout_has_gone_ends_as_it_would_have():
    program = "import sys; from plugsock.ops.output import write_line\nfor _ in range(9): write_line(sys.stdout, 'x')"
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False)

    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 日本 🙂", "Zoë 日本 🙂"),
        ("a\r\nb\0", "a\\r\\nb\\x00"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("\u2028\u202e", "\\u2028\\u202e"),
        ("\ud800x\udc80", "\\ud800x\\udc80"),
    ],
)
def test_what_can_not_be_printed_is_shown(text, shown):
    assert printable(text) == shown
