import asyncio
import os
import socket
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from plugsock.gateway.open_call import OpenCall
from plugsock.model import Member, Reach
from plugsock.ops import log, parcels
from plugsock.ops.parcels import Parcels
from plugsock.pool.link import CONGESTED, ProcessLink
from plugsock.rpc import batches
from plugsock.rpc.batches import LONG, Parcel
from plugsock.rpc.frames import (
    OK,
    Broadcast,
    Details,
    File,
    Grant,
    Join,
    Kick,
    KickUser,
    Leave,
    Members,
    Publish,
    Reply,
    SocketState,
    Staged,
    Touch,
)
from support.ends import Ends, OwnerOf, call
from support.recording import Answer, Asked, Changed, Ended, Item, RecordingSink


@asynccontextmanager
async def connected():
    """Both ends of a connection."""
    ends = await Ends().connect()
    try:
        yield ends
    finally:
        await ends.close()


class Bare:
    """The other end of a link as a bare socket, for what no worker would say.

    Attributes:
        directory: Where parcels are.
        down: Those that the link puts there.
        up: Those that it takes.
    """

    def __init__(self, directory, connection):
        self.directory = directory
        self.down, self.up = parcels.of_worker(directory, 1)
        self.connection = connection

    async def heard(self, count):
        """Batches that the link has written."""
        reader, found = batches.Reader(), []
        while len(found) < count:
            data = await asyncio.get_running_loop().sock_recv(self.connection, 1 << 20)
            found += [batches.read_down(batch) for batch in reader.feed(data)]
        return found

    async def say(self, *messages):
        body = batches.encode(messages)
        await self.send(batches.head(len(body)) + body)

    async def send(self, data):
        await asyncio.get_running_loop().sock_sendall(self.connection, data)

    def close(self):
        self.connection.close()


@asynccontextmanager
async def evil(limit=batches.LIMIT):
    owner = OwnerOf(RecordingSink())
    link = ProcessLink(limit)
    here, there = socket.socketpair()
    there.setblocking(False)
    with there, tempfile.TemporaryDirectory() as directory:
        link.attach(owner, Path(directory), 1)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: link, here)
        try:
            yield link, owner, Bare(Path(directory), there)
        finally:
            link.close()
            await owner.loss()


async def test_a_call_is_answered():
    async with connected() as ends:
        ends.link.call(call(7, b'"hello"'))

        assert await ends.owner.answer_of(7) == Answer(7, OK, b'"hello"', 0.0, None)


async def test_calls_of_one_turn_are_one_batch_and_so_are_their_answers():
    async with evil() as (link, owner, there):
        for sequence in (1, 2, 3):
            link.call(call(sequence))
        (batch,) = await there.heard(1)
        await there.say(*(batches.Answer(sequence, 0, b"", 0.0, None) for sequence in (1, 2, 3)))
        await owner.answer_of(3)

        assert [message.sequence for message in batch] == [1, 2, 3]
        assert [message.sequence for message in owner.said] == [1, 2, 3]


async def test_of_what_the_gateway_knows_of_a_call_only_that_travels_which_a_worker_needs():
    async with evil() as (link, _owner, there):
        known = OpenCall(
            7, "greet", "5e0c1a22", True, "s1", 2, 3, 32, "key", "trace", "room", b"1", b"9", None, None, None, 0.0, 1, ()
        )  # fmt: skip
        link.call(known)
        ((heard,),) = await there.heard(1)

        assert heard == batches.Began(7, "greet", "5e0c1a22", 1, "s1", 2, 3, 32, "key", "trace", "room", b"1")


async def test_a_worker_may_know_a_call_by_another_number():
    async with evil() as (link, _owner, there):
        link.call(call(7), 1)
        link.call(call(8), 2)
        (batch,) = await there.heard(1)

        assert [message.sequence for message in batch] == [1, 2]


async def test_a_long_payload_travels_beside_the_connection_and_all_is_said_in_order():
    async with evil() as (link, _owner, there):
        link.call(call(1, b"x" * LONG))
        link.call(call(2, b"y" * (LONG + 1)))
        link.cancel(2)
        link.call(call(3))
        (batch,) = await there.heard(1)

        assert [type(message).__name__ for message in batch] == ["Began", "Parcel", "Began", "Cancel", "Began"]
        assert [len(message.payload) for message in batch if type(message) is batches.Began] == [LONG, 0, 0]
        assert there.down.take(batch[1].number, batch[1].size) == b"y" * (LONG + 1)


async def test_what_is_long_arrives_whole_both_ways():
    payloads = {sequence: os.urandom(sequence * LONG) for sequence in range(1, 5)}
    async with connected() as ends:
        for sequence, payload in payloads.items():
            ends.link.call(call(sequence, payload))
        await ends.owner.answer_of(4)
        ends.process.item(5, payloads[3])
        await ends.owner.until(lambda: Item(5, payloads[3]) in ends.owner.said)

        assert {said.sequence: said.payload for said in ends.owner.said if type(said) is Answer} == payloads
        assert list(ends.directory.iterdir()) == []


async def test_where_there_is_no_room_for_parcels_payloads_travel_on_the_connection(capsys):
    log.configure()
    payload = os.urandom(3 * LONG)
    async with connected() as ends:
        ends.directory.rmdir()
        for sequence in (1, 2):
            ends.link.call(call(sequence, payload))
            assert (await ends.owner.answer_of(sequence)).payload == payload

    assert capsys.readouterr().err.count("long payloads have no room beside the connection") == 2


async def test_a_call_that_was_cancelled_leaves_no_parcel_once_the_worker_has_heard_of_it():
    async with connected() as ends:
        ends.link.call(call(1, bytes(LONG + 1)))
        ends.link.cancel(1)
        await ends.engine.until(lambda: ("cancel", 1) in ends.engine.heard)

        assert not list(ends.directory.glob("1.down.*"))


async def test_when_the_connection_has_ended_its_parcels_are_taken_away_and_no_others():
    async with evil() as (link, owner, there):
        other = Parcels(there.directory, "11.up")
        other.put(b"1")
        there.up.put(b"1")
        link.call(call(1, bytes(LONG + 1)))
        there.close()
        await owner.loss()
        link.call(call(2, bytes(LONG + 1)))

        assert [path.name for path in there.directory.iterdir()] == ["11.up.1"]


WORDS = {
    "cancel": (7,),
    "more": (7, 32),
    "socket": (SocketState("s1", "ada", ["read"], None, 3, ["room"]),),
    "forget": ("s1",),
    "told": (3, Reply(Reach(2, 1, 0), members=[Member("ada", "ada", 2, {"mood": "hungry"})])),
    "restore": ([File("plugs.a", "/a.py", "a.py", b"", False, False, "folder", False)],),
    "retire": (3,),
    "stop": (),
}
NAMED = {
    "hold": (("s1",), {"held": True}),
    "formats": ((), {"msgpack": True}),
    "look": ((["/a.py"],), {"force": True, "refused": ["ab"]}),
    "adopt": (
        ([File("plugs.a", "/a.py", "a.py", b"", False, False, "folder", False)], ["plugs.b"]),
        {"force": True, "refused": ["ab"]},
    ),
    "commit": ((3, ["ab"], None), {}),
}


@pytest.mark.parametrize("word", [*WORDS, *NAMED])
async def test_every_word_reaches_the_engine_as_it_was_said(word):
    said, named = (WORDS[word], {}) if word in WORDS else NAMED[word]
    async with connected() as ends:
        getattr(ends.link, word)(*said, **named)
        if word == "stop":
            assert await ends.process.over
        else:
            await ends.engine.until(lambda: (word, *said, *named.values()) in ends.engine.heard)


SAID = {
    "item": ((7, b"1"), Item(7, b"1")),
    "emit": ((Kick("s1", 4502, "why", 7),), Kick("s1", 4502, "why", 7)),
    "emit of a user": ((KickUser("ada", 4502, "why", 0),), KickUser("ada", 4502, "why", 0)),
    "emit to a topic": (
        (Publish("room", "n", b"1", None, 7, (("a",),)),),
        Publish("room", "n", b"1", None, 7, (("a",),)),
    ),
    "emit of a member": ((Join("s1", "room", b"{}", 7),), Join("s1", "room", b"{}", 7)),
    "emit of one who leaves": ((Leave("s1", "room", 7),), Leave("s1", "room", 7)),
    "emit of a change": ((Touch(["orders"], 7),), Touch(["orders"], 7)),
    "ask for members": ((3, 7, Members("room")), Asked(3, 7, Members("room"))),
    "ask": ((3, 7, Grant("ada", "orders.*")), Asked(3, 7, Grant("ada", "orders.*"))),
    "ended": ((7,), Ended(7)),
    "changed": ((["/a.py"],), Changed(["/a.py"])),
    "staged": ((Staged(3, [], [], asked=True),), Staged(3, [], [], asked=True)),
    "answer": ((7, 1, b"1", 0.5, Details(0, 0, 0)), Answer(7, 1, b"1", 0.5, Details(0, 0, 0))),
}


@pytest.mark.parametrize("word", SAID)
async def test_every_word_of_a_worker_reaches_its_owner_as_it_was_said(word):
    said, heard = SAID[word]
    async with connected() as ends:
        getattr(ends.process, word.partition(" ")[0])(*said)

        await ends.owner.until(lambda: heard in ends.owner.said)


async def test_how_a_process_fares_reaches_its_owner():
    async with connected() as ends:
        ends.process.outdated("site-packages has changed")
        ends.process.leave()
        await ends.owner.until(lambda: ends.owner.left and ends.owner.beats)

        assert ends.owner.reasons == ["site-packages has changed"]


async def test_what_a_plug_said_arrives_before_its_answer():
    async with connected() as ends:
        long = Broadcast("news", b"x" * (LONG + 1), None, 1)
        ends.process.emit(long)
        ends.process.answer(2, OK, b"", 0.0, None)
        ends.process.emit(Broadcast("more", b"1", None, 3))
        ends.process.answer(3, OK, b"x" * (LONG + 1), 0.0, None)
        ends.process.item(1, b"1")
        ends.process.answer(1, OK, b"", 0.0, None)
        await ends.owner.answer_of(1)

        short = Broadcast("more", b"1", None, 3)
        order = [said if isinstance(said, Broadcast | Item) else said.sequence for said in ends.owner.said]
        assert order == [long, 2, short, 3, Item(1, b"1"), 1]


@pytest.mark.parametrize(
    "long",
    [Publish("room", "n", b"1", b"x" * (LONG + 1), 1), Touch(["k" * 256] * (LONG // 256 + 1), 1)],
    ids=["publish", "touch"],
)
async def test_what_is_long_keeps_its_place(long):
    async with connected() as ends:
        said = [Touch(["a"], 1), long, Touch(["b"], 1)]
        for emit in said:
            ends.process.emit(emit)
        ends.process.answer(1, OK, b"", 0.0, None)
        await ends.owner.answer_of(1)

        assert ends.owner.emits() == said


async def test_what_one_word_fails_with_does_not_keep_the_others_from_being_heard(capsys):
    log.configure()
    async with evil() as (_link, owner, there):
        owner.sink.hear = lambda said: 1 / 0 if said in (Ended(1), Answer(2, 0, b"", 0.0, None)) else None
        await there.say(batches.Ended(1), *(batches.Answer(sequence, 0, b"", 0.0, None) for sequence in (2, 3)))
        await owner.answer_of(3)

    assert capsys.readouterr().err.count("a worker's message failed") == 2


async def test_the_end_of_the_connection_is_said_once():
    async with evil() as (link, owner, there):
        there.close()
        await owner.loss()
        link.close()
        link.call(call(1))
        await asyncio.sleep(0)

        assert owner.losses == [None]


async def test_what_is_said_of_a_connection_that_was_hung_up_on_leads_nowhere():
    async with connected() as ends:
        ends.link.close()
        ends.link.call(call(1))
        ends.process.close()
        ends.process.answer(1, OK, b"", 0.0, None)
        await ends.owner.loss()

        assert ends.engine.heard == []


async def test_a_link_that_nobody_has_taken_can_be_closed():
    link = ProcessLink()
    link.close()
    link.connection_lost(None)


EVIL = {
    "garbage": (b"\0\0\0\x04evil", "Expected `array`"),
    "text": (b"GET / HTTP/1.1\r\n\r\n", "is longer than"),
    "4 GiB": (b"\xff\xff\xff\xff", "a batch of 4294967295 bytes"),
    "4 GiB of messages": (b"\0\0\0\x05\xdd\xff\xff\xff\xff", "truncated"),
    "an unknown number": (b"\0\0\0\x04\x91\x92\x63\x01", "Invalid value 99"),
    "a word of the gateway": (b"\0\0\0\x04\x91\x92\x02\x01", "Invalid value 2"),
}


@pytest.mark.fault("K6")
@pytest.mark.parametrize("name", EVIL)
async def test_a_worker_that_does_not_speak_the_language_is_hung_up_on(name):
    said, flaw = EVIL[name]
    async with evil() as (_link, owner, there):
        await there.say(batches.Answer(1, 0, b"", 0.0, None))
        await there.send(said)

        assert flaw in await owner.loss()
        assert len(owner.answers(1)) == 1
        assert owner.losses == [await owner.loss()]


@pytest.mark.fault("K6")
async def test_half_a_message_of_a_worker_that_has_gone_is_discarded():
    async with evil() as (_link, owner, there):
        await there.send(b"\0\0\0\x04\x91\x92")
        there.close()

        assert await owner.loss() is None
        assert owner.said == []


PARCELS = {
    "missing": ([Parcel(2, 70_000)], "a parcel can't be taken: [Errno 2]"),
    "of another size": ([Parcel(1, 69_999)], "a parcel can't be taken: parcel 1 has 70000 bytes, not 69999"),
    "a link": ([Parcel(3, 70_000)], "a parcel can't be taken: [Errno"),
    "a directory": ([Parcel(4, 70_000)], "a parcel can't be taken: parcel 4 is no file"),
    "a pipe": ([Parcel(5, 70_000)], "a parcel can't be taken: parcel 5 is no file"),
    "too long": ([Parcel(1, 70_001)], "a parcel of 70001 bytes is longer than 70000"),
    "negative": ([(32, 1, -1)], "Expected `int` >= 0"),
    "in front of another one": ([Parcel(1, 70_000), Parcel(1, 70_000)], "a parcel is followed by nothing"),
    "in front of what has no payload": ([Parcel(1, 70_000), batches.Ended(1)], "a parcel is followed by nothing"),
}


@pytest.mark.fault("K6")
@pytest.mark.parametrize("name", PARCELS)
async def test_a_worker_whose_parcel_is_none_is_hung_up_on(name):
    said, flaw = PARCELS[name]
    async with evil(limit=70_000) as (_link, owner, there):
        there.up.put(bytes(70_000))
        (there.directory / "1.up.3").symlink_to(there.directory / "1.up.1")
        (there.directory / "1.up.4").mkdir()
        os.mkfifo(there.directory / "1.up.5")
        await there.say(batches.Answer(1, 0, b"", 0.0, None))
        await there.say(*said, batches.Answer(2, 0, b"", 0.0, None))

        assert flaw in await owner.loss()
        assert [answer.sequence for answer in owner.said] == [1]


@pytest.mark.fault("K6")
async def test_a_parcel_at_the_end_of_a_batch_is_followed_by_nothing():
    async with evil() as (_link, owner, there):
        there.up.put(bytes(70_000))
        await there.say(Parcel(1, 70_000))
        await there.say(batches.Answer(1, 0, b"", 0.0, None))

        assert "a parcel is followed by nothing" in await owner.loss()


async def test_a_worker_that_takes_nothing_is_congested_until_it_does():
    if isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop) and sys.version_info >= (3, 12):
        pytest.skip("the `writelines` of this asyncio tells nobody that its buffer is full; plugsock runs on uvloop")
    async with evil() as (link, _owner, there):
        for _ in range(6):
            link.restore([File("plugs.a", "/a.py", "a.py", bytes(CONGESTED // 4), False, False, "folder", False)])
        assert not link.is_congested
        await asyncio.sleep(0)
        await asyncio.sleep(0)

        assert link.is_congested
        await there.heard(6)
        assert not link.is_congested


async def test_a_worker_that_takes_no_parcels_is_congested_until_it_does():
    async with evil() as (link, owner, there):
        for sequence in range(1, 6):
            assert not link.is_congested
            link.call(call(sequence, bytes(CONGESTED // 4)))
        assert link.is_congested

        there.down.take(1, CONGESTED // 4)
        await there.say(batches.Ended(1))
        await owner.until(lambda: Ended(1) in owner.said)

        assert not link.is_congested
