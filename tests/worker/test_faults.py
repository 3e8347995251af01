import asyncio
import json
import linecache

import msgspec
import pytest

from plugsock import Error, Socket
from plugsock.model import MSGPACK
from plugsock.ops import log
from support.recording import Ended


class Odd(BaseException):
    """An exception of an author's own that is no Exception."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)

    __repr__ = __str__


class Unreadable(Exception):
    @property
    def __notes__(self) -> list[str]:
        raise KeyboardInterrupt


RAISED = [
    ValueError("boom"),
    SystemExit(0),
    SystemExit("text"),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    GeneratorExit(),
    StopIteration(5),
    StopAsyncIteration(),
    Odd("odd"),
    MemoryError(),
    RecursionError(),
    Unprintable(),
    Unreadable(),
    ExceptionGroup("several", [ValueError(1), ExceptionGroup("inner", [KeyError(2)])]),
    BaseExceptionGroup("worse", [SystemExit(1)]),
]


@pytest.fixture(autouse=True)
def logged(capsys):
    """The log as JSON, one dict a line, from the last time it was asked."""
    log.configure("json")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def plugs_that_raise(error: BaseException):
    async def at_once():
        raise error

    async def after_a_wait():
        await asyncio.sleep(0)
        raise error

    def in_a_thread():
        raise error

    async def as_a_stream():
        raise error
        yield

    async def in_a_stream():
        yield 1
        await asyncio.sleep(0)
        raise error

    def in_a_plain_stream():
        yield 1
        raise error

    return {f.__name__: f for f in (at_once, after_a_wait, in_a_thread, as_a_stream, in_a_stream, in_a_plain_stream)}


@pytest.mark.fault("P1", "P2")
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("style", plugs_that_raise(ValueError()))
async def test_whatever_a_plug_raises_is_a_plug_error_and_the_worker_goes_on(worker, logged, error, style):
    async def echo(text: str) -> str:
        return text

    one = await worker(plugs_that_raise(error)[style], echo)
    answer = await one.call(style)
    assert answer.code == "plug_error"
    assert answer.fault.ref in answer.fault.message
    assert (await one.call(echo, '{"text":"hi"}')).value == "hi"
    assert len(one.sink.answers(answer.sequence)) == 1
    assert [line["ref"] for line in logged()] == [answer.fault.ref]


@pytest.mark.fault("P1")
async def test_the_reference_finds_the_traceback_in_the_log_and_nothing_else_tells_of_it(worker, logged):
    async def fail():
        secret = "p4ssw0rd"
        raise ValueError(secret)

    answer = await (await worker(fail)).call(fail, socket="s7")
    assert b"p4ssw0rd" not in answer.payload
    (line,) = logged()
    assert {key: line[key] for key in ("level", "event", "revision", "socket", "ref")} == {
        "level": "error",
        "event": "fail",
        "revision": "5e0c1a22",
        "socket": "s7",
        "ref": answer.fault.ref,
    }
    assert line["error"] == "ValueError: p4ssw0rd"
    assert "raise ValueError(secret)" in line["traceback"]


@pytest.mark.parametrize("style", plugs_that_raise(ValueError()))
async def test_a_traceback_begins_in_the_authors_code(worker, logged, style):
    await (await worker(plugs_that_raise(ValueError("boom"))[style])).call(style)
    (line,) = logged()
    frames = [part for part in line["traceback"].splitlines() if part.startswith("  File")]
    assert len(frames) == 1
    assert "test_faults.py" in frames[0]


async def test_a_traceback_ends_in_the_authors_code(worker, logged):
    async def shout(socket: Socket):
        socket.send("no name of an event")

    await (await worker(shout)).call(shout)
    (line,) = logged()
    frames = [part for part in line["traceback"].splitlines() if part.startswith("  File")]
    assert len(frames) == 1
    assert "test_faults.py" in frames[0]
    assert line["error"].startswith("ValueError: an event is called by")


async def test_a_traceback_shows_the_source_that_ran(worker, logged):
    source = "async def fail():\n    raise ValueError('as it was when it was loaded')\n"
    namespace = {"__name__": "plugs.fail"}
    linecache.cache["plugs/fail.py#1"] = (len(source), None, source.splitlines(keepends=True), "plugs/fail.py#1")
    exec(compile(source, "plugs/fail.py#1", "exec"), namespace)
    await (await worker(namespace["fail"])).call("fail")
    (line,) = logged()
    assert "raise ValueError('as it was when it was loaded')" in line["traceback"]


async def test_in_dev_the_traceback_comes_along(worker):
    async def fail():
        raise ValueError("boom")

    fault = (await (await worker(fail, dev=True)).call(fail)).fault
    assert "ValueError: boom" in fault.data["traceback"]


async def test_outside_of_dev_it_does_not(worker):
    async def fail():
        raise ValueError("boom")

    assert (await (await worker(fail)).call(fail)).fault.data is None


async def test_a_traceback_is_cut(worker, logged):
    def down(n: int) -> int:
        return up(n + 1)

    def up(n: int) -> int:
        return down(n + 1)

    async def fall() -> int:
        return down(0)

    await (await worker(fall)).call(fall)
    (line,) = logged()
    assert line["error"].startswith("RecursionError")
    assert len(line["traceback"]) < 16_500


async def test_an_error_is_the_plugs_own_answer_and_no_failure(worker, logged):
    async def order(count: int):
        raise Error("out_of_stock", "We have no moon left.", retry=True, after=1.5, data={"left": count})

    fault = (await (await worker(order)).call(order, '{"count":0}')).fault
    assert (fault.code, fault.message, fault.retry) == ("out_of_stock", "We have no moon left.", True)
    assert (fault.after_ms, fault.data, fault.ref) == (1500, {"left": 0}, None)
    assert logged() == []


@pytest.mark.parametrize("style", ["in_a_thread", "in_a_stream", "in_a_plain_stream"])
async def test_an_error_may_be_raised_anywhere(worker, style):
    assert (await (await worker(plugs_that_raise(Error("enough"))[style])).call(style)).code == "enough"


async def test_an_error_of_a_messagepack_call_is_messagepack(worker):
    async def refuse():
        raise Error("no", data=b"\x00")

    answer = await (await worker(refuse)).call(refuse, format=MSGPACK)
    assert msgspec.msgpack.decode(answer.payload)["data"] == b"\x00"


@pytest.mark.fault("P8")
@pytest.mark.parametrize(
    "data",
    [lambda: 0, object(), float("nan"), {1: 2}, 2**70, "\ud800"],
    ids=["function", "object", "nan", "key", "integer", "surrogate"],
)
async def test_an_error_whose_data_can_not_be_sent_is_a_plug_error(worker, data):
    async def refuse():
        raise Error("no", data=data)

    fault = (await (await worker(refuse)).call(refuse)).fault
    assert fault.code == "plug_error"
    assert fault.ref is not None


@pytest.mark.parametrize("code", [None, 7, "\ud800"])
async def test_an_error_with_a_wrong_code_is_still_one_answer(worker, code):
    async def refuse():
        raise Error(code)

    assert not (await (await worker(refuse)).call(refuse)).ok


@pytest.mark.fault("P18")
@pytest.mark.parametrize("text", ["one\ntwo level=error", "\x1b[31mred", "\r\x00\u202e", "\ud800"], ids=ascii)
async def test_what_a_plug_raises_can_not_write_lines_of_the_log(worker, capsys, text):
    log.configure("text")

    async def fail():
        raise ValueError(text)

    await (await worker(fail)).call(fail)
    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if not line.startswith("    | ")]) == 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.fault("P17")
async def test_asyncio_run_inside_of_an_async_plug_is_a_clear_error(worker):
    async def run():
        coro = asyncio.sleep(0)
        try:
            asyncio.run(coro)
        finally:
            coro.close()

    fault = (await (await worker(run)).call(run)).fault
    assert fault.code == "plug_error"
    assert "`await` is meant" in fault.message


@pytest.mark.fault("P17")
async def test_run_until_complete_inside_of_an_async_plug_is_a_clear_error(worker):
    async def run():
        coro = asyncio.sleep(0)
        try:
            asyncio.get_running_loop().run_until_complete(coro)
        finally:
            coro.close()

    fault = (await (await worker(run)).call(run)).fault
    assert "`await` is meant" in fault.message


@pytest.mark.fault("P17")
async def test_asyncio_run_inside_of_a_plain_plug_works(worker):
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    def run() -> int:
        return asyncio.run(answer())

    assert (await (await worker(run)).call(run)).value == 42


@pytest.mark.fault("P17")
@pytest.mark.parametrize("style", ["async", "plain"])
async def test_a_forgotten_await_is_a_clear_error(worker, style):
    async def answer() -> int:
        return 42

    if style == "async":

        async def forget():
            return answer()
    else:

        def forget():
            return answer()

    fault = (await (await worker(forget)).call(forget)).fault
    assert fault.code == "plug_error"
    assert "an `await` is missing" in fault.message


@pytest.mark.fault("P17")
async def test_a_future_that_nobody_awaited_is_a_clear_error(worker):
    async def forget():
        return asyncio.get_running_loop().create_future()

    assert "an `await` is missing" in (await (await worker(forget)).call(forget)).fault.message


async def test_what_a_plug_raises_after_its_call_was_ended_is_in_the_log(worker, logged):
    async def stumble():
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while cleaning up")

    one = await worker(stumble)
    sequence = one.start(stumble)
    one.runner.cancel(sequence)
    for _ in range(5):
        await asyncio.sleep(0)
    (line,) = logged()
    assert line["error"] == "ValueError: while cleaning up"
    assert one.sink.said == [Ended(sequence)]


async def test_in_dev_a_result_of_another_type_is_said_to_the_client_and_in_the_log(worker, logged):
    async def give() -> int:
        return "a"

    answer = await (await worker(give, dev=True)).call(give)

    why = "`int` is declared, str was returned: Expected `int`, got `str`"
    ref = answer.fault.ref
    assert answer.fault.message == f"The plug failed: its answer can't be sent: {why}; the log has it under ref {ref}."
    (line,) = logged()
    assert (line["ref"], line["error"]) == (ref, why)
