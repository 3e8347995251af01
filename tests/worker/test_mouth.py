"""What plugs ask the gateway for: each question comes to one end, whoever waits for it, and wherever."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from msgspec import to_builtins

from plugsock import CallEnded, Member, PlugsockError, Reach, Server, Socket, blocking
from plugsock.rpc.frames import Grant, Members, Reply, Revoke
from support.recording import Asked, Ended
from support.working import Worker, until


async def grant(server: Server) -> Reach:
    return await server.grant("ada", "orders.read")


def grant_in_a_thread(server: blocking.Server) -> Reach:
    return server.grant("ada", "orders.read")


BOTH = pytest.mark.parametrize("plug", [grant, grant_in_a_thread])


def tell(one, asked, reach=None, error=""):
    one.runner.mouth.told(asked.number, Reply(Reach() if reach is None else reach, error))


@BOTH
async def test_what_is_asked_for_is_waited_for(worker, plug):
    one = await worker(plug)
    sequence = one.start(plug)
    asked = await one.sink.question()
    assert one.sink.said == [Asked(asked.number, sequence, Grant("ada", "orders.read"))]

    tell(one, asked, Reach(2, 1, 3))
    assert (await one.sink.answer_of(sequence)).value == to_builtins(Reach(2, 1, 3))


@BOTH
async def test_what_was_not_done_is_an_error_that_says_why(worker, plug):
    one = await worker(plug, dev=True)
    sequence = one.start(plug)
    tell(one, await one.sink.question(), error="the disk is full")

    answer = await one.sink.answer_of(sequence)
    assert answer.code == "plug_error"
    assert "PlugsockError: the disk is full" in answer.payload.decode()


@BOTH
async def test_an_answer_may_come_at_once(worker, plug):
    one = await worker(plug)
    one.sink.hear = lambda said: isinstance(said, Asked) and tell(one, said, Reach(7))

    assert (await one.call(plug)).value["sockets"] == 7


async def members(server: Server) -> list[Member]:
    return await server.members("room.kitchen")


def members_in_a_thread(server: blocking.Server) -> list[Member]:
    return server.members("room.kitchen")


@pytest.mark.parametrize("plug", [members, members_in_a_thread])
async def test_who_is_in_a_topic_is_asked_for_alike(worker, plug):
    there = [Member("ada", "ada", 2, {"mood": "hungry"}), Member("x7", None)]
    one = await worker(plug)
    sequence = one.start(plug)
    asked = await one.sink.question()
    assert asked.request == Members("room.kitchen")

    one.runner.mouth.told(asked.number, Reply(Reach(), members=there))
    assert (await one.sink.answer_of(sequence)).value == to_builtins(there)


async def test_of_what_is_no_topic_nobody_is_asked(worker):
    async def ask(server: Server) -> None:
        with pytest.raises(ValueError, match="a topic is called by"):
            await server.members("room.*")

    one = await worker(ask)
    assert (await one.call(ask)).ok
    assert one.sink.questions() == []


async def test_a_stream_asks_between_its_items(worker):
    async def steps(server: Server) -> AsyncIterator[int]:
        yield (await server.grant("ada", "a")).sockets
        yield (await server.revoke("ada", "a")).sockets

    def plain_steps(server: blocking.Server) -> Iterator[int]:
        yield server.grant("ada", "a").sockets
        yield server.revoke("ada", "a").sockets

    one = await worker(steps, plain_steps)
    one.sink.hear = lambda said: isinstance(said, Asked) and tell(one, said, Reach(said.number))
    for plug in (steps, plain_steps):
        await one.call(plug)
    assert [one.sink.items(sequence) for sequence in (1, 2)] == [[1, 2], [3, 4]]


async def test_what_a_thread_said_before_it_asks_arrives_before_its_question(worker):
    def speak(socket: Socket, server: blocking.Server) -> None:
        for _ in range(10):
            socket.send("n")
        server.kick(user="eve")
        server.revoke("ada", "a")

    one = await worker(speak)
    sequence = one.start(speak)
    tell(one, await one.sink.question())
    await one.sink.answer_of(sequence)
    assert [type(said).__name__ for said in one.sink.said] == ["Send"] * 10 + ["KickUser", "Asked", "Answer"]


async def test_an_async_plugs_own_thread_may_ask_on_a_loop_of_its_own(worker):
    async def ask(server: Server) -> int:
        return await asyncio.to_thread(lambda: asyncio.run(grant(server)).sockets)

    one = await worker(ask)
    sequence = one.start(ask)
    tell(one, await one.sink.question(), Reach(5))
    assert (await one.sink.answer_of(sequence)).value == 5


async def test_what_a_plug_leaves_behind_asks_on_in_nobodys_name(worker):
    may_ask, reached = asyncio.Event(), asyncio.Queue()
    tasks = []

    async def leave(server: Server) -> None:
        async def ask() -> None:
            await may_ask.wait()
            reached.put_nowait((await server.grant("ada", "a")).sockets)

        tasks.append(asyncio.get_running_loop().create_task(ask()))

    one = await worker(leave)
    await one.call(leave)
    may_ask.set()
    asked = await one.sink.question()
    assert asked.sequence == 0
    tell(one, asked, Reach(3))
    assert await reached.get() == 3


# A call that was ended.


async def test_an_async_call_that_waits_is_cancelled(worker):
    ends = asyncio.Queue()

    async def wait(server: Server) -> None:
        try:
            await server.grant("ada", "a")
        except BaseException as error:
            ends.put_nowait(type(error))
            raise

    one = await worker(wait)
    sequence = one.start(wait)
    asked = await one.sink.question()
    one.runner.cancel(sequence)
    assert await ends.get() is asyncio.CancelledError
    tell(one, asked)
    assert one.sink.said == [asked, Ended(sequence)]


async def test_what_an_async_call_has_begun_itself_waits_no_longer_than_the_call(worker):
    ends = asyncio.Queue()
    tasks = []

    async def wait(server: Server) -> None:
        async def ask() -> None:
            try:
                await server.grant("ada", "a")
            except CallEnded as error:
                ends.put_nowait(error)

        tasks.append(asyncio.get_running_loop().create_task(ask()))
        await asyncio.Event().wait()

    one = await worker(wait)
    sequence = one.start(wait)
    await one.sink.question()
    one.runner.cancel(sequence)
    assert "may have been done" in str(await ends.get())


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_plain_function_that_waits_hears_that_its_call_has_ended(worker, is_stream):
    ends = []

    def wait(server: blocking.Server) -> None:
        try:
            server.revoke("ada", "a")
        except CallEnded as error:
            ends.append(str(error))
            raise

    def rows(server: blocking.Server) -> Iterator[int]:
        wait(server)
        yield 1

    plug = rows if is_stream else wait
    one = await worker(plug)
    sequence = one.start(plug)
    asked = await one.sink.question()
    one.runner.cancel(sequence)
    await one.sink.until(lambda: Ended(sequence) in one.sink.said)
    tell(one, asked)
    assert ends == ["the call has ended while it waited: what it asked for may have been done"]
    assert one.sink.said == [asked, Ended(sequence)]


async def test_a_call_that_was_ended_asks_for_nothing_more(worker):
    entered, ended = threading.Event(), threading.Event()
    ends = []

    async def linger(server: Server) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            try:
                await server.grant("ada", "a")
            except CallEnded as error:
                ends.append(str(error))

    def linger_in_a_thread(server: blocking.Server) -> None:
        entered.set()
        ended.wait()
        try:
            server.grant("ada", "a")
        except CallEnded as error:
            ends.append(str(error))

    one = await worker(linger, linger_in_a_thread)
    sequences = [one.start(plug) for plug in (linger, linger_in_a_thread)]
    await until(entered.is_set)
    for sequence in sequences:
        one.runner.cancel(sequence)
    ended.set()
    await until(lambda: len(ends) == 2)
    assert ends == ["the call has ended: nothing is asked for any more"] * 2
    assert one.sink.questions() == []


async def test_a_plug_whose_own_question_ends_its_call_is_cancelled(worker):
    ends = asyncio.Queue()

    async def leap(server: Server) -> None:
        try:
            await server.revoke("me", "*")
        except BaseException as error:
            ends.put_nowait(type(error))
            raise

    one = await worker(leap)
    one.sink.hear = lambda said: isinstance(said, Asked) and one.runner.cancel(said.sequence)
    sequence = one.start(leap)
    assert await ends.get() is asyncio.CancelledError
    await one.sink.until(lambda: Ended(sequence) in one.sink.said)


async def test_a_plug_that_waits_no_longer_than_it_wants_is_answered_and_the_late_answer_ignored(worker):
    async def hurry(server: Server) -> str:
        try:
            async with asyncio.timeout(0.01):
                await server.grant("ada", "a")
        except TimeoutError:
            return "too slow"

    one = await worker(hurry)
    assert (await one.call(hurry)).value == "too slow"
    for error in ("", "no"):
        tell(one, one.sink.questions()[0], error=error)
    assert one.runner.mouth._questions == {}


async def test_nothing_is_kept_of_a_question_once_its_call_has_ended(worker):
    one = await worker(grant, grant_in_a_thread)
    for count, plug in enumerate((grant, grant_in_a_thread, grant), 1):
        one.runner.cancel(one.start(plug)) if count == 3 else one.start(plug)
        await one.sink.question(count)
    assert len(one.runner.mouth._questions) == 2
    for sequence in (1, 2):
        one.runner.cancel(sequence)
    assert one.runner.mouth._questions == {}


# A gateway that has gone.


@BOTH
async def test_when_the_gateway_has_gone_whoever_waits_hears_of_it(worker, plug):
    one = await worker(plug, dev=True)
    sequence = one.start(plug)
    await one.sink.question()
    one.runner.mouth.close()

    assert "the gateway can't be asked any more" in (await one.sink.answer_of(sequence)).payload.decode()


@BOTH
async def test_a_gateway_that_has_gone_is_asked_nothing(worker, plug):
    one = await worker(plug, dev=True)
    one.runner.mouth.close()

    assert "the gateway can't be asked any more" in (await one.call(plug)).payload.decode()
    assert one.sink.questions() == []


async def test_a_thread_that_waits_for_what_it_has_left_behind_ends_with_the_worker(worker):
    ends = []

    def leave(server: blocking.Server) -> None:
        def ask() -> None:
            try:
                server.grant("ada", "a")
            except PlugsockError as error:
                ends.append(str(error))

        threading.Thread(target=ask).start()

    one = await worker(leave)
    await one.call(leave)
    await one.sink.question()
    await one.runner.stop()
    await until(lambda: ends)
    assert ends == ["the gateway can't be asked any more: whether it was done is not known"]


def test_a_thread_that_has_outlived_its_loop_is_refused_and_does_not_wait():
    kept = []

    def keep(server: blocking.Server) -> None:
        kept.append(server)

    async def serve() -> None:
        one = Worker(keep)
        await one.call(keep)
        await one.runner.stop()

    loop = threading.Thread(target=lambda: asyncio.run(serve()))
    loop.start()
    loop.join()
    with pytest.raises(PlugsockError, match="can't be asked any more"):
        kept[0].grant("ada", "a")


async def test_a_loop_does_not_wait_for_itself(worker):
    kept = []

    def keep(server: blocking.Server) -> None:
        kept.append(server)

    async def borrow() -> str:
        with pytest.raises(PlugsockError, match="wait for itself"):
            kept[0].grant("ada", "a")
        return "refused"

    one = await worker(keep, borrow)
    await one.call(keep)
    assert (await one.call(borrow)).value == "refused"
    assert one.sink.questions() == []


async def test_a_revoke_may_have_a_fence(worker):
    def revoke(server: blocking.Server) -> None:
        server.revoke("ada", "orders.*", fence=5)

    one = await worker(revoke)
    sequence = one.start(revoke)
    asked = await one.sink.question()
    assert asked.request == Revoke("ada", "orders.*", 5.0)
    tell(one, asked)
    assert (await one.sink.answer_of(sequence)).ok
