import asyncio
import threading

from plugsock.worker.outbox import Outbox


def in_thread(function) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


async def test_what_is_posted_is_done_on_the_loop_in_order():
    outbox, done, ended = Outbox(asyncio.get_running_loop()), [], asyncio.Event()

    def post() -> None:
        for n in range(100):
            outbox.post(done.append, (n, threading.get_ident()))
        outbox.post(ended.set)

    def append(it) -> None:
        done.append(it)

    in_thread(post)
    await ended.wait()
    assert [n for n, _ in done] == list(range(100))


async def test_many_words_are_one_wake_up():
    class Loop:
        woken = 0

        def call_soon_threadsafe(self, function) -> None:
            self.woken += 1
            self.function = function

    loop, done = Loop(), []
    outbox = Outbox(loop)
    in_thread(lambda: [outbox.post(done.append, n) for n in range(100)])
    assert loop.woken == 1
    loop.function()
    assert len(done) == 100
    in_thread(lambda: outbox.post(done.append, 100))
    assert loop.woken == 2


async def test_it_can_be_drained_before_the_loop_wakes():
    outbox, done = Outbox(asyncio.get_running_loop()), []
    in_thread(lambda: outbox.post(done.append, 1))
    outbox.drain()
    assert done == [1]


async def test_draining_while_it_drains_keeps_the_order():
    outbox, done = Outbox(asyncio.get_running_loop()), []

    def first() -> None:
        outbox.drain()
        done.append("first")

    outbox.post(first)
    outbox.post(done.append, "second")
    outbox.drain()
    assert done == ["first", "second"]


async def test_what_is_posted_while_it_drains_is_done_in_the_next_turn():
    outbox, done = Outbox(asyncio.get_running_loop()), []

    def forever() -> None:
        done.append(True)
        outbox.post(forever)

    outbox.post(forever)
    outbox.drain()
    assert done == [True]
    outbox.waiting.clear()


async def test_a_thread_that_outlives_the_loop_is_no_error():
    loop = asyncio.new_event_loop()
    outbox = Outbox(loop)
    loop.close()
    outbox.post(print, "nobody hears this")
    assert not outbox.waiting


async def test_it_knows_the_thread_of_the_loop():
    outbox, seen = Outbox(asyncio.get_running_loop()), []
    in_thread(lambda: seen.append(outbox.on_loop))
    assert (outbox.on_loop, seen) == (True, [False])


async def test_what_raises_holds_up_nothing(caplog):
    outbox, ended = Outbox(asyncio.get_running_loop()), asyncio.Event()

    def fail() -> None:
        raise ValueError

    outbox.post(fail)
    outbox.post(ended.set)
    await ended.wait()
    assert "ValueError" in caplog.text
