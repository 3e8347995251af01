"""The table that a swap replaces."""

from plugsock.gateway import routes as module
from plugsock.gateway.deadlines import Deadlines
from plugsock.gateway.routes import Routes
from plugsock.model import Kind
from plugsock.ops.ledger import Ledger
from plugsock.rpc.frames import Group
from support.scripted import announce


def table() -> Routes:
    return Routes(Deadlines(), Ledger(), timeout_s=30.0, is_mocked=lambda _: False)


def test_a_commit_is_one_new_table_and_the_old_one_stays_as_it_was():
    routes = table()
    routes.commit([Group("1", [announce("a", "r1")], [], [])])
    before = routes.by_name
    routes.commit([Group("2", [announce("a", "r2"), announce("b")], [], [])])
    assert before[b"a"].revision == "r1"
    assert set(before) == {b"a"}
    assert routes.by_name[b"a"].revision == "r2"


def test_a_plug_s_own_timeout_is_used_or_else_the_server_s():
    routes = table()
    routes.commit([Group("1", [announce("a", timeout=2.0), announce("b")], [], [])])
    assert routes.by_name[b"a"].lane.timeout_s == 2.0
    assert routes.by_name[b"b"].lane.timeout_s == 30.0


def test_counters_outlive_a_revision():
    routes = table()
    routes.commit([Group("1", [announce("a", "r1")], [], [])])
    row = routes.by_name[b"a"].row
    routes.commit([Group("2", [announce("a", "r2")], [], [])])
    assert routes.by_name[b"a"].row is row


def test_only_so_many_removed_events_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MAX_GONE", 2)
    routes = table()
    routes.commit([Group("1", [], ["a", "b", "c"], [])])
    assert [routes.is_gone(event) for event in "abc"] == [False, True, True]


def test_the_hash_of_all_shapes_changes_with_any_shape_and_with_nothing_else():
    routes = table()
    routes.commit([Group("1", [announce("a", "r1", shape="s")], [], [])])
    first = routes.shapes
    routes.commit([Group("2", [announce("a", "r2", shape="s")], [], [])])
    assert routes.shapes == first
    routes.commit([Group("3", [announce("a", "r3", shape="t")], [], [])])
    assert routes.shapes != first


HIDDEN = [
    announce("@authenticate", shape="s"),
    announce("@on_join:a", kind=Kind.MOMENT, shape="s"),
    announce("@topic:a.*", kind=Kind.TOPIC, shape="s", requires=(("a:{*}",),)),
]


def test_what_no_client_can_call_is_no_shape_and_no_change_to_them():
    routes = table()
    before = routes.shapes
    change = routes.commit([Group("1", HIDDEN, [], [])])
    assert (routes.shapes, change.changed, change.requires) == (before, [], {})
    change = routes.commit([Group("2", [], [each.event for each in HIDDEN], [])])
    assert (change.changed, change.breaking) == ([], False)
    assert {event for event, _ in change.replaced} == {each.event for each in HIDDEN}


def test_what_no_client_can_call_is_never_plain():
    routes = table()
    routes.commit([Group("1", HIDDEN, [], [])])
    assert [route.is_plain for route in routes.by_name.values()] == [False] * 3


def test_a_view_that_is_called_is_a_call():
    routes = table()
    routes.commit([Group("1", [announce("a", kind=Kind.VIEW)], [], [])])
    assert (routes.by_name[b"a"].is_plain, routes.by_name[b"a"].is_call) == (True, True)


def test_only_calls_without_a_key_are_plain():
    routes = table()
    events = [announce("a"), announce("b", order="socket"), announce("c", kind=Kind.STREAM)]
    routes.commit([Group("1", events, [], [])])
    shown = {route.event: (route.is_plain, route.is_call, bool(route.read_key)) for route in routes.by_name.values()}
    assert shown == {"a": (True, True, False), "b": (False, True, True), "c": (False, False, False)}


def test_what_was_in_force_still_runs_what_was_accepted_before_the_table_closed():
    routes = table()
    routes.commit([Group("1", [announce("a", "r1")], [], [])])
    routes.close()
    assert not routes.by_name
    assert routes.in_force("a").revision == "r1"
    assert routes.in_force("b") is None
