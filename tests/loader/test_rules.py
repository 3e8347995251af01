"""Rules for topics: what they may say and where, and how they move."""

import pytest

from plugsock import any_of, topic
from plugsock.errors import DeclareError
from plugsock.loader.catalog import Plug
from plugsock.loader.order import required_values
from plugsock.loader.rules import RULES, Said
from plugsock.loader.source import Folder, Source
from plugsock.model import Kind, TopicRule

HEAD = "from plugsock import any_of, on_load, plug, topic\n"

ROOMS = "@topic:room.*"


def problems(shelf, text, name="chat.py"):
    shelf.write(name, text, head=HEAD)
    shelf.swap()
    return [str(problem) for problem in shelf.loader.problems]


def announced(shelf, event=ROOMS):
    return shelf.loader.catalog[event].announcement


def place(shelf):
    return announced(shelf).place.replace("\\", "/")


def said(text):
    """What a module that says this keeps."""
    module = {"topic": topic, "any_of": any_of}
    exec(text, module)
    return module.get(RULES, [])


def refused(text):
    with pytest.raises(DeclareError) as error:
        said(text)
    return str(error.value)


def test_it_is_announced_under_a_name_that_no_client_can_write(shelf):
    assert problems(shelf, 'topic("room.*", requires="room:{*}", history=9, ttl=5, presence=True)\n') == []
    rule = announced(shelf)
    assert (rule.event, rule.kind, rule.is_hidden) == (ROOMS, Kind.TOPIC, True)
    assert rule.topic == TopicRule("room.*", history=9, ttl_s=5.0, presence=True)
    assert rule.requires == (("room:{*}",),)
    assert (rule.input, rule.output, rule.doc) == ("(history=9, ttl=5, presence=True)", "", "")
    assert (place(shelf), rule.in_thread) == ("plugs/chat.py:2", False)
    assert len(rule.revision) == 8


def test_it_needs_no_more_than_a_pattern(shelf):
    assert problems(shelf, 'topic("lobby")\n') == []
    rule = announced(shelf, "@topic:lobby")
    assert rule.topic == TopicRule("lobby", history=0, ttl_s=60.0, presence=False)
    assert (rule.requires, rule.input) == ((), "()")


def test_a_file_may_say_several_beside_its_plugs(shelf):
    text = """
    if True:
        topic("room.*")
    for name in ("a", "b"):
        topic(
            name,
        )
    @plug
    def send(): ...
    """
    assert problems(shelf, text) == []
    assert shelf.events == ["@topic:a", "@topic:b", ROOMS, "chat.send"]
    assert announced(shelf, "@topic:b").place.endswith(":6")


@pytest.mark.parametrize("pattern", ["room.*", "orders:*", "files/*", "*", "lobby", "a.b:c/d-e_f", "-.*", "x" * 128])
def test_a_pattern_is_a_topic_or_what_it_begins_with(pattern):
    (rule,) = said(f"topic({pattern!r})")
    assert rule == Said(TopicRule(pattern), (), 1)


@pytest.mark.parametrize(
    "pattern",
    ["", "-", "room*", "*.room", "room.*.x", "room.**", "a b", "@room", "ä", "**", "x" * 129, 3, None],
)
def test_what_is_no_pattern_is_refused(pattern):
    assert refused(f"topic({pattern!r})") == (
        f"topic({pattern!r}) must name a topic (1 to 128 of A-Z a-z 0-9 _ . : / -, and not just -) or all that begin "
        'so: "room.*", "orders:*", "files/*", "*"'
    )


def test_a_generator_is_no_place_for_one():
    assert "a `for` loop says several" in refused("list(topic(name) for name in ('a', 'b'))")


def test_it_marks_no_function():
    assert refused("@topic\ndef chat(): ...\n").startswith("topic marks no function: it is said by itself")


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("history=-1", "history=-1 must be a whole number from 0 to 100000"),
        ("history=100_001", "history=100001 must be"),
        ("history=True", "history=True must be"),
        ("history=1.5", "history=1.5 must be"),
        ("history=None", "history=None must be"),
        ("ttl=0", "ttl=0 must be more than 0 and at most 86400 seconds"),
        ("ttl=86_401", "ttl=86401 must be"),
        ("ttl=True", "ttl=True must be"),
        ("ttl=float('nan')", "ttl=nan must be"),
        ("ttl=None", "ttl=None must be"),
        ("presence=1", "presence=1 must be True or False"),
        ("requires=''", "requires='' must be made of permissions"),
        ("requires='room.*'", "requires='room.*' must name what is needed in full"),
        ("requires='room:{*}{*}'", "must name what is needed in full"),
        ("requires='room:{name}'", "names a field, and who joins a topic sends none"),
        ("requires=['chat', any_of('room:{*}', 'room:{name}')]", "names a field, and who joins a topic sends none"),
    ],
)
def test_what_can_not_be_said_is_refused_where_it_is_said(option, wrong):
    assert wrong in refused(f"topic('room.*', {option})")


def test_a_star_stands_for_what_the_pattern_has():
    assert said("topic('room.*', requires=['chat', any_of('room.read:{*}', 'admin')])")[0].requires == (
        ("chat",),
        ("room.read:{*}", "admin"),
    )
    assert refused("topic('lobby', requires='room:{*}')") == (
        "requires='room:{*}' has {*} in it, and 'lobby' has no `*` that it could stand for"
    )


@pytest.mark.parametrize(
    "text",
    [
        "def rules():\n    topic('room.*')\nrules()\n",
        "class Rules:\n    topic('room.*')\n",
        "@on_load\ndef loaded():\n    topic('room.*')\n",
        "(lambda: topic('room.*'))()\n",
    ],
    ids=["function", "class", "on_load", "lambda"],
)
def test_it_stands_at_the_top_level(shelf, text):
    (problem,) = problems(shelf, text)
    assert problem.endswith(
        "topic('room.*') must stand at the top level of a plug file, not in a function, class or comprehension: "
        "a `for` loop says several"
    )
    assert shelf.events == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("_chat.py", "a file or folder whose name begins with `_` is a helper and holds no events"),
        ("chat/__init__.py", "`__init__.py` holds no events: move it to a file beside it"),
    ],
)
def test_a_helper_holds_none(shelf, name, wrong):
    shelf.write("uses.py", "import plugs._chat\n" if name == "_chat.py" else "")
    assert problems(shelf, "topic('room.*')\n", name) == [f"plugs/{name}:2: topic('room.*'): {wrong}"]


def test_two_in_a_folder_name_each_other(shelf):
    shelf.write("other.py", "topic('room.*', history=1)\n", head=HEAD)
    assert problems(shelf, "topic('room.*')\n") == [
        "plugs/chat.py:2: topic('room.*') stands here and at plugs/other.py:2: a pattern has one rule, remove the other",
        "plugs/other.py:2: topic('room.*') stands here and at plugs/chat.py:2: a pattern has one rule, remove the other",
    ]
    assert shelf.events == []
    assert {problem.events for problem in shelf.loader.problems} == {(ROOMS,)}


def test_two_in_a_file_name_each_other(shelf):
    (first, second) = problems(shelf, "topic('room.*')\ntopic('room.*')\n")
    assert first.startswith("plugs/chat.py:2: topic('room.*') stands here and at plugs/chat.py:3")
    assert second.startswith("plugs/chat.py:3: topic('room.*') stands here and at plugs/chat.py:2")


@pytest.mark.parametrize("pattern", ["'room.*'", "'room.' + '*'"], ids=["in the text", "made when it runs"])
def test_a_second_one_changes_nothing(shelf, pattern):
    problems(shelf, "topic('room.*')\n")
    assert problems(shelf, f"topic({pattern})\n", "other.py") == [
        "plugs/other.py:2: topic('room.*') stands here and at plugs/chat.py:2: a pattern has one rule, remove the other"
    ]
    assert place(shelf) == "plugs/chat.py:2"


@pytest.mark.parametrize("pattern", ["'room.*'", "'room.' + '*'"], ids=["in the text", "made when it runs"])
def test_one_that_moves_to_another_file_is_one_move(shelf, pattern):
    path = shelf.write("chat.py", f"topic({pattern})\n", head=HEAD)
    shelf.swap()
    path.unlink()
    shelf.write("rooms.py", f"\ntopic({pattern})\n", head=HEAD)
    shelf.swap()
    shelf.swap(after_s=1.1)
    assert (shelf.loader.problems, place(shelf)) == ((), "plugs/rooms.py:3")


def test_one_that_is_cut_from_a_file_and_pasted_into_another_is_one_move(shelf):
    shelf.write("chat.py", "topic('room.*')\n@plug\ndef send(): ...\n", head=HEAD)
    shelf.swap()
    shelf.write("chat.py", "@plug\ndef send(): ...\n", head=HEAD)
    shelf.write("rooms.py", "topic('room.*')\n", head=HEAD)
    look = shelf.swap()
    assert [sorted(group.modules) for group in look.groups] == [["plugs.chat", "plugs.rooms"]]
    assert (shelf.loader.problems, place(shelf)) == ((), "plugs/rooms.py:2")


def test_one_that_is_deleted_is_gone(shelf):
    problems(shelf, "topic('room.*')\n@plug\ndef send(): ...\n")
    shelf.write("chat.py", "@plug\ndef send(): ...\n", head=HEAD)
    (group,) = shelf.swap().groups
    assert (group.gone, shelf.events) == ((ROOMS,), ["chat.send"])


@pytest.mark.parametrize("broken", ["topic('room.*', history=2)\nretrun\n", "topic('room.*', history=-2)\n"])
def test_one_whose_file_breaks_stays_as_it_was(shelf, broken):
    problems(shelf, "topic('room.*', history=1)\n")
    assert len(problems(shelf, broken)) == 1
    assert shelf.loader.problems[0].events == (ROOMS,)
    assert announced(shelf).topic.history == 1


def test_one_of_a_default_plug_gives_way(make_shelf, tmp_path):
    default = tmp_path / "default"
    default.mkdir()
    (default / "rooms.py").write_text(f"{HEAD}topic('room.*', history=1)\n")
    shelf = make_shelf(folders=[Folder(tmp_path / "plugs"), Folder(default, "plugsock_embedded", "embedded")])
    shelf.swap()
    assert announced(shelf).origin == "embedded"
    problems(shelf, "topic('room.*', history=2)\n")
    assert (announced(shelf).origin, announced(shelf).topic.history) == ("folder", 2)


def test_each_save_says_it_anew(shelf):
    problems(shelf, "topic('room.*', history=1)\n")
    problems(shelf, "topic('room.*', history=2)\n")
    assert (shelf.loader.problems, announced(shelf).topic.history) == ((), 2)


def test_what_it_requires_names_no_field_of_a_payload(shelf):
    problems(shelf, "topic('room.*', requires='room:{*}')\n")
    assert required_values(shelf.loader.catalog[ROOMS].signature, (("room:{*}",),)) == {}


def test_its_function_stands_for_none(shelf):
    problems(shelf, "topic('room.*')\n")
    assert isinstance(shelf.loader.catalog[ROOMS], Plug)
    assert shelf.call(ROOMS) is None


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("topic('room.*')", {ROOMS}),
        ("plugsock.topic('room.*', history=1)", {ROOMS}),
        ("if True:\n    topic('room.*')\nelse:\n    topic('lobby')", {ROOMS, "@topic:lobby"}),
        ("topic(name)", set()),
        ("topic()", set()),
        ("other('room.*')", set()),
        ("def topic(): ...", set()),
        ("def rules():\n    topic('room.*')", set()),
    ],
)
def test_a_file_tells_without_being_run(text, claims):
    assert Source("plugs.chat", "chat.py", "chat.py", text.encode()).facts.claims == claims


def test_a_helper_tells_none():
    assert Source("plugs._chat", "_chat.py", "_chat.py", b"topic('room.*')", is_helper=True).facts.claims == set()
