"""What is said of a plug that has run on its examples."""

import textwrap

import pytest

from plugsock.errors import PlugsockError
from plugsock.hot import report as reports
from plugsock.hot import warm
from plugsock.hot.adaptive import Form
from plugsock.hot.report import observe, state_of
from support.folder_shapes import loaded

HEAD = "import asyncio\nfrom collections.abc import AsyncIterator, Iterator\nfrom plugsock import Error\n"

GENERAL, COUNTING, SPECIAL, OTHER = (
    Form(name, room)
    for name, room in [
        ("BINARY_OP_ADAPTIVE", b"\0\0"),
        ("BINARY_OP_ADAPTIVE", b"\1\0"),
        ("BINARY_OP_ADD_INT", b"\0\0"),
        ("BINARY_OP_ADD_FLOAT", b"\0\0"),
    ]
)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """A tenth of a second is enough to see it."""
    monkeypatch.setattr(warm, "BATCHES", 10)


@pytest.fixture
def observed(tmp_path):
    async def run(text, event="it.go"):
        with loaded(tmp_path, it=HEAD + text) as catalog:
            return await observe(catalog[event])

    return run


def slow(report):
    """Of each line that has any: its text, and each slow instruction with what it met."""
    return {
        line.text.strip(): [
            (each.name, each.state, {value.expression: value.types for value in each.met}) for each in line.slow
        ]
        for function in report.functions
        for line in function.lines
        if line.slow
    }


@pytest.mark.parametrize(
    ("before", "looks", "state"),
    [
        (GENERAL, [SPECIAL, SPECIAL], "special"),
        (GENERAL, [SPECIAL, OTHER], "wavers"),
        (GENERAL, [SPECIAL, COUNTING], "wavers"),
        (GENERAL, [Form("BINARY_OP_ADD_INT", b"\1\0"), SPECIAL], "wavers"),
        (GENERAL, [COUNTING, COUNTING], "general"),
        (GENERAL, [GENERAL, GENERAL], "idle"),
    ],
)
def test_the_state_of_an_instruction_is_seen_from_how_it_moves(before, looks, state):
    assert state_of(before, looks) == state


async def test_a_plug_whose_types_never_change_has_nothing_slow(observed):
    report = await observed("@plug(examples=[{'a': 1}, {'a': 2}])\nasync def go(a: int) -> int:\n    return a + a\n")

    assert slow(report) == {}
    assert (report.examples, report.specialised, report.ran, report.idle) == (2, report.ran, report.ran, 0)
    assert report.is_settled
    assert 0 < report.per_call.low <= report.per_call.median <= report.per_call.high


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_what_meets_two_types_is_said_with_both(observed, kind):
    report = await observed(
        f"@plug(examples=[{{'a': 1}}, {{'a': 2.5}}])\n{kind} go(a: int | float) -> float:\n    return a + a\n"
    )

    assert slow(report) == {"return a + a": [("BINARY_OP", "wavers", {"a": ["int", "float"]})]}
    assert report.specialised < report.ran


async def test_helpers_of_the_same_file_are_shown_after_the_plug(observed):
    text = """
        def helper(x):
            return [x] + [x]


        def unused():
            return 1


        @plug(examples=[{}])
        async def go() -> list[int]:
            return helper(1)
    """
    report = await observed(textwrap.dedent(text))

    assert [function.name for function in report.functions] == ["go", "helper"]
    assert slow(report) == {"return [x] + [x]": [("BINARY_OP", "general", {"[x]": ["list"]})]}


async def test_what_no_example_reaches_is_counted_by_itself(observed):
    text = "@plug(examples=[{'a': 1}])\ndef go(a: int) -> int:\n    return a + a if a else a * a\n"
    report = await observed(text)

    assert (report.idle, slow(report)) == (1, {})


@pytest.mark.parametrize(
    "function",
    [
        "async def go() -> AsyncIterator[float]:\n    for x in (1, 2.5):\n        yield x + x\n",
        "def go() -> Iterator[float]:\n    for x in (1, 2.5):\n        yield x + x\n",
    ],
)
async def test_a_stream_runs_to_its_end(observed, function):
    report = await observed(f"@plug(examples=[{{}}])\n{function}")

    assert ("BINARY_OP", "wavers", {"x": ["int", "float"]}) in slow(report)["yield x + x"]


async def test_a_plug_that_speaks_to_sockets_is_handed_some(observed):
    text = "@view(examples=[{}])\nasync def go(socket: Socket, server: Server, user: User) -> str:\n"
    text += "    socket.send('a')\n    server.reads('b')\n    await server.grant(user.id, 'c')\n    return user.id\n"

    assert (await observed(text)).failures == []


async def test_an_example_that_fails_is_said_and_the_others_run(observed):
    text = "@plug(examples=[{'a': 0}, {'a': 'x'}, {'a': 2}, {'a': 3}])\ndef go(a: int) -> float:\n"
    text += "    if a == 3: raise Error('three')\n    return 1 / a\n"
    report = await observed(text)

    first, second = report.failures
    assert first.startswith("example 1: ZeroDivisionError: division by zero (")
    assert first.endswith("it.py:9)")
    assert second == "example 2: ValidationError: Expected `int`, got `str` - at `$.a`"
    assert report.examples == 2


@pytest.mark.parametrize(
    ("text", "event", "why"),
    [
        (
            "@plug\ndef go(): return 1\n",
            "it.go",
            "it.go has no examples to run it on: give it some, as @plug(examples=",
        ),
        (
            "@view\ndef go(): return 1\n",
            "it.go",
            "it.go has no examples to run it on: give it some, as @view(examples=",
        ),
        ("@plug(examples=[{}])\ndef go(): ...\n", "it.go", "it.go is a shape: it has no body yet"),
        ("topic('room.*')\n", "@topic:room.*", "@topic:room.* is a topic, and nobody calls that"),
        (
            "@plug(examples=[{}])\ndef go(): return 1 / 0\n",
            "it.go",
            "it.go runs on none of its examples: example 1: Zero",
        ),
    ],
)
async def test_what_can_not_be_run_is_refused(observed, text, event, why):
    with pytest.raises(PlugsockError) as error:
        await observed(text, event)

    assert str(error.value).startswith(why)


async def test_one_that_takes_too_long_is_said(observed, monkeypatch):
    monkeypatch.setattr(reports, "LIMIT_S", 0.05)

    with pytest.raises(PlugsockError, match=r"takes longer than 0\.05 s"):
        await observed("@plug(examples=[{}])\nasync def go(): await asyncio.sleep(60)\n")


async def test_one_that_is_too_slow_to_be_called_often_says_so(observed, monkeypatch):
    monkeypatch.setattr(warm, "LIMIT_S", 0.05)
    report = await observed(
        "@plug(examples=[{}])\nasync def go() -> int:\n    await asyncio.sleep(0.02)\n    return 1\n"
    )

    assert not report.is_settled
    assert report.calls < warm.FEW_ROUNDS
