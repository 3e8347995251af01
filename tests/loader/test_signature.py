"""What a signature makes of payloads, results and callers."""

import functools
import inspect
import os
import subprocess
import sys

import msgspec
import pytest

from loader import signatures
from plugsock import Hello, Server, Socket, User
from plugsock.errors import DeclareError
from plugsock.loader.hidden import read_authenticator
from plugsock.loader.signature import Mode, read
from plugsock.model import Kind, Raw


def signature(name):
    return read(getattr(signatures, name), name)


def given(name, payload=b"", format=0, socket=None, server=None, user=None):
    """What the function would be called with."""
    read_one = signature(name)

    def function(*args, **kwargs):
        return args, kwargs

    handed_in = (socket, server, user) if read_one.needs else ()
    return read_one.entry(function)(read_one.bind(payload, format), *handed_in)


def test_a_function_that_takes_just_the_value_is_called_as_it_is():
    def keep(payload: Raw): ...

    assert read(keep, "keep").entry(keep) is keep


@pytest.mark.parametrize(
    ("name", "text", "result"),
    [
        ("nothing", "()", "None"),
        ("bare", "()", "Any"),
        ("one", "(name: str)", "str"),
        ("plain", "(name: str, times: int = 1)", "list[str]"),
        ("keyword", "(a: int, b: int = 2)", "int"),
        ("unannotated", "(a: Any, b: Any = 1)", "Any"),
        ("blob", "(data: bytes)", "bytes"),
        (
            "rich",
            (
                "(when: datetime, id: UUID, price: Decimal, colour: Colour = Colour.RED, "
                "mode: Literal['fast', 'slow'] = 'fast', limit: int | None = None, either: int | str = 0)"
            ),
            "dict[str, int]",
        ),
        ("nested", "(order: Order, note: str = '')", "Order"),
        ("forward", "(names: list[str], later: Order | None = None)", "Order"),
        ("hostile_default", "(thing: Any = ...)", "None"),
        ("immutable", "(pair: tuple[int, int] = (1, 2), names: frozenset[str] = frozenset({'a'}))", "tuple[int, ...]"),
        ("extra_long", f"(text: str = '{'x' * 36}...)", "None"),
        ("with_all", "(name: str)", "None"),
        ("only_socket", "()", "None"),
        ("whole", "Order(sku: str, count: int = 1)", "Order"),
        ("whole_dataclass", "Point(x: float, y: float = 0.0)", "Point"),
        ("whole_typed_dict", "Options(loud: bool = ..., times: int = ...)", "Options"),
        ("whole_optional", "Order | None", "None"),
        ("whole_generic", "Page(rows: list[T], next: int = 0)", "int"),
        ("whole_union", "Circle | Square", "float"),
        ("whole_tree", "Tree(name: str, children: list[Tree] = ...)", "Tree"),
        ("raw", "raw", "Raw"),
        ("ticks", "(n: int = 3)", "int"),
        ("ticks_generator", "()", "Order"),
        ("ticks_bare", "()", "Any"),
    ],
)
def test_the_shape_is_readable(name, text, result):
    read_one = signature(name)
    assert (read_one.input_text, read_one.output_text) == (text, result)


@pytest.mark.parametrize(
    ("name", "kind", "is_async"),
    [
        ("one", Kind.CALL, True),
        ("plain", Kind.CALL, False),
        ("ticks", Kind.STREAM, True),
        ("ticks_iterable", Kind.STREAM, True),
        ("ticks_unannotated", Kind.STREAM, True),
        ("lines", Kind.STREAM, False),
        ("lines_generator", Kind.STREAM, False),
        ("lines_iterable", Kind.STREAM, False),
    ],
)
def test_the_kind_is_the_functions(name, kind, is_async):
    read_one = signature(name)
    assert (read_one.kind, read_one.is_async) == (kind, is_async)


@pytest.mark.parametrize(
    ("name", "payload", "args", "kwargs"),
    [
        ("nothing", b"", (), {}),
        ("nothing", b"null", (), {}),
        ("nothing", b"{}", (), {}),
        ("one", b'{"name":"Ada"}', ("Ada",), {}),
        ("plain", b'{"name":"Ada"}', ("Ada", 1), {}),
        ("keyword", b'{"a":1,"b":3}', (1,), {"b": 3}),
        ("blob", b'{"data":"YQ=="}', (b"a",), {}),
        ("nested", b'{"order":{"sku":"tea"}}', (signatures.Order("tea"), ""), {}),
        ("pair", b'{"pair":[1,2]}', (signatures.Pair(1, 2),), {}),
        ("odd_names", b'{"self":1,"cls":2,"value":3,"function":4,"f0":5,"__class__":6}', (1, 2, 3, 4, 5, 6), {}),
        ("with_socket", b'{"name":"Ada"}', ("the socket", "Ada"), {}),
        ("with_all", b'{"name":"Ada"}', ("Ada", "the server"), {"user": "the user", "socket": "the socket"}),
        ("maybe_user", b"", ("the user", ""), {}),
        ("old_optional_user", b"", ("the user",), {}),
        ("whole", b'{"sku":"tea","count":2}', (signatures.Order("tea", 2),), {}),
        ("whole_dataclass", b'{"x":1}', (signatures.Point(1.0),), {}),
        ("whole_typed_dict", b'{"loud":true}', ({"loud": True},), {}),
        ("whole_optional", b"", (None,), {}),
        ("whole_optional", b"null", (None,), {}),
        ("whole_default", b"", (signatures.Order("tea"),), {}),
        ("whole_default", b"null", (signatures.Order("tea"),), {}),
        ("whole_default_none", b"", (None,), {}),
        ("whole_union", b'{"type":"square","side":2}', (signatures.Square(2.0),), {}),
        ("whole_annotated", b'{"sku":"tea"}', (signatures.Order("tea"), "the socket"), {}),
        ("whole_keyword", b'{"sku":"tea"}', (), {"order": signatures.Order("tea")}),
        ("raw", b"not { json", (b"not { json",), {}),
        ("raw", b"", (b"",), {}),
        ("raw", b"null", (b"null",), {}),
        ("ticks", b'{"n":5}', (5,), {}),
    ],
)
def test_a_payload_becomes_arguments(name, payload, args, kwargs):
    assert given(name, payload, 0, "the socket", "the server", "the user") == (args, kwargs)


@pytest.mark.parametrize("payload", [b"", b"\xc0", b"\x80"])
def test_nothing_is_nothing_in_messagepack_too(payload):
    assert given("nothing", payload, 1) == ((), {})


def test_raw_knows_its_format():
    (args, _), (other, _) = given("raw", b"x", 0), given("raw", b"x", 1)
    assert isinstance(args[0], Raw)
    assert (args[0].format, other[0].format) == ("json", "msgpack")


@pytest.mark.parametrize(
    ("name", "payload", "error"),
    [
        ("one", b'{"name":1}', "Expected `str`, got `int` - at `$.name`"),
        ("one", b"", "Object missing required field `name`"),
        ("one", b"null", "Object missing required field `name`"),
        ("one", b'{"name":"a","nmae":1}', "Object contains unknown field `nmae`"),
        ("one", b"[]", "Expected `object`, got `array`"),
        ("nothing", b'{"a":1}', "Object contains unknown field `a`"),
        ("keyword", b'{"a":"1"}', "Expected `int`, got `str` - at `$.a`"),
        ("whole", b"", "Expected `object`, got `null`"),
        ("whole", b'{"sku":"tea","count":0}', "Expected `int` >= 1 - at `$.count`"),
        ("whole_default", b"[]", "Expected `object`, got `array`"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused(name, payload, error):
    with pytest.raises(msgspec.ValidationError) as caught:
        given(name, payload)
    assert str(caught.value) == error


@pytest.mark.fault("P11")
def test_a_default_that_one_call_changes_is_new_for_the_next():
    (first, _), (second, _) = given("mutable"), given("mutable")
    first[0].append("b")
    first[1].add(1)
    first[2].x = 99
    assert second == (["a"], set(), signatures.Point(1.0))
    assert inspect.signature(signatures.mutable).parameters["tags"].default == ["a"]


@pytest.mark.fault("P11")
def test_a_whole_default_that_one_call_changes_is_new_for_the_next():
    given("whole_default")[0][0].sku = "coffee"
    assert given("whole_default")[0][0].sku == "tea"


@pytest.mark.parametrize(
    ("name", "mode", "needs", "user_required"),
    [
        ("one", Mode.FIELDS, set(), False),
        ("with_all", Mode.FIELDS, {"socket", "server", "user"}, True),
        ("maybe_user", Mode.FIELDS, {"user"}, False),
        ("whole_annotated", Mode.WHOLE, {"socket"}, False),
        ("nested", Mode.FIELDS, set(), False),
        ("raw_and_socket", Mode.RAW, {"socket"}, False),
        ("awaited_server", Mode.FIELDS, {"server"}, False),
        ("awaited_stream", Mode.FIELDS, {"server"}, False),
        ("blocked_server", Mode.FIELDS, {"server"}, False),
        ("blocked_stream", Mode.FIELDS, {"server"}, False),
    ],
)
def test_what_it_needs_is_known(name, mode, needs, user_required):
    read_one = signature(name)
    assert (read_one.mode, read_one.needs, read_one.user_required) == (mode, needs, user_required)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("positional", "`name` can't be positional-only"),
        ("star", r"can't take \*args or \*\*kwargs: give `names`"),
        ("stars", r"can't take \*args or \*\*kwargs: give `names`"),
        ("raw_mixed", "`payload: Raw` is a whole payload"),
        ("unknown_name", "annotation of `name` names 'Nowhere', which does not exist"),
        ("unknown_result", "annotation of the result names 'Nowhere', which does not exist"),
        ("foreign", "the type of `thing` can't come over the wire: Foreign is neither"),
        ("foreign_result", "the type of the result can't come over the wire: Foreign is neither"),
        ("untagged", "the type of `shape` can't come over the wire: .* must be tagged"),
        ("not_a_type", "`name`"),
        ("half_a_type", "the annotation of `name` is no type"),
        ("unknown_field", "the type of `order` names 'Nowhere' in a field, which does not exist"),
        ("no_stream", r"it says `-> AsyncIterator\[int\]`, a stream, but has no `yield`"),
        ("no_plain_stream", r"it says `-> Iterator\[int\]`, a stream, but has no `yield`"),
        ("forgotten_await", "the type of the result can't come over the wire: Awaitable"),
        ("wrong_stream", r"it yields, so it is a stream: its result is `AsyncIterator\[int\]`"),
        ("plain_stream_says_async", "it yields, so it is a stream"),
        ("server_that_blocks", "`everybody: blocking.Server` would .*: an `async def` takes `plugsock.Server`"),
        ("stream_that_blocks", "an `async def` takes `plugsock.Server`"),
        ("server_that_nobody_awaits", "can't await .* `everybody: Server`: it takes `plugsock.blocking.Server`"),
        ("stream_that_nobody_awaits", "it takes `plugsock.blocking.Server`"),
    ],
)
def test_what_can_not_work_is_said_in_a_sentence(name, error):
    with pytest.raises(DeclareError, match=error):
        signature(name)


def test_a_wrapper_that_hides_async_is_refused():
    @functools.wraps(signatures.one)
    def wrapper(*args, **kwargs):
        return signatures.one(*args, **kwargs)

    with pytest.raises(DeclareError, match="make the wrapper it returns `async def` too"):
        read(wrapper, "one")


def test_a_wrapper_has_the_signature_of_what_it_wraps():
    @functools.wraps(signatures.one)
    async def wrapper(*args, **kwargs):
        return await signatures.one(*args, **kwargs)

    assert read(wrapper, "one").input_text == "(name: str)"


@pytest.mark.parametrize(
    ("name", "may_hold_nan", "needs_key_walk"),
    [
        ("plain", False, False),
        ("bare", True, True),
        ("nested", False, False),
        ("whole_dataclass", True, False),
        ("whole_tree", False, False),
        ("rich", False, False),
        ("mutable", True, True),
        ("ticks", False, False),
    ],
)
def test_what_a_result_may_hold_is_known(name, may_hold_nan, needs_key_walk):
    read_one = signature(name)
    assert (read_one.may_hold_nan, read_one.needs_key_walk) == (may_hold_nan, needs_key_walk)


def test_the_shape_is_of_types_alone():
    def before(n: int) -> "signatures.Order":
        """Before."""

    def after(n: int) -> "signatures.Order":
        """After."""

    def other(n: str) -> "signatures.Order": ...

    shapes = [read(function, "event").shape for function in (before, after, other)]
    assert shapes[0] == shapes[1] != shapes[2]


def test_the_shape_is_the_same_in_every_process():
    script = "from loader.test_signature import signature; print(signature('rich').shape)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {signature("rich").shape}


# The one that says who somebody is; how it behaves is in test_authenticate.py.


def test_an_authenticator_takes_a_hello_whatever_that_is_called():
    async def who(shown: Hello, server: Server) -> User | None: ...

    signature = read_authenticator(who)

    assert (signature.kind, signature.is_async) == (Kind.CALL, True)
    assert signature.decode[0](b'{"hello":{"token":"word"}}')


def test_an_authenticator_is_asked_before_there_is_a_caller():
    def who(hello: Hello, socket: Socket): ...

    assert refused_authenticator(who) == (
        "`socket` can't be handed in: @authenticate is asked before there is a caller"
    )


def refused_authenticator(function):
    with pytest.raises(DeclareError) as error:
        read_authenticator(function)
    return str(error.value)


def test_an_authenticator_must_take_a_hello_and_no_other_field():
    def nothing(): ...
    def unsaid(hello): ...
    def text(hello: str): ...
    def maybe(hello: Hello | None): ...
    def default(hello: Hello = Hello()): ...  # noqa: B008
    def two(hello: Hello, other: Hello): ...
    def more(hello: Hello, realm: str = ""): ...
    def server(server: Server): ...

    for function in (nothing, unsaid, text, maybe, default, two, more, server):
        assert refused_authenticator(function) == (
            "@authenticate takes what somebody shows of themselves, as `hello: Hello`, and nothing else but a `Server`"
        )


def test_an_authenticator_answers_with_a_user():
    def text(hello: Hello) -> str: ...
    def users(hello: Hello) -> list[User]: ...

    assert refused_authenticator(text) == "@authenticate says who somebody is: its result is `User | None`, not `str`"
    assert refused_authenticator(users).endswith("not `list[User]`")


def test_an_authenticator_is_no_stream():
    def lines(hello: Hello):
        yield User("ada")

    async def ticks(hello: Hello):
        yield User("ada")

    for function in (lines, ticks):
        assert (
            refused_authenticator(function) == "@authenticate says once who somebody is: `return` it, it can't `yield`"
        )
