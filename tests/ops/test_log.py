import io
import json
import logging
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.ops import log

HOSTILE = "\r\n2026-01-01T00:00:00Z info    all is well\x1b[2J\u202e\udc80"


@pytest.fixture(autouse=True)
def _as_before():
    """Logging is the process's: give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    log.configure()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def text():
    stream = io.StringIO()
    log.configure("text", stream=stream)
    return stream


@pytest.fixture
def machine():
    stream = io.StringIO()
    log.configure("json", stream=stream)
    return stream


def test_a_line_has_time_level_message_and_fields_in_this_order(text):
    log.get_logger(event="chat.send").info("a plug answered", socket="s7", ran_s=0.25)

    time, _, rest = text.getvalue().partition(" ")
    assert rest == "info    a plug answered  event=chat.send socket=s7 ran_s=0.25\n"
    assert time.endswith("Z")


def test_a_line_for_machines_is_one_json_object(machine):
    log.get_logger(event="chat.send").warning("a plug raised", ref="k3", changed=["a", "b"], stale=None, count=3)

    line = json.loads(machine.getvalue())
    assert line.pop("time")
    assert line == {
        "level": "warning",
        "msg": "a plug raised",
        "event": "chat.send",
        "ref": "k3",
        "changed": ["a", "b"],
        "stale": None,
        "count": 3,
    }


def test_a_logger_made_before_the_configuration_follows_it(text):
    early = log.get_logger()
    later = io.StringIO()
    log.configure("json", stream=later)

    early.info("hello")

    assert text.getvalue() == ""
    assert json.loads(later.getvalue())["msg"] == "hello"


def test_debug_lines_are_for_development(text):
    log.get_logger().debug("hidden")
    log.configure("text", dev=True, stream=text)
    log.get_logger().debug("shown")

    assert "hidden" not in text.getvalue()
    assert "debug   shown" in text.getvalue()


def test_bound_fields_come_along(text):
    log.get_logger(socket="s1").bind(event="greet").error("failed")

    assert text.getvalue().endswith("error   failed  socket=s1 event=greet\n")


def test_fields_of_the_configuration_are_on_every_line_until_the_next_one():
    stream = io.StringIO()
    log.configure(stream=stream, worker=3)
    log.get_logger(socket="s1").error("failed", event="greet")
    log.configure(stream=stream)
    log.get_logger().error("failed")

    first, second = stream.getvalue().splitlines()
    assert first.endswith("error   failed  socket=s1 event=greet worker=3")
    assert second.endswith("error   failed")


@pytest.mark.fault("H12", "P18")
def test_no_value_can_break_a_line_for_people(text):
    log.get_logger(path=HOSTILE).info(HOSTILE, listed=[HOSTILE], number=1)

    lines = text.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert "\\r\\n2026" in lines[0]


@pytest.mark.fault("H12", "P18")
def test_no_value_can_break_a_line_for_machines(machine):
    log.get_logger(path=HOSTILE).info(HOSTILE, listed=[HOSTILE])

    line = machine.getvalue().removesuffix("\n")
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == HOSTILE


@pytest.mark.fault("P18")
@given(st.text(st.characters()))
def test_any_text_is_one_line_that_can_be_read_back(value):
    stream = io.StringIO()
    log.configure("json", stream=stream)
    log.get_logger(value=value).info("x")
    log.configure("text", stream=stream)
    log.get_logger(value=value).info("x")

    as_json, as_text, end = stream.getvalue().split("\n")
    assert json.loads(as_json)["value"] == value
    assert as_text.isprintable()
    assert end == ""


def test_a_value_with_spaces_or_quotes_is_quoted(text):
    log.get_logger().info("x", a="two words", b='say "hi" \\', c="", d="a=b", e="chat.send:3")

    assert text.getvalue().endswith(r"""a="two words" b="say \"hi\" \\" c="" d="a=b" e=chat.send:3""" + "\n")


@pytest.mark.fault("P18")
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_long_value_is_cut_and_says_so(format):
    stream = io.StringIO()
    log.configure(format, stream=stream)

    log.get_logger(value="x" * 1_000_000).info("m" * 1_000_000, listed=["y" * 100_000] * 3, many=list(range(100_000)))

    assert len(stream.getvalue()) < 7 * log.VALUE_LIMIT
    assert "(+997952)" in stream.getvalue()


def test_an_exception_brings_its_traceback(text):
    try:
        {}["sku"]
    except KeyError:
        log.get_logger().exception("a plug raised", ref="k3")

    first, *trace = text.getvalue().splitlines()
    assert first.endswith("error   a plug raised  error=\"KeyError: 'sku'\" ref=k3")
    assert trace[0] == "    | Traceback (most recent call last):"
    assert trace[-1] == "    | KeyError: 'sku'"


@pytest.mark.fault("P18")
def test_no_exception_can_pretend_to_be_another_line(text):
    log.get_logger().error("a plug raised", error=ValueError(HOSTILE))

    first, *trace = text.getvalue().splitlines()
    assert first.isprintable()
    assert trace
    assert all(line.startswith("    | ") and line.isprintable() for line in trace)


def test_a_traceback_for_machines_is_a_field(machine):
    log.get_logger().error("a plug raised", error=ValueError("no"))

    line = json.loads(machine.getvalue())
    assert (line["error"], line["traceback"]) == ("ValueError: no", "ValueError: no")


@pytest.mark.fault("P18")
def test_a_traceback_keeps_both_ends(machine):
    log.get_logger().error("a plug raised", error=ValueError("x" * 1_000_000 + "the end"))

    trace = json.loads(machine.getvalue())["traceback"]
    assert len(trace) < log.TRACEBACK_LIMIT + 20
    assert trace.startswith("ValueError: xxx")
    assert trace.endswith("xxxthe end")


class Unspeakable:
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.fault("P18")
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_value_that_can_not_be_shown_does_not_lose_the_line(format):
    stream = io.StringIO()
    log.configure(format, stream=stream)

    log.get_logger().info("x", value=Unspeakable(), listed=[Unspeakable()], nested={"a": [1]}, nan=float("nan"))

    assert "<Unspeakable without a text>" in stream.getvalue()


def test_what_libraries_log_comes_out_the_same_way(text):
    logging.getLogger("asyncio").warning("slow: %s", "a\nb")
    logging.getLogger("websockets.server").info("connection open")
    logging.getLogger("plug").debug("detail")
    try:
        raise OSError(5, "gone")
    except OSError:
        logging.getLogger("plug").critical("lost", exc_info=True)

    first, second, *_ = text.getvalue().splitlines()
    assert first.endswith("warning slow: a\\nb  logger=asyncio")
    assert second.endswith('error   lost  logger=plug error="OSError: [Errno 5] gone"')


def test_a_message_whose_arguments_do_not_fit_is_still_a_line(text):
    log.configure(stream=text)  # pytest's own handler, which would raise, is not there any more

    logging.getLogger("plug").error("%d things", "many")

    assert "%d things" in text.getvalue()


@pytest.mark.fault("D10")
def test_logging_goes_on_when_nobody_reads_any_more():
    program = "from plugsock.ops import log\nlog.configure()\nfor _ in range(9): log.get_logger().info('hello')\nprint('done')"
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=writer, check=False)

    os.close(writer)
    assert (ended.returncode, ended.stdout) == (0, b"done\n")


def test_a_plug_that_configures_structlog_does_not_change_the_log(text):
    import structlog

    structlog.configure(processors=[lambda *_: "mine"])
    try:
        log.get_logger().info("hello")
    finally:
        structlog.reset_defaults()

    assert text.getvalue().endswith("info    hello\n")
