import asyncio
import threading

import pytest

from plugsock import CallEnded, Server, Socket, User, any_of, blocking
from plugsock.rpc.frames import Broadcast, Join, Kick, KickUser, Leave, Publish, Send, SocketState, Touch
from support.recording import Ended
from support.working import until


async def test_a_socket_sends_and_kicks(worker):
    async def speak(socket: Socket) -> None:
        socket.send("thanks", {"number": 1})
        socket.send("nothing")
        socket.kick()
        socket.kick(4000, "later")

    one = await worker(speak)
    answer = await one.call(speak)
    assert one.sink.said == [
        Send("s1", "thanks", b'{"number":1}', None, answer.sequence),
        Send("s1", "nothing", b"null", None, answer.sequence),
        Kick("s1", 4502, "", answer.sequence),
        Kick("s1", 4000, "later", answer.sequence),
        answer,
    ]


async def test_the_server_speaks_to_everybody(worker):
    async def speak(server: Server) -> None:
        server.broadcast("news", [1])
        server.send("s9", "psst")
        server.kick("s9", reason="bye")

    one = await worker(speak)
    answer = await one.call(speak)
    assert one.sink.emits() == [
        Broadcast("news", b"[1]", None, answer.sequence),
        Send("s9", "psst", b"null", None, answer.sequence),
        Kick("s9", 4502, "bye", answer.sequence),
    ]


async def test_all_sockets_of_a_user_are_closed_alike_from_the_loop_and_from_a_thread(worker):
    async def speak(server: Server) -> None:
        server.kick(user="ada", code=4000, reason="later")

    def speak_in_a_thread(server: blocking.Server) -> None:
        server.kick(user="ada")

    one = await worker(speak, speak_in_a_thread)
    first, second = await one.call(speak), await one.call(speak_in_a_thread)
    assert one.sink.emits() == [
        KickUser("ada", 4000, "later", first.sequence),
        KickUser("ada", 4502, "", second.sequence),
    ]


@pytest.mark.parametrize(
    ("whom", "said"),
    [
        ({}, "one socket or one user"),
        ({"socket": "s1", "user": "ada"}, "one socket or one user"),
        ({"socket": 7}, "a socket is named by"),
        ({"user": 7}, "a user is named by"),
        ({"user": "\ud800"}, "a user is named by"),
        ({"user": "ada", "code": 999}, "close code"),
        ({"user": "ada", "reason": "x" * 124}, "close reason"),
    ],
    ids=repr,
)
async def test_a_kick_says_whom_it_means(worker, whom, said):
    async def speak(server: Server) -> None:
        with pytest.raises(ValueError, match=said):
            server.kick(**whom)

    one = await worker(speak)
    assert (await one.call(speak)).ok
    assert one.sink.emits() == []


@pytest.mark.parametrize(
    "permission",
    ["", "a b", "a\n", "é", "a" * 129, "a*", "*.a", "**", ".*.", "*a", "a" * 127 + ".*", "{shop}", None, 7, b"a"],
    ids=repr,
)
async def test_what_is_no_permission_is_not_asked_for(worker, permission):
    async def ask(server: Server) -> None:
        for word in (server.grant, server.revoke):
            with pytest.raises(ValueError, match="a permission is 1 to 128"):
                await word("ada", permission)

    def ask_in_a_thread(server: blocking.Server) -> None:
        for word in (server.grant, server.revoke):
            with pytest.raises(ValueError, match="a permission is 1 to 128"):
                word("ada", permission)

    one = await worker(ask, ask_in_a_thread)
    assert [(await one.call(plug)).ok for plug in (ask, ask_in_a_thread)] == [True, True]
    assert one.sink.questions() == []


@pytest.mark.parametrize("user", [None, 7, b"ada", "\ud800"], ids=repr)
async def test_what_is_no_user_is_not_asked_for(worker, user):
    async def ask(server: Server) -> None:
        for word in (server.grant, server.revoke):
            with pytest.raises(ValueError, match="a user is named by the text in its `id`"):
                await word(user, "orders.read")

    one = await worker(ask)
    assert (await one.call(ask)).ok
    assert one.sink.questions() == []


@pytest.mark.parametrize("fence", [0, -1, float("nan"), float("inf"), 86_401, True, "5"], ids=repr)
async def test_a_fence_is_a_number_of_seconds(worker, fence):
    def ask(server: blocking.Server) -> None:
        with pytest.raises(ValueError, match="a fence is more than 0 and at most 86400 seconds"):
            server.revoke("ada", "orders.read", fence=fence)

    one = await worker(ask)
    assert (await one.call(ask)).ok
    assert one.sink.questions() == []


async def test_what_a_thread_says_arrives_in_order_and_before_its_answer(worker):
    def count(socket: Socket, server: blocking.Server) -> str:
        for n in range(100):
            socket.send("n", n)
            server.broadcast("n", n)
        return "done"

    one = await worker(count)
    answer = await one.call(count)
    assert one.sink.said[-1] is answer
    assert [emit.json for emit in one.sink.emits()] == [str(n).encode() for n in range(100) for _ in range(2)]


async def test_what_an_async_plugs_own_thread_says_arrives_before_its_answer(worker):
    async def count(socket: Socket) -> None:
        thread = threading.Thread(target=socket.send, args=("from", "a thread"))
        thread.start()
        thread.join()

    one = await worker(count)
    answer = await one.call(count)
    assert [type(said).__name__ for said in one.sink.said] == ["Send", "Answer"]
    assert one.sink.said[-1] is answer


async def test_what_an_async_plugs_own_thread_said_first_is_sent_first(worker):
    async def count(socket: Socket) -> None:
        thread = threading.Thread(target=socket.send, args=("first",))
        thread.start()
        thread.join()
        socket.send("second")

    one = await worker(count)
    await one.call(count)
    assert [emit.event for emit in one.sink.emits()] == ["first", "second"]


async def test_pushes_are_messagepack_too_while_somebody_wants_that(worker):
    async def speak(socket: Socket) -> None:
        socket.send("n", 1)

    one = await worker(speak)
    one.runner.mouth.msgpack = True
    await one.call(speak)
    one.runner.mouth.msgpack = False
    await one.call(speak)
    assert [emit.msgpack for emit in one.sink.emits()] == [b"\x01", None]


async def test_a_socket_knows_its_id_and_user(worker):
    async def who(socket: Socket) -> list[object]:
        return [socket.id, socket.user and socket.user.id, socket.user and sorted(socket.user.permissions)]

    one = await worker(who)
    one.meet("s1")
    one.meet("s2", "ada", ("orders.read",))
    assert (await one.call(who)).value == ["s1", None, None]
    assert (await one.call(who, socket="s2")).value == ["s2", "ada", ["orders.read"]]


async def test_a_user_may_be_asked_for(worker):
    async def who(user: User | None) -> str:
        return user.id if user else "nobody"

    one = await worker(who)
    one.meet("s2", "ada")
    assert (await one.call(who)).value == "nobody"
    assert (await one.call(who, socket="s2")).value == "ada"


async def test_a_plug_that_needs_a_user_is_not_run_for_nobody(worker):
    ran = []

    async def who(user: User) -> str:
        ran.append(user)
        return user.id

    one = await worker(who)
    one.meet("s2", "ada")
    assert (await one.call(who)).code == "unauthorized"
    assert ran == []
    assert (await one.call(who, socket="s2")).value == "ada"


async def test_a_user_that_changes_is_seen_by_the_next_call(worker):
    async def who(user: User | None) -> str:
        return user.id if user else "nobody"

    one = await worker(who)
    for user in ("ada", "bob", None):
        one.meet("s1", user)
        assert (await one.call(who)).value == (user or "nobody")


async def test_a_socket_that_has_gone_is_forgotten(worker):
    async def who(user: User | None) -> str:
        return user.id if user else "nobody"

    one = await worker(who)
    one.meet("s1", "ada")
    one.runner.forget("s1")
    assert (await one.call(who)).value == "nobody"


@pytest.mark.parametrize("name", ["", "a b", "é", "a" * 129, "a\n", None, 7, "a?b"], ids=repr)
async def test_an_event_must_be_a_name_that_fits_into_a_header(worker, name):
    async def speak(socket: Socket) -> str:
        with pytest.raises((ValueError, TypeError)):
            socket.send(name)
        return "refused"

    one = await worker(speak)
    assert (await one.call(speak)).ok
    assert one.sink.emits() == []


@pytest.mark.parametrize("name", ["a", "chat.message", "A_z-0:9/x", "a" * 128])
async def test_other_names_pass(worker, name):
    async def speak(server: Server) -> None:
        server.broadcast(name)

    assert (await (await worker(speak)).call(speak)).ok


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1002, ""),
        (1005, ""),
        (1006, ""),
        (999, ""),
        (3000, ""),
        (5000, ""),
        ("4502", ""),
        (True, ""),
        (4502, "x" * 124),
        (4502, "é" * 62),
        (4502, None),
        (4502, b"why"),
        (4502, "\ud800"),
    ],
    ids=repr,
)
async def test_a_kick_that_no_client_could_read_is_refused(worker, code, reason):
    async def speak(socket: Socket) -> None:
        with pytest.raises(ValueError, match="close"):
            socket.kick(code, reason)

    one = await worker(speak)
    assert (await one.call(speak)).ok
    assert one.sink.emits() == []


@pytest.mark.parametrize("code", [1000, 1001, 1008, 4000, 4499, 4500, 4999])
async def test_other_kicks_pass(worker, code):
    async def speak(socket: Socket) -> None:
        socket.kick(code, "é" * 61)

    assert (await (await worker(speak)).call(speak)).ok


async def test_a_socket_is_named_by_text(worker):
    async def speak(server: Server, socket: Socket) -> None:
        with pytest.raises(ValueError, match="`id`"):
            server.send(socket, "n")

    assert (await (await worker(speak)).call(speak)).ok


async def test_texts_of_a_class_of_their_own_are_sent_as_plain_ones(worker):
    class Text(str):
        __slots__ = ()

    async def speak(server: Server) -> None:
        server.send(Text("s1"), "n")
        server.kick("s1", reason=Text("why"))

    one = await worker(speak)
    assert (await one.call(speak)).ok
    sent, kicked = one.sink.emits()
    assert (type(sent.socket), type(kicked.reason)) == (str, str)


async def test_a_plug_that_was_ended_can_say_nothing_more(worker):
    refused = asyncio.Queue()

    async def linger(socket: Socket, server: Server) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for say in (lambda: socket.send("late"), lambda: server.broadcast("late"), socket.kick):
                try:
                    say()
                except CallEnded:
                    refused.put_nowait(True)

    one = await worker(linger)
    one.runner.cancel(one.start(linger))
    for _ in range(3):
        assert await refused.get()
    assert one.sink.emits() == []


async def test_a_thread_whose_call_was_ended_can_say_nothing_more(worker):
    entered, ended, refused = threading.Event(), threading.Event(), []

    def linger(socket: Socket, server: blocking.Server) -> None:
        entered.set()
        ended.wait()
        for say in (lambda: socket.send("late"), lambda: server.broadcast("late")):
            try:
                say()
            except CallEnded:
                refused.append(True)

    one = await worker(linger)
    sequence = one.start(linger)
    entered.wait()
    one.runner.cancel(sequence)
    ended.set()
    await until(lambda: one.runner._threads.lost == 0)
    assert refused == [True, True]
    assert one.sink.said == [Ended(sequence)]


async def test_what_a_thread_said_just_before_it_was_ended_is_not_sent(worker):
    said, ended = threading.Event(), threading.Event()

    def linger(socket: Socket) -> None:
        socket.send("in-time")
        said.set()
        ended.wait()

    one = await worker(linger)
    sequence = one.start(linger)
    said.wait()
    one.runner.cancel(sequence)
    ended.set()
    await until(lambda: one.runner._threads.lost == 0)
    assert one.sink.said == [Ended(sequence)]


async def test_what_a_plug_leaves_behind_speaks_on_in_nobodys_name(worker):
    may_speak, spoken = asyncio.Event(), asyncio.Event()
    tasks = []

    async def leave(socket: Socket, server: Server) -> None:
        async def speak() -> None:
            await may_speak.wait()
            socket.send("later")
            server.broadcast("later")
            spoken.set()

        tasks.append(asyncio.get_running_loop().create_task(speak()))

    one = await worker(leave)
    await one.call(leave)
    may_speak.set()
    await spoken.wait()
    assert one.sink.emits() == [Send("s1", "later", b"null", None, 0), Broadcast("later", b"null", None, 0)]


async def test_a_plug_whose_own_word_ends_its_call_is_cancelled_when_it_waits(worker):
    cancelled = asyncio.Event()

    async def leap(socket: Socket) -> None:
        socket.kick()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    one = await worker(leap)
    one.sink.hear = lambda said: one.runner.cancel(said.sequence)
    one.start(leap)
    await cancelled.wait()
    await asyncio.sleep(0)
    assert [type(said) for said in one.sink.said] == [Kick, Ended]


async def test_a_plug_whose_own_word_ends_its_call_and_that_returns_is_not_answered(worker):
    async def leap(socket: Socket) -> None:
        socket.kick()

    one = await worker(leap)
    one.sink.hear = lambda said: one.runner.cancel(said.sequence)
    one.start(leap)
    assert [type(said) for said in one.sink.said] == [Kick, Ended]


async def test_a_socket_can_be_shown(worker):
    async def show(socket: Socket) -> str:
        return repr(socket)

    assert (await (await worker(show)).call(show)).value == "<Socket s1>"


# Topics.


async def test_a_socket_joins_and_leaves(worker):
    async def move(socket: Socket) -> None:
        socket.join("room.kitchen", {"mood": "hungry"})
        socket.join("room.hall")
        socket.leave("room.attic")

    one = await worker(move)
    answer = await one.call(move)
    assert one.sink.said == [
        Join("s1", "room.kitchen", b'{"mood":"hungry"}', answer.sequence),
        Join("s1", "room.hall", None, answer.sequence),
        Leave("s1", "room.attic", answer.sequence),
        answer,
    ]


async def test_what_is_published_is_encoded_once_and_for_those_who_have_what_it_requires(worker):
    async def speak(server: Server) -> None:
        server.publish("room", "chat.message", [1])
        server.publish("room", "price", 2, requires=["sales.read", any_of("a", "b")])

    def speak_in_a_thread(server: blocking.Server) -> None:
        server.publish("room", "chat.message")

    one = await worker(speak, speak_in_a_thread)
    one.runner.mouth.msgpack = True
    first = await one.call(speak)
    one.runner.mouth.msgpack = False
    second = await one.call(speak_in_a_thread)
    assert one.sink.emits() == [
        Publish("room", "chat.message", b"[1]", b"\x91\x01", first.sequence),
        Publish("room", "price", b"2", b"\x02", first.sequence, (("sales.read",), ("a", "b"))),
        Publish("room", "chat.message", b"null", None, second.sequence),
    ]


async def test_other_pushes_can_require_something_too(worker):
    async def speak(server: Server) -> None:
        server.broadcast("news", requires="news.read")
        server.send("s9", "psst", requires="secrets")

    one = await worker(speak)
    answer = await one.call(speak)
    assert one.sink.emits() == [
        Broadcast("news", b"null", None, answer.sequence, (("news.read",),)),
        Send("s9", "psst", b"null", None, answer.sequence, (("secrets",),)),
    ]


@pytest.mark.parametrize(
    "word",
    [
        lambda server, socket: socket.join("a b"),
        lambda server, socket: socket.join("room", "x" * 5000),
        lambda server, socket: socket.leave("-"),
        lambda server, socket: server.publish("-", "n"),
        lambda server, socket: server.publish("room", "a b"),
        lambda server, socket: server.publish("room", "n", float("nan")),
        lambda server, socket: server.publish("room", "n", requires="a:{b}"),
        lambda server, socket: server.broadcast("n", requires="*"),
        lambda server, socket: server.send("s1", "n", requires=[]),
        lambda server, socket: server.changed(),
        lambda server, socket: server.changed("a//b"),
        lambda server, socket: server.reads("*"),
    ],
)
async def test_a_word_that_nobody_could_read_is_refused_and_the_next_one_is_not(worker, word):
    async def speak(socket: Socket, server: Server) -> None:
        with pytest.raises(ValueError):
            word(server, socket)
        socket.send("still-here")

    one = await worker(speak)
    assert (await one.call(speak)).ok
    assert [emit.event for emit in one.sink.emits()] == ["still-here"]


async def test_a_socket_knows_its_topics_from_what_was_heard_and_what_its_call_has_said_since(worker):
    may_go_on, seen = asyncio.Event(), asyncio.Queue()

    async def move(socket: Socket) -> None:
        seen.put_nowait(socket.topics)
        socket.join("c")
        socket.leave("a")
        socket.leave("d")
        seen.put_nowait(socket.topics)
        await may_go_on.wait()
        seen.put_nowait(socket.topics)
        socket.join("d")
        seen.put_nowait(socket.topics)

    one = await worker(move)
    one.runner.peers.put(SocketState("s1", None, [], None, 0, ["a", "b"]))
    sequence = one.start(move)
    one.runner.peers.put(SocketState("s1", None, [], None, 0, ["b", "e"]))
    may_go_on.set()
    await one.sink.answer_of(sequence)
    assert [seen.get_nowait() for _ in range(4)] == [{"a", "b"}, {"b", "c"}, {"b", "e"}, {"b", "d", "e"}]


async def test_a_socket_that_nobody_has_heard_of_is_in_no_topic(worker):
    async def topics(socket: Socket) -> list[str]:
        return sorted(socket.topics)

    one = await worker(topics)
    assert (await one.call(topics)).value == []


async def test_who_has_returned_from_what_requires_something_joins_in_nobodys_name(worker):
    kept = []

    async def keep(socket: Socket) -> None:
        kept.append(socket)

    one = await worker(keep, requires=(("a",),))
    await one.call(keep)
    kept[0].join("room")
    assert one.sink.emits() == [Join("s1", "room", None, 0)]


async def test_what_has_changed_is_said(worker):
    async def change(server: Server) -> None:
        server.changed("orders/42", "stock/*")

    def change_in_a_thread(server: blocking.Server) -> None:
        server.changed("orders")

    one = await worker(change, change_in_a_thread)
    await one.call(change)
    await one.call(change_in_a_thread)
    assert one.sink.emits() == [Touch(["orders/42", "stock/*"]), Touch(["orders"])]


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_call_that_was_ended_says_what_it_has_changed_all_the_same(worker, is_async):
    began, goes_on = threading.Event(), threading.Event()

    async def change(server: Server) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            server.changed("orders")

    def change_in_a_thread(server: blocking.Server) -> None:
        began.set()
        goes_on.wait()
        server.changed("orders")

    plug = change if is_async else change_in_a_thread
    one = await worker(plug)
    sequence = one.start(plug)
    await asyncio.to_thread(began.wait)
    one.runner.cancel(sequence)
    goes_on.set()
    await one.sink.until(lambda: Ended(sequence) in one.sink.said)
    assert one.sink.emits() == [Touch(["orders"])]


async def test_outside_of_a_view_it_is_nobodys_business_what_is_read(worker):
    async def read(server: Server) -> None:
        for n in range(2000):
            server.reads(f"orders/{n}")

    one = await worker(read)
    answer = await one.call(read)
    assert (answer.value, one.sink.said) == (None, [answer])
