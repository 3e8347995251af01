import msgspec
import pytest

from plugsock.loader.catalog import Plug
from plugsock.model import Kind, TopicRule
from plugsock.worker.table import Table
from support.working import REVISION, plug_of


def at(revision: str) -> Plug:
    async def it() -> str:
        return revision

    plug = plug_of(it)
    return msgspec.structs.replace(plug, announcement=msgspec.structs.replace(plug.announcement, revision=revision))


@pytest.fixture
def table() -> Table:
    table = Table(1000, dev=False)
    table.commit(1, [at("a")], [])
    return table


def served(table: Table) -> set[tuple[str, str]]:
    return {(event, revision) for revision, events in table.serving.items() for event in events}


def test_a_replaced_revision_is_served_until_it_is_retired(table):
    table.commit(2, [at("b")], [])
    assert served(table) == {("it", "a"), ("it", "b")}
    table.retire(2)
    assert served(table) == {("it", "b")}


def test_a_removed_event_is_served_until_it_is_retired(table):
    table.commit(2, [], ["it"])
    assert served(table) == {("it", "a")}
    table.retire(2)
    assert table.serving == {}


def test_retiring_what_replaced_nothing_changes_nothing(table):
    table.retire(1)
    table.retire(7)
    assert served(table) == {("it", "a")}


def test_a_revision_that_comes_back_before_it_is_retired_stays(table):
    table.commit(2, [at("b")], [])
    again = at("a")
    table.commit(3, [again], [])
    table.retire(2)
    assert table.serving["a"]["it"].plug is again
    table.retire(3)
    assert served(table) == {("it", "a")}


def test_stages_may_be_retired_in_any_order(table):
    table.commit(2, [at("b")], [])
    table.commit(3, [at("c")], [])
    table.retire(3)
    assert served(table) == {("it", "a"), ("it", "c")}
    table.retire(2)
    assert served(table) == {("it", "c")}


def test_the_same_revision_loaded_anew_replaces_itself(table):
    again = at("a")
    table.commit(2, [again], [])
    table.retire(2)
    assert table.serving["a"]["it"].plug is again


@pytest.mark.parametrize(
    ("read", "is_common"),
    [
        ({}, True),
        ({"order": "socket"}, True),
        ({"order": "user"}, True),
        ({"requires": (("a",), ("b", "c"))}, True),
        ({"order": "{room}"}, False),
        ({"requires": (("a",), ("b", "c:{room}"))}, False),
    ],
    ids=str,
)
def test_only_what_the_gateway_reads_of_payloads_is_compared(read, is_common):
    async def enter(room: str) -> None: ...

    table = Table(1000, dev=False)
    table.commit(1, [plug_of(enter, **read)], [])
    plug = table.serving[REVISION]["enter"]
    assert plug.is_common is is_common
    assert (plug.differs is None) is is_common


def test_a_rule_for_topics_and_what_follows_a_moment_come_and_go_like_any_event(table):
    def ruled() -> None:
        raise AssertionError

    rule, hook = (
        msgspec.structs.replace(
            plug_of(ruled), announcement=msgspec.structs.replace(plug_of(ruled).announcement, **said)
        )
        for said in (
            {"event": "@topic:room.*", "kind": Kind.TOPIC, "topic": TopicRule("room.*")},
            {"event": "@on_join:chat.joined", "kind": Kind.MOMENT},
        )
    )
    table.commit(2, [rule, hook], [])
    assert served(table) == {("it", "a"), ("@topic:room.*", REVISION), ("@on_join:chat.joined", REVISION)}
    table.commit(3, [], ["@topic:room.*", "@on_join:chat.joined"])
    table.retire(3)
    assert served(table) == {("it", "a")}
