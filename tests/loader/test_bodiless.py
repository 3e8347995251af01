"""Functions without a body: which these are, and what kind of event each is."""

import pytest

from plugsock.model import Kind

HEAD = (
    "import functools\nfrom collections.abc import AsyncIterator, Iterator\n"
    "from plugsock import authenticate, Hello, on_load, plug, User, view\n"
)


def announced(shelf, text):
    shelf.write("a.py", text, head=HEAD)
    shelf.swap()
    assert not shelf.loader.problems
    return {event: plug.announcement for event, plug in shelf.loader.catalog.items()}


@pytest.mark.parametrize(
    "body", ["...", "pass", "'''Go.'''", "'''Go.'''\n    ...", "pass; ...; pass", "'''Go.'''\n    # soon\n    pass"]
)
@pytest.mark.parametrize("define", ["def", "async def"])
def test_who_does_nothing_is_a_shape(shelf, define, body):
    assert announced(shelf, f"@plug\n{define} go(n: int) -> int:\n    {body}\n")["a.go"].is_shape


@pytest.mark.parametrize(
    "body",
    [
        "return",
        "return None",
        "return ...",
        "'''Go.'''\n    return",
        "1",
        "n",
        "'''Go.'''\n    'again'",
        "yield",
        "await n",
        "raise NotImplementedError",
    ],
)
def test_who_says_anything_is_none(shelf, body):
    [found] = announced(shelf, f"@plug\nasync def go(n):\n    {body}\n").values()

    assert not found.is_shape


def test_one_of_two_is_told_apart(shelf):
    text = "@plug\ndef one(): ...\n\n@plug\ndef two():\n    return 1\n"

    assert {event: each.is_shape for event, each in announced(shelf, text).items()} == {"a.one": True, "a.two": False}


def test_a_swap_gives_it_a_body_and_takes_it_away(shelf):
    bodies = ["...", "return 1", "pass"]
    found = [announced(shelf, f"@plug\ndef go() -> int:\n    {body}\n")["a.go"].is_shape for body in bodies]

    assert found == [True, False, True]


def test_a_decorator_that_says_something_is_a_body(shelf):
    wrapped = """
        def answering(function):
            @functools.wraps(function)
            async def answer(*args):
                return 7
            return answer

        @plug
        @answering
        async def go() -> int: ...
    """

    assert not announced(shelf, wrapped)["a.go"].is_shape


def test_one_that_is_made_in_a_function_is_a_shape_too(shelf):
    made = "def make():\n    @plug\n    def go() -> int: ...\n    return go\n\ngo = make()\n"

    assert announced(shelf, made)["a.go"].is_shape


@pytest.mark.parametrize("define", ["def", "async def"])
@pytest.mark.parametrize("stream", ["AsyncIterator", "Iterator"])
def test_its_result_says_that_it_is_a_stream(shelf, define, stream):
    found = announced(shelf, f"@plug\n{define} go() -> {stream}[int]: ...\n")["a.go"]

    assert (found.kind, found.output, found.is_shape) == (Kind.STREAM, "int", True)


def test_a_view_is_a_shape_and_no_stream(shelf):
    found = announced(shelf, "@view\nasync def go(day: str) -> list[int]: ...\n")["a.go"]
    assert (found.kind, found.is_shape) == (Kind.VIEW, True)

    shelf.write("a.py", "@view\ndef go() -> Iterator[int]: ...\n", head=HEAD)
    shelf.swap()
    assert "it says `-> Iterator[int]`, a stream, but has no `yield`" in str(shelf.loader.problems[0])


def test_a_shape_holds_no_thread(shelf):
    text = "@plug\ndef one(): ...\n\n@plug\ndef two():\n    return 1\n"

    assert {event: each.in_thread for event, each in announced(shelf, text).items()} == {"a.one": False, "a.two": True}


def test_what_no_client_calls_is_none(shelf):
    found = announced(
        shelf, "@authenticate\nasync def who(hello: Hello) -> User | None: ...\n\n@on_load\ndef go(): ...\n"
    )

    assert [each.is_shape for each in found.values()] == [False]
