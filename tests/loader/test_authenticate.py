"""The function that says who somebody is: what it may look like, and that there is one."""

import pytest

from plugsock import Hello, User, authenticate, plug
from plugsock.errors import DeclareError
from plugsock.loader.source import Folder, Source
from plugsock.model import AUTHENTICATE, Kind

HEAD = "from plugsock import Hello, Server, Socket, User, authenticate, plug\n"

WHO = """
@authenticate
async def who(hello: Hello) -> User | None:
    '''Whoever knows the word.'''
    return User("ada") if hello.token == "word" else None
"""

EMBEDDED = "plugsock_embedded"


def problems(shelf, text, name="auth.py"):
    shelf.write(name, text, head=HEAD)
    shelf.swap()
    return [str(problem) for problem in shelf.loader.problems]


def with_defaults(make_shelf, tmp_path):
    """A shelf over a default plug that authenticates."""
    default = tmp_path / "default"
    default.mkdir()
    (default / "tokens.py").write_text(HEAD + WHO)
    return make_shelf(folders=[Folder(tmp_path / "plugs"), Folder(default, EMBEDDED, "embedded")])


def place(shelf):
    return shelf.loader.catalog[AUTHENTICATE].announcement.place.replace("\\", "/")


def test_it_is_announced_under_a_name_that_no_client_can_write(shelf):
    assert problems(shelf, WHO) == []
    (announced,) = [plug.announcement for plug in shelf.loader.catalog.values()]
    assert announced.event == AUTHENTICATE == "@authenticate"
    assert (announced.kind, announced.timeout, announced.place) == (Kind.CALL, 5.0, "plugs/auth.py:4")
    assert announced.doc == "Whoever knows the word."
    assert announced.output == "User | None"


def test_it_is_asked_with_a_hello(shelf):
    problems(shelf, WHO)
    assert shelf.call(AUTHENTICATE, b'{"hello":{"token":"word"}}') == User("ada")
    assert shelf.call(AUTHENTICATE, b'{"hello":{}}') is None


@pytest.mark.parametrize(
    "declared",
    [
        "def who(hello: Hello): return User(hello.token)",
        "async def who(h: Hello) -> User: return User(h.token)",
        "def who(*, anything: Hello) -> User | None: return User(anything.token)",
        "async def who(server: Server, hello: 'Hello') -> 'User | None': return User(hello.token)",
        "async def who(hello: Hello, *, server: Server): return User(hello.token)",
        "def _who(hello: Hello): return User(hello.token)",
    ],
)
def test_its_parameters_may_be_called_anything(shelf, declared):
    assert problems(shelf, f"@authenticate\n{declared}\n") == []
    assert shelf.call(AUTHENTICATE, b'{"hello":{"token":"ada"}}') == User("ada")


def test_its_time_can_be_said(shelf):
    assert problems(shelf, WHO.replace("@authenticate", "@authenticate(timeout=2)")) == []
    assert shelf.loader.catalog[AUTHENTICATE].announcement.timeout == 2.0


@pytest.mark.parametrize("timeout", [0, -1, True, "1", None, 86_401])
def test_a_time_that_can_not_be_is_refused_where_it_is_said(timeout):
    with pytest.raises(DeclareError, match="must be more than 0 and at most 86400 seconds"):
        authenticate(timeout=timeout)


def test_it_marks_functions():
    with pytest.raises(DeclareError, match="@authenticate marks functions, not int"):
        authenticate(3)


@pytest.mark.parametrize("marks", [(plug, authenticate), (authenticate, plug)], ids=["plug first", "plug last"])
def test_a_function_has_one_mark(marks):
    def who(hello: Hello): ...

    first, second = marks
    both = f"@{second.__name__} and @{first.__name__}"  # as they stand in the file
    with pytest.raises(DeclareError, match=f"can't be marked both {both}: make two of it"):
        second(first(who))


def test_there_is_no_caller_yet(shelf):
    assert problems(shelf, "@authenticate\ndef who(hello: Hello, socket: Socket): ...\n") == [
        "plugs/auth.py:3: `who`: `socket` can't be handed in: @authenticate is asked before there is a caller"
    ]
    assert shelf.loader.problems[0].events == (AUTHENTICATE,)


def test_a_method_or_a_class_is_none(shelf):
    assert problems(shelf, "class A:\n    @authenticate\n    def who(self, hello: Hello): ...\n") == [
        "plugs/auth.py:3: `A.who`: a method can't be marked: mark a function of the module"
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("_auth.py", "a file or folder whose name begins with `_` is a helper and holds no events"),
        ("auth/__init__.py", "`__init__.py` holds no events: move it to a file beside it"),
    ],
)
def test_a_helper_holds_none(shelf, name, said):
    shelf.write("uses.py", "import plugs._auth\n" if name == "_auth.py" else "")
    assert problems(shelf, WHO, name) == [f"plugs/{name}:4: `who`: {said}"]


def test_two_in_a_folder_name_each_other(shelf):
    shelf.write("other.py", WHO, head=HEAD)
    assert problems(shelf, WHO) == [
        "plugs/auth.py:4: @authenticate stands here and at plugs/other.py:4: a folder has one, remove the other",
        "plugs/other.py:4: @authenticate stands here and at plugs/auth.py:4: a folder has one, remove the other",
    ]
    assert shelf.events == []
    assert {problem.events for problem in shelf.loader.problems} == {(AUTHENTICATE,)}


def test_a_second_one_changes_nothing(shelf):
    problems(shelf, WHO)
    assert problems(shelf, WHO, "other.py") == [
        "plugs/other.py:4: @authenticate stands here and at plugs/auth.py:4: a folder has one, remove the other"
    ]
    assert place(shelf) == "plugs/auth.py:4"


@pytest.mark.parametrize("second", ["who", "whoever"])
def test_two_in_a_file_name_each_other(shelf, second):
    (said, *_) = problems(shelf, WHO + WHO.replace("who(", f"{second}("))
    assert "@authenticate stands here and at plugs/auth.py:" in said


def test_one_that_moves_to_another_file_is_one_move(shelf):
    path = shelf.write("auth.py", WHO, head=HEAD)
    shelf.swap()
    path.unlink()
    shelf.write("who.py", WHO, head=HEAD)
    look = shelf.swap()
    assert [sorted(group.modules) for group in look.groups] == [["plugs.auth", "plugs.who"]]
    assert (shelf.loader.problems, place(shelf)) == ((), "plugs/who.py:4")


def test_that_of_a_default_plug_gives_way_and_comes_back(make_shelf, tmp_path):
    shelf = with_defaults(make_shelf, tmp_path)
    shelf.swap()
    assert place(shelf).endswith("default/tokens.py:4")
    mine = shelf.write("auth.py", WHO, head=HEAD)
    shelf.swap()
    assert (shelf.loader.problems, place(shelf).endswith("plugs/auth.py:4")) == ((), True)
    mine.unlink()
    shelf.look()
    shelf.swap(after_s=1.1)
    assert place(shelf).endswith("default/tokens.py:4")


def test_one_that_breaks_stays_as_it_was(shelf):
    problems(shelf, WHO)
    problems(shelf, "@authenticate\nasync def who(hello: Hello) -> User | None:\n    retrun None\n")
    assert shelf.loader.problems[0].events == (AUTHENTICATE,)
    assert shelf.call(AUTHENTICATE, b'{"hello":{"token":"word"}}') == User("ada")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("@authenticate\ndef who(): ...", {AUTHENTICATE}),
        ("@plugsock.authenticate(timeout=1.0)\ndef _who(): ...", {AUTHENTICATE}),
        ("if True:\n    @authenticate\n    def who(): ...", {AUTHENTICATE}),
        ("@authenticate\n@cached\ndef who(): ...", {AUTHENTICATE, "auth.who"}),
        ("@plug\ndef authenticate(): ...", {"auth.authenticate"}),
        ("def authenticate(): ...", set()),
    ],
)
def test_a_file_tells_without_being_run(text, claims):
    assert Source("plugs.auth", "auth.py", "auth.py", text.encode()).facts.claims == claims
