"""Views: what they may look like and say, and whom they run for."""

import pytest
from msgspec import structs

from plugsock import plug, view
from plugsock.errors import DeclareError
from plugsock.loader.order import required_values
from plugsock.loader.signature import audience, read
from plugsock.loader.source import Source
from plugsock.model import Kind, Watching

HEAD = (
    "from collections.abc import AsyncIterator, Iterator\nfrom plugsock import Server, Socket, User, blocking, view\n"
)

SUMMARY = """
@view(on="orders")
async def summary(day: int = 1) -> list[int]:
    '''What came in.'''
    return [day]
"""


def problems(shelf, text, name="sales.py"):
    shelf.write(name, text, head=HEAD)
    shelf.swap()
    return [str(problem) for problem in shelf.loader.problems]


def announced(shelf, event="sales.summary"):
    return shelf.loader.catalog[event].announcement


def test_it_is_announced_as_a_view(shelf):
    assert problems(shelf, SUMMARY) == []
    said = announced(shelf)
    assert (said.kind, said.idempotent, said.is_hidden) == (Kind.VIEW, True, False)
    assert (said.input, said.output, said.doc) == ("(day: int = 1)", "list[int]", "What came in.")
    assert said.view == Watching(audience="everybody", on=("orders",))
    assert shelf.call("sales.summary", b'{"day":3}') == [3]


def test_everything_that_it_says_is_announced(shelf):
    said = (
        '@view(requires="sales.read:{shop}", on=["orders", "shops/7"], every=2, throttle=0.5, timeout=3, worker="big")'
    )
    assert problems(shelf, f"{said}\ndef summary(shop: str):\n    return 1\n") == []
    said = announced(shelf)
    assert said.view == Watching("everybody", ("orders", "shops/7"), 2.0, 0.5)
    assert (said.requires, said.timeout, said.worker) == ((("sales.read:{shop}",),), 3.0, "big")
    assert said.in_thread


def test_it_can_be_marked_without_parentheses(shelf):
    assert problems(shelf, "@view\ndef summary() -> int: return 1\n") == []
    assert announced(shelf).view == Watching()


@pytest.mark.parametrize(
    ("takes", "runs_for"),
    [
        ("", "everybody"),
        ("server: Server", "everybody"),
        ("user: User", "user"),
        ("user: User | None, server: Server", "user"),
        ("socket: Socket", "socket"),
        ("user: User, day: int, socket: Socket", "socket"),
    ],
)
def test_its_parameters_say_whom_it_runs_for(shelf, takes, runs_for):
    assert problems(shelf, f"@view\nasync def summary({takes}) -> int: return 1\n") == []
    assert announced(shelf).view.audience == runs_for


def test_a_plug_and_a_view_of_the_same_types_have_other_shapes():
    async def it(day: int) -> int: ...

    assert read(it, "it").shape != read(it, "it", is_view=True).shape
    assert audience(read(it, "it", is_view=True)) == "everybody"


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("async def summary() -> AsyncIterator[int]: yield 1", "a view has one value at a time"),
        ("def summary() -> Iterator[int]: yield 1", "a view has one value at a time"),
        ("def summary() -> Iterator[int]: ...", "it says `-> Iterator[int]`, a stream, but has no `yield`"),
        ("def summary(server: Server): ...", "it takes `plugsock.blocking.Server`"),
        ("async def summary(server: blocking.Server): ...", "an `async def` takes `plugsock.Server`"),
        ("def _summary(): ...", "a name that begins with `_` is private and can't answer an event"),
        ("def summary(*days): ...", "can't take *args or **kwargs"),
    ],
)
def test_what_can_not_be_watched_is_refused(shelf, declared, said):
    (problem,) = problems(shelf, f"@view\n{declared}\n")
    assert problem.startswith("plugs/sales.py:4: `")
    assert said in problem


def test_a_permission_may_name_a_field_that_every_payload_has():
    @view(requires="sales.read:{shop}")
    def it(shop: str): ...

    @view(requires="sales.read:{store}")
    def other(shop: str): ...

    assert list(required_values(read(it, "it", is_view=True), it.__plugsock__.requires)) == ["shop"]
    with pytest.raises(DeclareError, match="names no field of the payload: there is `shop`"):
        required_values(read(other, "it", is_view=True), other.__plugsock__.requires)


@pytest.mark.parametrize(
    ("on", "kept"),
    [
        ("orders", ("orders",)),
        ("orders/42", ("orders/42",)),
        ("orders/*", ("orders/*",)),
        (["orders", "shops", "orders"], ("orders", "shops")),
        (("a.b:c-d_e",), ("a.b:c-d_e",)),
        ("x" * 256, ("x" * 256,)),
        (None, ()),
    ],
)
def test_it_depends_on_keys(on, kept):
    @view(on=on)
    def it(): ...

    assert it.__plugsock__.view.on == kept


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"on": ""}, "on='' must be made of keys of A-Z a-z 0-9 _ . : - with / between the parts"),
        ({"on": "orders/"}, "must be made of keys"),
        ({"on": "orders/*/open"}, "must be made of keys"),
        ({"on": "*"}, "must be made of keys"),
        ({"on": "@members/room"}, "must be made of keys"),
        ({"on": "x" * 257}, "256 characters at most"),
        ({"on": ["orders", "a b"]}, r"on=\['orders', 'a b'\] must be made of keys"),
        ({"on": "orders/{shop}"}, r'server\.reads\(f"orders/\{shop\}"\)'),
        ({"on": []}, r"on=\[\] names no key: leave it out"),
        ({"on": 3}, 'on=3 must be a key as "orders", or a list of them'),
        ({"on": ["orders", None]}, "must be a key"),
        ({"every": 0}, "every=0 must be 0.1 to 86400 seconds"),
        ({"every": 0.09}, "every=0.09 must be"),
        ({"every": True}, "every=True must be"),
        ({"every": "1"}, "every='1' must be"),
        ({"every": float("nan")}, "every=nan must be"),
        ({"every": float("inf")}, "every=inf must be"),
        ({"throttle": -1}, "throttle=-1 must be 0 to 3600 seconds"),
        ({"throttle": 3601}, "throttle=3601 must be"),
        ({"throttle": None}, "throttle=None must be"),
        ({"timeout": 0}, "timeout=0 must be more than 0"),
        ({"worker": "B"}, "worker='B' must be a name"),
        ({"requires": "a b"}, "requires='a b' must be made of permissions"),
        ({"requires": "a.{*}"}, "only in a rule for topics is there a `\\*`"),
    ],
)
def test_what_can_not_be_said_is_refused_where_it_is_said(option, said):
    with pytest.raises(DeclareError, match=said):
        view(**option)


@pytest.mark.parametrize("option", ["order", "idempotent"])
def test_it_has_no_order_and_always_is_idempotent(option):
    with pytest.raises(TypeError, match=option):
        view(**{option: True})


def test_a_function_is_a_plug_or_a_view():
    with pytest.raises(DeclareError, match="can't be marked both @view and @plug: make two of it"):

        @view
        @plug
        def it(): ...


def test_a_file_tells_its_views_without_being_run():
    text = b"import plugsock\n@plugsock.view(on='orders')\ndef summary(): ...\n@view\ndef _private(): ...\n"
    assert Source("plugs.sales", "sales.py", "sales.py", text).facts.claims == {"sales.summary"}


def test_one_that_moves_to_another_file_is_one_move(shelf):
    path = shelf.write("sales.py", SUMMARY, head=HEAD)
    shelf.swap()
    path.unlink()
    shelf.write("sales/summary.py", SUMMARY, head=HEAD)
    look = shelf.swap()
    assert [sorted(group.modules) for group in look.groups] == [["plugs.sales", "plugs.sales.summary"]]
    assert announced(shelf).place.replace("\\", "/") == "plugs/sales/summary.py:5"


def test_one_whose_file_breaks_stays_as_it_was(shelf):
    problems(shelf, SUMMARY)
    before = announced(shelf)
    assert len(problems(shelf, SUMMARY + "retrun\n")) == 1
    assert announced(shelf) == before


def test_what_it_depends_on_is_new_with_its_file(shelf):
    problems(shelf, SUMMARY)
    before = announced(shelf)
    problems(shelf, SUMMARY.replace('"orders"', '"orders", every=1'))
    assert announced(shelf).view == structs.replace(before.view, every_s=1.0)
    assert announced(shelf).revision != before.revision


def test_it_is_handed_what_it_takes(shelf):
    problems(shelf, "@view\ndef summary(server: blocking.Server, user: User | None): return [server, user]\n")
    assert shelf.call("sales.summary", server="s", user=None) == ["s", None]


def test_a_key_that_is_not_named_is_told_how_it_is(shelf):
    assert problems(shelf, '@view("orders")\ndef summary(): ...\n') == [
        'plugs/sales.py:3: @view marks functions, not str: options have names, as @view(on="orders")'
    ]


def test_a_class_is_refused_where_it_is_marked(shelf):
    assert problems(shelf, "@view\nclass Summary: ...\n") == ["plugs/sales.py:3: @view marks functions, not classes"]
