"""What functions return on their examples, held against what they declare."""

import textwrap

import pytest

from plugsock.checks.returns import found_wrong, wrong_returns
from plugsock.testing import guard
from support.folder_shapes import loaded

HEAD = (
    "import asyncio, time\nfrom collections.abc import AsyncIterator, Iterator\nfrom plugsock import Error, blocking\n"
)

BEFORE = 5
"""Lines that stand before what a test writes."""


@pytest.fixture
def wrong(tmp_path):
    """Run the plugs of a file on their examples: line and message of what was wrong, without the name of the event."""

    def run(text, **options):
        with loaded(tmp_path, it=HEAD + textwrap.dedent(text)) as catalog:
            return [(each.line - BEFORE, each.message) for each in wrong_returns(catalog.values(), **options)]

    return run


@pytest.mark.parametrize(
    "function",
    [
        "@plug(idempotent=True, examples=[{'a': 1}])\nasync def it(a: int) -> str:\n    return a\n",
        "@plug(idempotent=True, examples=[{'a': 1}])\ndef it(a: int) -> str:\n    return a\n",
        "@view(examples=[{'a': 1}])\nasync def it(a: int) -> str:\n    return a\n",
        "@plug(idempotent=True, examples=[{'a': 1}])\nasync def it(a: int) -> AsyncIterator[str]:\n    yield a\n",
        "@plug(idempotent=True, examples=[{'a': 1}])\ndef it(a: int) -> Iterator[str]:\n    yield 'b'\n    yield a\n",
    ],
)
def test_a_result_of_another_type_is_said_at_the_function(wrong, function):
    ((line, message),) = wrong(function)

    assert line == 2
    assert message == (
        "`it`, run on example 1, returned what does not fit: `str` is declared, int was returned: Expected `str`, got `int`"
    )


def test_a_loop_that_never_awaits_is_interrupted(wrong, monkeypatch):
    monkeypatch.setattr(guard, "GRACE_S", 0.0)
    text = "@view(timeout=0.01, examples=[{}])\nasync def it() -> int:\n    while True:\n        pass\n"
    ((line, message),) = wrong(text)

    assert (line, message.partition(",")[0]) == (2, "`it`")
    assert "took longer than 0.01 s, and nothing else could run meanwhile" in message


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_who_ends_the_process_does_not_end_the_check(wrong, kind):
    ((line, message),) = wrong(f"@view(examples=[{{}}])\n{kind} it() -> int:\n    import os\n    os._exit(0)\n")

    assert (line, message) == (4, "`it`, run on example 1, raised SystemExit: 0")


def test_what_fits_is_nothing_to_say(wrong):
    text = "@view(examples=[{'a': 1}, {'a': 2}])\ndef it(a: int) -> int:\n    return a\n"

    assert wrong(text) == []


def test_only_what_may_run_at_any_time_is_run_unless_all_are_asked_for(wrong):
    text = "@plug(examples=[{}])\ndef it() -> int:\n    return 'a'\n"

    assert wrong(text) == []
    assert len(wrong(text, run_all=True)) == 1


def test_what_has_no_body_is_never_run(wrong):
    assert wrong("@plug(examples=[{}])\ndef it() -> int: ...\n", run_all=True) == []


def test_the_number_of_the_example_is_said(wrong):
    text = "@view(examples=[({}, 1), {'a': 'x'}])\ndef it(a: str = '') -> int:\n    return a or 1\n"

    ((_, message),) = wrong(text)
    assert message.startswith("`it`, run on example 2, returned what does not fit: ")


def test_what_it_raises_is_said_at_the_line_that_raises_it(wrong):
    text = "@view(examples=[{}])\nasync def it() -> int:\n    return helper()\n\n\ndef helper():\n    return 1 / 0\n"

    assert wrong(text) == [(7, "`it`, run on example 1, raised ZeroDivisionError: division by zero")]


def test_an_exception_that_can_not_even_say_its_text_is_said(wrong):
    text = "class Odd(Exception):\n    def __str__(self): raise self\n\n@view(examples=[{}])\ndef it() -> int:\n    raise Odd\n"

    assert wrong(text) == [(6, "`it`, run on example 1, raised Odd")]


def test_who_ends_the_process_is_no_end_of_the_check(wrong):
    text = "@view(examples=[{}])\nasync def it() -> int:\n    raise SystemExit(3)\n"

    assert wrong(text) == [(3, "`it`, run on example 1, raised SystemExit: 3")]


def test_an_error_of_its_own_is_an_answer(wrong):
    assert wrong("@view(examples=[{}])\ndef it() -> int:\n    raise Error('no')\n") == []


def test_what_can_not_be_sent_is_said(wrong):
    ((_, message),) = wrong("@view(examples=[{}])\ndef it() -> float:\n    return float('nan')\n")

    assert "which JSON has no word for" in message


@pytest.mark.parametrize(
    "function", ["async def it() -> int:\n    await asyncio.sleep(60)", "def it() -> int:\n    time.sleep(60)"]
)
def test_one_that_does_not_end_is_said(wrong, function):
    assert wrong(f"@view(examples=[{{}}])\n{function}\n", limit_s=0.05) == [
        (2, "`it`, run on example 1, took longer than 0.05 s")
    ]


def test_the_limit_of_a_plug_is_its_own(wrong):
    text = "@plug(idempotent=True, timeout=0.05, examples=[{}])\nasync def it() -> int:\n    await asyncio.sleep(60)\n"

    assert wrong(text) == [(2, "`it`, run on example 1, took longer than 0.05 s")]


def test_its_own_timeout_error_is_one_that_it_raises(wrong):
    text = "@view(examples=[{}])\ndef it() -> int:\n    raise TimeoutError('slow')\n"

    assert wrong(text) == [(3, "`it`, run on example 1, raised TimeoutError: slow")]


def test_a_stream_without_an_end_is_left_after_its_first_items(wrong):
    head = "@plug(idempotent=True, examples=[{}])\n"

    assert wrong(f"{head}def it() -> Iterator[int]:\n    while True:\n        yield 1\n") == []
    assert (
        wrong(f"{head}async def it() -> AsyncIterator[int]:\n    yield 1\n    await asyncio.sleep(60)\n", limit_s=0.05)
        == []
    )


def test_words_to_sockets_reach_nobody_and_what_is_asked_for_is_granted(wrong):
    text = """
        @plug(idempotent=True, examples=[{}])
        async def tell(socket: Socket, server: Server, user: User) -> int:
            socket.send("a", 1)
            server.broadcast("b", 2)
            socket.join("room")
            await server.grant(user.id, "x")
            return len(await server.members("room"))

        @plug(idempotent=True, examples=[{}])
        def ask(server: blocking.Server) -> int:
            return server.revoke("x", "y").sockets
    """

    assert wrong(text) == []


def test_an_example_that_does_not_fit_is_not_run(wrong):
    assert wrong("@view(examples=[{'a': 'x'}])\ndef it(a: int) -> int:\n    return 'never'\n") == []


async def test_who_has_an_event_loop_awaits_it(tmp_path):
    with loaded(tmp_path, it="@view(examples=[{}])\nasync def it() -> int:\n    return ''\n") as catalog:
        (problem,) = await found_wrong(catalog.values())

    assert (problem.events, problem.line) == (("it",), 4)
