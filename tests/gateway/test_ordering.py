"""Calls with the same key run one after the other, and everything else about them is as about any call."""

import asyncio
import itertools
import json
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.gateway import ordering
from plugsock.gateway.deputy import Deputy
from plugsock.gateway.drain import Drain
from plugsock.gateway.ordering import key_reader
from plugsock.gateway.refusal import Refused
from plugsock.model import JSON, MSGPACK, Kind, User
from support.identified import guarded, reader
from support.scripted import Client, Stage, announce


class Rooms(Stage):
    """One event that is kept in order by room, and a client who calls it."""

    def __init__(self, order: str = "{room}", revision: str = "r1", **more: object) -> None:
        super().__init__(announce("say", revision, order=order, **more))

    def started(self) -> list[str]:
        """What the worker has been given, by what each says."""
        return [msgspec.json.decode(call.payload)["text"] for call in self.link.calls]

    def cancelled(self) -> list[int]:
        return [said[1] for said in self.link.said if said[0] == "cancel"]

    async def end(self, number: int) -> None:
        """Let the worker answer the call that it was given as the nth, and whoever waits begin."""
        self.answer(self.link.calls[number])
        await asyncio.sleep(0)


def say(client: Client, id: int, text: str, room: object = "kitchen") -> None:
    client.say(f"call {id} say " + json.dumps({"room": room, "text": text}))


async def test_of_calls_with_one_key_each_waits_for_the_one_before():
    stage = Rooms()
    client = stage.client()
    for id, text in enumerate("abc", 1):
        say(client, id, text)
    assert stage.started() == ["a"]
    await stage.end(0)
    assert stage.started() == ["a", "b"]
    await stage.end(1)
    await stage.end(2)
    assert client.heard() == ["ok 1 null", "ok 2 null", "ok 3 null"]
    assert not stage.gateway.calls.by_sequence


async def test_calls_with_different_keys_do_not_wait_for_each_other():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a", "kitchen")
    say(client, 2, "b", "cellar")
    say(client, 3, "c", "kitchen")
    assert stage.started() == ["a", "b"]
    assert [call.order for call in stage.link.calls] == ["kitchen", "cellar"]


async def test_a_key_is_shared_by_all_sockets():
    stage = Rooms()
    one, other = stage.client(), stage.client()
    say(one, 1, "a")
    say(other, 1, "b")
    assert stage.started() == ["a"]
    await stage.end(0)
    assert stage.started() == ["a", "b"]


async def test_a_key_is_an_event_s_own():
    stage = Stage(announce("say", order="{room}"), announce("draw", order="{room}"))
    client = stage.client()
    client.say('call 1 say {"room":"kitchen"}')
    client.say('call 2 draw {"room":"kitchen"}')
    assert [call.event for call in stage.link.calls] == ["say", "draw"]


@pytest.mark.parametrize("order", ["socket", "user"])
async def test_the_calls_of_one_socket_can_be_kept_in_order(order):
    stage = Rooms(order)
    one, other = stage.client(), stage.client()
    say(one, 1, "a", "kitchen")
    say(one, 2, "b", "cellar")
    say(other, 1, "c", "kitchen")
    assert stage.started() == ["a", "c"]
    assert stage.link.calls[0].order != stage.link.calls[1].order


async def test_the_calls_of_one_user_are_kept_in_order_whatever_sockets_they_come_over():
    stage = guarded(announce("say", order="user"))
    one, two, other = reader(stage), reader(stage), reader(stage, "bob")
    say(one, 2, "a")
    say(two, 2, "b")
    say(other, 2, "c")
    assert [msgspec.json.decode(call.payload)["text"] for call in stage.link.calls] == ["a", "c"]
    stage.answer(stage.link.calls[0])
    await asyncio.sleep(0)
    assert msgspec.json.decode(stage.link.calls[-1].payload)["text"] == "b"


def test_no_user_has_the_key_of_a_socket_whatever_its_id_is():
    read, stranger, user = key_reader("user"), Deputy(print, "s1"), Deputy(print, "s2")
    for id in ("s1", "socket s1", read(stranger, b"", JSON)):
        user.user = User(id)
        assert read(user, b"", JSON) != read(stranger, b"", JSON)


async def test_messagepack_and_json_name_the_same_key():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a", 7)
    client.say(b"call 2 say " + msgspec.msgpack.encode({"text": "b", "room": "7"}), binary=True)
    assert stage.started() == ["a"]


async def test_an_empty_key_is_a_key():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a", "")
    say(client, 2, "b", "")
    assert stage.started() == ["a"]
    await stage.end(0)
    assert stage.started() == ["a", "b"]


@pytest.mark.parametrize("payload", ["", "{}", '{"room":[1]}', '{"room":1.5}', '{"room":null}', "{", "[]"])
async def test_a_payload_without_a_readable_key_is_refused_and_says_where(payload):
    stage = Rooms()
    client = stage.client()
    client.say(f"call 1 say {payload}")
    [frame] = client.heard()
    fault = json.loads(frame.removeprefix("error 1 "))
    assert (fault["code"], fault["path"]) == ("bad_payload", "$.room")
    assert "`$" not in fault["message"]
    assert not stage.link.calls
    assert stage.gateway.ledger.read()["say"]["failed"] == 1


async def test_an_id_that_was_refused_is_used_up():
    stage = Rooms()
    client = stage.client()
    client.hello()
    client.say("call 2 say {}")
    say(client, 2, "a")
    assert client.faults() == [("2", "bad_payload"), ("0", "bad_frame")]


@pytest.mark.parametrize("read", [key_reader("in-{room}"), key_reader("{room}")])
def test_keys_are_read_in_both_formats(read):
    caller = Deputy(print)
    for room in ("kitchen", 7):
        keys = {
            read(caller, msgspec.json.encode({"room": room}), JSON),
            read(caller, b"\x81\xa4room" + packed(room), MSGPACK),
        }
        assert len(keys) == 1
        assert keys.pop().endswith(str(room))


def packed(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def test_without_an_order_there_is_nothing_to_read():
    assert key_reader("") is None


def test_what_is_nested_too_deeply_has_no_key():
    with pytest.raises(Refused):
        key_reader("{room}")(Deputy(print), b'{"other":' + b"[" * 100_000, JSON)


async def test_the_key_of_a_cancelled_call_is_free_when_its_run_has_ended():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a")
    say(client, 2, "b")
    client.say("cancel 1")
    await asyncio.sleep(0)
    assert client.faults() == [("1", "cancelled")]
    [first] = stage.link.calls
    assert stage.cancelled() == [first.sequence]
    stage.gateway.ended(first.sequence)
    await asyncio.sleep(0)
    assert stage.started() == ["a", "b"]


async def test_an_answer_that_crossed_the_cancel_frees_the_key_too():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a")
    say(client, 2, "b")
    client.say("cancel 1")
    client.heard()
    await stage.end(0)
    assert stage.started() == ["a", "b"]
    assert client.heard() == []


async def test_a_call_that_timed_out_has_its_key_until_its_run_has_ended():
    stage = Rooms(timeout=0.01)
    client = stage.client()
    say(client, 1, "a")
    await client.arrival()
    say(client, 2, "b")
    assert client.faults() == [("1", "timeout")]
    assert stage.started() == ["a"]
    stage.gateway.ended(stage.link.calls[0].sequence)
    await asyncio.sleep(0)
    assert stage.started() == ["a", "b"]


async def test_that_a_run_without_a_key_has_ended_changes_nothing():
    stage = Stage(announce("a"))
    client = stage.client()
    client.say("call 1 a")
    client.say("cancel 1")
    stage.gateway.ended(stage.link.calls[0].sequence)
    stage.gateway.ended(4711)
    assert client.faults() == [("1", "cancelled")]


async def test_a_call_that_waits_is_cancelled_without_a_word_to_the_worker():
    stage = Rooms()
    client = stage.client()
    for id, text in enumerate("abc", 1):
        say(client, id, text)
    client.say("cancel 2")
    assert client.faults() == [("2", "cancelled")]
    await stage.end(0)
    assert stage.started() == ["a", "c"]
    assert stage.cancelled() == []


async def test_the_deadline_of_a_call_that_waits_runs():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a")
    client.say('call 2 say?timeout=0.05 {"room":"kitchen","text":"b"}')
    await client.arrival()
    assert client.faults() == [("2", "timeout")]
    await stage.end(0)
    assert stage.started() == ["a"]
    assert stage.cancelled() == []


async def test_calls_that_wait_go_with_their_socket_and_none_of_them_begins():
    stage = Rooms()
    one, other = stage.client(), stage.client()
    for id, text in enumerate("abc", 1):
        say(one, id, text)
    say(other, 1, "d")
    stage.link.cancel = stage.gateway.ended  # of a worker whose runs end as soon as they are told to
    one.leave()
    await asyncio.sleep(0)
    assert stage.started() == ["a", "d"]
    assert ("forget", one.peer.id) in stage.link.said


async def test_calls_that_wait_survive_their_socket_in_a_session():
    stage = Rooms()
    one = stage.client()
    welcome = one.hello()
    say(one, 2, "a")
    say(one, 3, "b")
    one.leave()
    await stage.end(0)
    assert stage.started() == ["a", "b"]
    two = stage.client()
    two.hello(resume=welcome["resume"], open={"2": 0, "3": 0})
    await stage.end(1)
    assert two.heard() == ["ok 2 null", "ok 3 null"]


async def test_calls_that_wait_count_for_the_limit_of_their_socket():
    stage = Stage(announce("say", order="{room}"), max_open=2)
    client = stage.client()
    for id in (1, 2, 3):
        say(client, id, "x")
    assert client.faults() == [("3", "limit")]


async def test_only_so_many_calls_wait_for_one_key(monkeypatch):
    monkeypatch.setattr(ordering, "MOST", 2)
    stage = Rooms()
    client = stage.client()
    for id, text in enumerate("abcd", 1):
        say(client, id, text)
    say(client, 5, "e", "cellar")
    [frame] = client.heard()
    fault = json.loads(frame.removeprefix("error 4 "))
    assert (fault["code"], fault["retry"], fault["after_ms"]) == ("overloaded", True, 1000)
    assert stage.started() == ["a", "e"]
    await stage.end(0)
    say(client, 6, "f")
    await stage.end(2)
    await stage.end(3)
    assert stage.started() == ["a", "e", "b", "c", "f"]


async def test_calls_that_nobody_waits_for_are_kept_in_order_too():
    stage = Rooms()
    client = stage.client()
    for text in "ab":
        client.say(f"call 0 say {json.dumps({'room': 'kitchen', 'text': text})}")
    client.say("call 0 say {}")
    assert stage.started() == ["a"]
    await stage.end(0)
    await stage.end(1)
    assert stage.started() == ["a", "b"]
    assert client.heard() == []
    assert not client.peer.session.calls


async def test_a_worker_that_answers_while_it_is_told_of_a_call_may_do_so_a_thousand_times():
    stage = Rooms()
    clients = [stage.client() for _ in range(10)]
    say(clients[0], 1, "first")
    for client, id in itertools.product(clients, range(2, 102)):
        say(client, id, "more")
    keep = stage.link.call
    stage.link.call = lambda call: (keep(call), stage.answer(call))
    stage.answer(stage.link.calls[0])
    for _ in range(1000):
        await asyncio.sleep(0)
    assert [len(client.heard()) for client in clients] == [101, *[100] * 9]


class TestSwaps:
    @pytest.mark.fault("S23")
    async def test_a_call_that_waits_takes_the_revision_in_force_when_its_turn_comes(self):
        stage = Rooms(revision="r1")
        client = stage.client()
        for id, text in enumerate("abc", 1):
            say(client, id, text)
        stage.swap(announce("say", "r2", order="{room}"))
        await stage.end(0)
        stage.swap(announce("say", "r3", order="{room}"))
        await stage.end(1)
        assert [call.revision for call in stage.link.calls] == ["r1", "r2", "r3"]

    async def test_what_was_replaced_does_not_wait_for_calls_that_wait(self):
        stage = Rooms(revision="r1")
        client = stage.client()
        say(client, 1, "a")
        say(client, 2, "b")
        number = stage.swap(announce("say", "r2", order="{room}"))
        assert ("retire", number) not in stage.link.said
        stage.answer(stage.link.calls[0])
        assert ("retire", number) in stage.link.said

    async def test_a_call_whose_event_went_while_it_waited_is_gone(self):
        stage = Rooms()
        client = stage.client()
        for id, text in enumerate("abc", 1):
            say(client, id, text)
        stage.swap(gone=["say"])
        client.heard()
        await stage.end(0)
        assert client.heard()[0] == "ok 1 null"
        assert stage.started() == ["a"]
        assert stage.cancelled() == []
        assert not stage.gateway.calls.by_sequence

    @pytest.mark.fault("S23")
    async def test_where_the_new_revision_has_another_key_the_calls_that_wait_take_that(self):
        stage = Rooms("{room}")
        client = stage.client()
        for id, text in enumerate("abcb", 1):
            say(client, id, text)
        stage.swap(announce("say", "r2", order="{text}"))
        await stage.end(0)
        assert stage.started() == ["a", "b", "c"]
        assert [call.order for call in stage.link.calls] == ["kitchen", "b", "c"]
        await stage.end(1)
        assert stage.started() == ["a", "b", "c", "b"]

    async def test_where_the_new_revision_has_no_order_the_calls_that_wait_all_begin(self):
        stage = Rooms("{room}")
        client = stage.client()
        for id, text in enumerate("abc", 1):
            say(client, id, text)
        stage.swap(announce("say", "r2"))
        await stage.end(0)
        assert [(call.order, call.revision) for call in stage.link.calls[1:]] == [("", "r2")] * 2
        client.say("cancel 2")
        assert stage.cancelled() == [stage.link.calls[1].sequence]
        await stage.end(2)
        assert not stage.gateway.calls.by_sequence

    async def test_a_call_without_the_new_key_is_refused_when_its_turn_comes(self):
        stage = Rooms("{room}")
        client = stage.client()
        say(client, 1, "a")
        say(client, 2, "b")
        stage.swap(announce("say", "r2", order="{who}"))
        client.heard()
        await stage.end(0)
        assert client.faults() == [("2", "bad_payload")]
        assert stage.started() == ["a"]

    async def test_a_call_that_nobody_waits_for_is_dropped_if_it_became_a_stream(self):
        stage = Rooms()
        client = stage.client()
        say(client, 1, "a")
        client.say('call 0 say {"room":"kitchen","text":"b"}')
        stage.swap(announce("say", "r2", kind=Kind.STREAM, order="{room}"))
        await stage.end(0)
        assert stage.started() == ["a"]
        assert not client.peer.session.calls

    async def test_a_stream_without_credit_that_became_a_call_has_a_deadline_again(self):
        stage = Rooms(kind=Kind.STREAM)
        client = stage.client()
        say(client, 1, "a")
        client.say('call 2 say?credit=0 {"room":"kitchen","text":"b"}')
        stage.swap(announce("say", "r2", order="{room}"))
        await stage.end(0)
        [call] = stage.gateway.calls.by_sequence.values()
        assert call.sequence in call.lane.open


class TestStreams:
    async def test_a_stream_has_its_key_until_its_end(self):
        stage = Rooms(kind=Kind.STREAM)
        client = stage.client()
        say(client, 1, "a")
        say(client, 2, "b")
        stage.gateway.item(stage.link.calls[0].sequence, b"1")
        assert stage.started() == ["a"]
        await stage.end(0)
        assert stage.started() == ["a", "b"]

    async def test_what_a_stream_that_waits_may_send_travels_with_it(self):
        stage = Rooms(kind=Kind.STREAM)
        client = stage.client()
        say(client, 1, "a")
        client.say('call 2 say?credit=1 {"room":"kitchen","text":"b"}')
        client.say("more 2 5")
        assert [said for said in stage.link.said if said[0] == "more"] == []
        await stage.end(0)
        assert stage.link.calls[1].credit == 6


class TestDrain:
    @pytest.mark.fault("D2")
    async def test_calls_that_wait_are_let_run_to_their_end(self):
        stage = Rooms()
        client = stage.client()
        say(client, 1, "a")
        say(client, 2, "b")
        async with asyncio.TaskGroup() as group:
            drained = group.create_task(Drain(stage.gateway).run(60.0))
            await asyncio.sleep(0)
            say(client, 3, "c")
            await stage.end(0)
            assert stage.started() == ["a", "b"]
            assert not drained.done()
            await stage.end(1)
        assert [frame.split(" ")[:2] for frame in client.heard()[1:]] == [["error", "3"], ["ok", "1"], ["ok", "2"]]

    @pytest.mark.fault("D3")
    async def test_past_the_limit_they_are_told_that_the_server_ends_and_never_begin(self):
        stage = Rooms()
        client = stage.client()
        say(client, 1, "a")
        say(client, 2, "b")
        stage.link.cancel = stage.gateway.ended
        await Drain(stage.gateway).run(0.01)
        await asyncio.sleep(0)
        assert client.faults() == [("1", "cancelled"), ("2", "cancelled")]
        assert stage.started() == ["a"]


class World:
    """Everything that can happen to ordered calls, in any order, and what must hold meanwhile."""

    def __init__(self) -> None:
        self.stage = Rooms()
        self.client = self.stage.client()
        self.sent: dict[str, list[int]] = defaultdict(list)
        self.running: dict[str, int] = {}
        self.answered: list[int] = []
        self.revisions: list[int] = []
        self.revision = 1
        self.calls: dict[int, int] = {}
        self.ids = itertools.count(1)
        self.stage.link.call = self.begin

    def begin(self, call) -> None:
        said = msgspec.json.decode(call.payload)
        assert call.order == said["room"]
        assert call.order not in self.running, "two calls with one key run at once"
        line = self.sent[call.order]
        while line[0] in self.answered:  # it was ended while it waited
            del line[0]
        assert line.pop(0) == said["text"], "a call has overtaken another one with its key"
        self.running[call.order] = call.sequence
        self.calls[call.sequence] = said["text"]
        self.revisions.append(int(call.revision.removeprefix("r")))

    async def do(self, word: str, room: str, number: int) -> None:
        match word:
            case "say":
                id = next(self.ids)
                self.sent[room].append(id)
                say(self.client, id, id, room)
            case "swap":
                self.revision += 1
                self.stage.swap(announce("say", f"r{self.revision}", order="{room}"))
            case "end" if room in self.running:
                sequence = self.running.pop(room)
                is_open = sequence in self.stage.gateway.calls.by_sequence
                if is_open or number % 2:
                    self.stage.gateway.answer(sequence, number % 3 == 0, b"{}", 0.0, None)
                else:
                    self.stage.gateway.ended(sequence)
            case "cancel" if ids := list(self.client.peer.session.calls):
                self.client.say(b"cancel " + ids[number % len(ids)])
            case "turn":
                await asyncio.sleep(0)
        self.hear()

    def hear(self) -> None:
        self.answered += [int(f.split(" ")[1]) for f in self.client.heard() if f.startswith(("ok", "error"))]

    async def finish(self) -> None:
        for _ in range(2 * next(self.ids)):
            for room in list(self.running):
                await self.do("end", room, 1)
            await asyncio.sleep(0)
        assert sorted(self.answered) == list(range(1, next(self.ids) - 1)), "not exactly one answer each"
        assert self.revisions == sorted(self.revisions)
        assert not self.stage.gateway.calls._ordering._lines
        assert not self.stage.gateway.calls._ordering._ending


STEPS = st.tuples(
    st.sampled_from(["say", "say", "say", "end", "end", "cancel", "turn", "swap"]),
    st.sampled_from(["kitchen", "cellar"]),
    st.integers(1, 12),
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_each_key_has_one_call_at_a_time_in_order_and_each_call_one_answer(steps):
    async def live() -> None:
        world = World()
        for step in steps:
            await world.do(*step)
        await world.finish()

    asyncio.run(live())


# What a pool gives back, because a swap has changed the order before it began.


async def test_a_call_that_had_no_key_gets_one_and_its_turn():
    stage = Rooms(order="")
    client = stage.client()
    say(client, 1, "a")
    say(client, 2, "b")
    first, second = (call.sequence for call in stage.link.calls)
    stage.swap(announce("say", "r2", order="{room}"))

    stage.gateway.again(first)
    stage.gateway.again(second)

    assert stage.started() == ["a", "b", "a"]
    assert (stage.link.calls[2].revision, stage.link.calls[2].order) == ("r2", "kitchen")
    await stage.end(2)
    await stage.end(3)
    assert client.heard()[1:] == ["ok 1 null", "ok 2 null"]
    assert not stage.gateway.calls.by_sequence


async def test_a_call_whose_key_is_of_no_use_any_more_lets_the_next_one_have_it():
    stage = Rooms()
    client = stage.client()
    say(client, 1, "a")
    say(client, 2, "b")
    stage.swap(announce("say", "r2", order=""))

    stage.gateway.again(stage.link.calls[0].sequence)
    await asyncio.sleep(0)

    assert stage.started() == ["a", "a", "b"]
    assert [call.order for call in stage.link.calls[1:]] == ["", ""]
    await stage.end(1)
    await stage.end(2)
    assert client.heard()[1:] == ["ok 1 null", "ok 2 null"]


async def test_a_call_in_which_the_new_key_can_not_be_read_is_refused():
    stage = Rooms(order="")
    client = stage.client()
    say(client, 1, "a", room=None)
    stage.swap(announce("say", "r2", order="{room}"))

    stage.gateway.again(stage.link.calls[0].sequence)

    assert client.faults() == [("1", "bad_payload")]
    assert not stage.gateway.calls.by_sequence


async def test_what_has_ended_meanwhile_is_not_said_anew():
    stage = Rooms()
    stage.gateway.again(7)
    assert stage.started() == []
