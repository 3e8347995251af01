"""What calls can be put in order by."""

import dataclasses
from enum import Enum
from typing import Annotated, Literal, NewType, NotRequired, TypedDict

import pytest
from msgspec import Meta, Struct

from plugsock import Raw, Socket, plug
from plugsock.errors import DeclareError
from plugsock.loader.order import order_value
from plugsock.loader.signature import read

Room = NewType("Room", str)


class Colour(Enum):
    RED = "red"


class Message(Struct, rename="kebab"):
    room_id: str
    text: str = ""


class Pair(Struct, array_like=True):
    room: str


@dataclasses.dataclass
class Move:
    game: int


class Loose(TypedDict):
    room: str
    note: NotRequired[str]


def reader(function, order):
    return order_value(read(function, "it"), order)


def read_by(function, order, payload):
    """What is read from a payload after it was bound."""
    signature = read(function, "it")
    return order_value(signature, order)(signature.bind(payload, 0))


def refused(function, order):
    with pytest.raises(DeclareError) as error:
        reader(function, order)
    return str(error.value)


@pytest.mark.parametrize("order", ["", "socket", "user"])
def test_what_names_no_field_reads_none(order):
    def it(room: str): ...

    assert reader(it, order) is None


def test_a_parameter_is_a_field():
    def it(socket: Socket, text: str, room: str): ...

    assert read_by(it, "{room}", b'{"text":"Hi","room":"tea"}') == "tea"


def test_there_may_be_text_around_the_field():
    def it(room: str): ...

    assert read_by(it, "room-{room}!", b'{"room":"tea"}') == "tea"


def test_a_field_has_the_name_that_is_sent():
    def it(message: Message): ...

    assert read_by(it, "{room-id}", b'{"room-id":"tea"}') == "tea"
    assert "there is `room-id`, `text`" in refused(it, "{room_id}")


def test_a_dataclass_and_a_typed_dict_have_fields_too():
    def play(move: Move): ...
    def say(loose: Loose): ...

    assert read_by(play, "{game}", b'{"game":7}') == 7
    assert read_by(say, "{room}", b'{"room":"tea"}') == "tea"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (str, b'"a"'),
        (int, b"1"),
        (Room, b'"a"'),
        (Annotated[str, Meta(max_length=3)], b'"a"'),
        (Annotated[int, Meta(ge=1)], b"1"),
        (Annotated[str, Meta(title="Room")], b'"a"'),
        (Literal["a", "b"], b'"a"'),
        (Literal[1, 2], b"1"),
    ],
    ids=str,
)
def test_texts_and_whole_numbers_will_do(annotation, value):
    def it(room: annotation): ...

    assert str(read_by(it, "{room}", b'{"room":' + value + b"}")) == value.decode().strip('"')


@pytest.mark.parametrize(
    "annotation", [float, bool, str | None, list[str], Colour, Literal["a"] | None, bytes], ids=str
)
def test_nothing_else_will(annotation):
    def it(room: annotation, more: int): ...

    assert refused(it, "{room}") == (
        "order='{room}' needs a field that is a text or a whole number: make `room` str or int"
    )


def test_a_field_that_does_not_exist_is_refused_with_those_that_do():
    def it(room: str, text: str): ...
    def nothing(): ...

    assert refused(it, "{rom}") == "order='{rom}' names no field of the payload: there is `room`, `text`"
    assert refused(nothing, "{room}") == "order='{room}' names no field of the payload: there is none"


def test_a_field_that_may_be_left_out_is_refused():
    def it(text: str, room: str = "lobby"): ...
    def say(loose: Loose): ...
    def whole(message: Message = Message("lobby")): ...  # noqa: B008

    said = "needs a field that every payload has"
    assert refused(it, "{room}") == f"order='{{room}}' {said}: `room` must have no default"
    assert said in refused(say, "{note}")
    assert said in refused(whole, "{room-id}")


@pytest.mark.parametrize("annotation", [Raw, Message | None, Pair], ids=str)
def test_a_payload_without_fields_is_refused(annotation):
    def it(payload: annotation): ...

    assert refused(it, "{room}").endswith("take them as parameters, or as one Struct that is an object")


@pytest.mark.parametrize("order", ["", "sockets", "{}", "{a}{b}", "{a", "a}", "{{a}}", "room", 3, b"{room}"])
def test_an_order_of_another_form_is_refused_where_it_is_said(order):
    with pytest.raises(DeclareError, match='must be "socket", "user", or a text with one field'):
        plug(order=order)


@pytest.mark.parametrize("worker", ["", "Reports", "1st", "a b", "a" * 33, "réports", 3, "a\n"])
def test_a_name_of_workers_that_nobody_could_type_is_refused_where_it_is_said(worker):
    with pytest.raises(DeclareError, match="must be a name of a-z, 0-9, - and _"):
        plug(worker=worker)


def test_both_are_announced(make_shelf):
    shelf = make_shelf()
    shelf.write("a.py", "@plug(order='room-{room}', worker='reports-2')\nasync def a(room: str): ...\n")
    shelf.swap()
    announced = shelf.loader.catalog["a"].announcement
    assert (announced.order, announced.worker) == ("room-{room}", "reports-2")


def test_by_default_there_is_neither(make_shelf):
    shelf = make_shelf()
    shelf.plug("a.py", 1)
    shelf.swap()
    announced = shelf.loader.catalog["a"].announcement
    assert (announced.order, announced.worker) == ("", "")


def test_an_order_that_can_not_be_is_a_problem_of_its_line(make_shelf):
    shelf = make_shelf()
    shelf.write("a.py", "\n@plug(order='{rom}')\nasync def a(room: str): ...\n")
    shelf.swap()
    assert [str(problem) for problem in shelf.loader.problems] == [
        "plugs/a.py:4: `a`: order='{rom}' names no field of the payload: there is `room`"
    ]


def test_it_is_announced_what_runs_in_a_thread(make_shelf):
    shelf = make_shelf()
    shelf.write(
        "a.py",
        "@plug\ndef plain():\n    return 1\n@plug\nasync def on_loop():\n    return 1\n"
        "@plug\ndef stream():\n    yield 1\n@plug\nasync def async_stream():\n    yield 1\n",
    )
    shelf.swap()
    in_thread = {event for event, plug in shelf.loader.catalog.items() if plug.announcement.in_thread}
    assert in_thread == {"a.plain", "a.stream"}
