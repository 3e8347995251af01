"""The functions that follow what happens to a socket."""

import pytest

from plugsock import authenticate, on_connect, on_disconnect, on_join, on_leave, on_load, plug, view
from plugsock.errors import DeclareError
from plugsock.loader.source import Source
from plugsock.model import MOMENTS, Kind

HEAD = (
    "from plugsock import Server, Socket, User, blocking, on_connect, on_disconnect, on_join, on_leave, on_load, plug\n"
)

JOINED = """
@on_join
async def joined(topic: str) -> None:
    '''Somebody has come.'''
    return topic
"""


def problems(shelf, text, name="chat.py"):
    shelf.write(name, text, head=HEAD)
    shelf.swap()
    return [str(problem) for problem in shelf.loader.problems]


def test_it_is_announced_under_a_name_that_no_client_can_write(shelf):
    assert problems(shelf, JOINED) == []
    (announced,) = [plug.announcement for plug in shelf.loader.catalog.values()]
    assert (announced.event, announced.kind) == ("@on_join:chat.joined", Kind.MOMENT)
    assert announced.is_hidden
    assert (announced.input, announced.output, announced.doc) == ("(topic: str)", "", "Somebody has come.")
    assert announced.place.replace("\\", "/") == "plugs/chat.py:4"


@pytest.mark.parametrize(
    ("takes", "shown"),
    [
        ("", "()"),
        ("topic: str", "(topic: str)"),
        ("topic", "(topic: str)"),
        ("server: Server, *, topic: 'str'", "(topic: str)"),
        ("user: User | None, socket: Socket, server: Server", "()"),
        ("socket: Socket, topic: str, user: User | None", "(topic: str)"),
    ],
)
@pytest.mark.parametrize("moment", ["on_join", "on_leave"])
def test_of_joins_and_leaves_it_may_take_the_topic(shelf, moment, takes, shown):
    assert problems(shelf, f"@{moment}\nasync def it({takes}): return locals()\n") == []
    event = f"@{moment}:chat.it"
    assert shelf.loader.catalog[event].announcement.input == shown
    told = shelf.call(event, b'{"topic":"room.1"}', socket="socket", server="server", user=None)
    assert told == {name: {"topic": "room.1", "user": None}.get(name, name) for name in told}
    assert len(told) == takes.count(",") + bool(takes) - ("*" in takes)


@pytest.mark.parametrize("moment", ["on_connect", "on_disconnect"])
def test_of_a_socket_it_may_take_who_it_is(shelf, moment):
    text = f"@{moment}\ndef it(socket: Socket, server: blocking.Server, user: User | None): return socket\n"
    assert problems(shelf, text) == []
    assert shelf.call(f"@{moment}:chat.it", socket="socket") == "socket"
    assert shelf.loader.catalog[f"@{moment}:chat.it"].announcement.in_thread


def test_with_a_user_it_is_for_those_who_have_said_who_they_are(shelf):
    assert problems(shelf, "@on_connect\ndef it(user: User): return user\n") == []
    assert shelf.loader.catalog["@on_connect:chat.it"].signature.user_required


def test_any_number_of_files_may_have_one(shelf):
    shelf.write("log.py", JOINED, head=HEAD)
    assert problems(shelf, JOINED + JOINED.replace("joined", "greeted")) == []
    assert shelf.events == ["@on_join:chat.greeted", "@on_join:chat.joined", "@on_join:log.joined"]


def test_one_function_may_follow_several_moments(shelf):
    assert problems(shelf, "@on_join\n@on_leave\ndef moved(topic: str): return topic\n") == []
    assert shelf.events == ["@on_join:chat.moved", "@on_leave:chat.moved"]
    assert shelf.call("@on_leave:chat.moved", b'{"topic":"a"}') == "a"


def test_each_of_several_moments_is_held_to_what_it_may_take(shelf):
    (said,) = problems(shelf, "@on_connect\n@on_join\ndef moved(topic: str): ...\n")
    assert said.startswith("plugs/chat.py:4: `moved`: `topic` can't be handed in: @on_connect takes a `Socket`, ")
    assert shelf.loader.problems[0].events == ("@on_connect:chat.moved", "@on_join:chat.moved")


@pytest.mark.parametrize("mark", [plug, view, authenticate, on_load])
@pytest.mark.parametrize("moment", [on_connect, on_disconnect, on_join, on_leave])
def test_what_follows_a_moment_is_nothing_else(mark, moment):
    def it(): ...

    with pytest.raises(DeclareError, match=f"both @{moment.__name__} and @{mark.__name__}: make two of it"):
        moment(mark(it))


def test_a_name_that_is_private_will_do(shelf):
    assert problems(shelf, "@on_connect\ndef _welcome(): return 1\n") == []
    assert shelf.events == ["@on_connect:chat._welcome"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("@on_join\ndef it(): yield 1", "@on_join is run, not iterated: it can't `yield`"),
        ("@on_join\nasync def it(): yield 1", "@on_join is run, not iterated: it can't `yield`"),
        ("@on_join\ndef it(room: str): ...", "`room` can't be handed in: @on_join takes `topic: str`"),
        ("@on_leave\ndef it(topic: int): ...", "`topic` can't be handed in: @on_leave takes `topic: str`"),
        ("@on_disconnect\ndef it(code: int): ...", "`code` can't be handed in: @on_disconnect takes a `Socket`"),
        ("@on_connect\ndef it(server: Server): ...", "it takes `plugsock.blocking.Server`"),
        ("@on_connect\nasync def it(server: blocking.Server): ...", "an `async def` takes `plugsock.Server`"),
        ("@on_join\ndef it(*topics): ...", "can't take *args or **kwargs"),
    ],
)
def test_what_it_can_not_take_is_refused(shelf, declared, said):
    (problem,) = problems(shelf, f"{declared}\n")
    assert problem.startswith("plugs/chat.py:3: `it`: ")
    assert said in problem


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("_chat.py", "a file or folder whose name begins with `_` is a helper and holds no events"),
        ("chat/__init__.py", "`__init__.py` holds no events: move it to a file beside it"),
    ],
)
def test_a_helper_holds_none(shelf, name, said):
    shelf.write("uses.py", "import plugs._chat\n" if name == "_chat.py" else "")
    assert problems(shelf, JOINED, name) == [f"plugs/{name}:4: `joined`: {said}"]


def test_it_marks_functions():
    with pytest.raises(DeclareError, match="@on_leave marks functions, not str"):
        on_leave("room")


def test_two_of_one_name_in_a_file_are_an_error(shelf):
    (said,) = problems(shelf, JOINED + JOINED)
    assert said.startswith("plugs/chat.py:9: 'chat.joined', marked @on_join, is defined here and at plugs/chat.py:4")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("@on_join\ndef joined(): ...", {"@on_join:chat.joined"}),
        ("@plugsock.on_connect\ndef _joined(): ...", {"@on_connect:chat._joined"}),
        ("@on_join\n@on_leave\ndef moved(): ...", {"@on_join:chat.moved", "@on_leave:chat.moved"}),
        ("@on_join\n@cached\ndef joined(): ...", {"@on_join:chat.joined", "chat.joined"}),
        ("def on_join(): ...", set()),
    ],
)
def test_a_file_tells_without_being_run(text, claims):
    assert Source("plugs.chat", "chat.py", "chat.py", text.encode()).facts.claims == claims


@pytest.mark.parametrize("moment", MOMENTS)
def test_one_that_is_deleted_is_gone(shelf, moment):
    problems(shelf, f"@{moment}\ndef it(): ...\n@plug\ndef stays(): ...\n")
    shelf.write("chat.py", "@plug\ndef stays(): ...\n")
    (group,) = shelf.swap().groups
    assert group.gone == (f"@{moment}:chat.it",)
    assert shelf.events == ["chat.stays"]


def test_one_whose_file_is_deleted_is_gone(shelf):
    path = shelf.write("chat.py", JOINED, head=HEAD)
    shelf.swap()
    path.unlink()
    shelf.look()
    (group,) = shelf.swap(after_s=1.1).groups
    assert group.gone == ("@on_join:chat.joined",)
    assert shelf.events == []


def test_one_that_breaks_stays_as_it_was(shelf):
    problems(shelf, JOINED)
    problems(shelf, JOINED.replace("return", "retrun"))
    assert shelf.loader.problems[0].events == ("@on_join:chat.joined",)
    assert shelf.call("@on_join:chat.joined", b'{"topic":"a"}') == "a"
