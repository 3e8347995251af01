import asyncio
import enum
import threading

import pytest

from plugsock import CallEnded, Server, Socket, User, blocking
from plugsock.rpc.frames import Broadcast, Kick, KickUser, Send
from plugsock.worker.words import event_name, permission_text
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


@pytest.mark.parametrize("permission", ["a", "orders.read:berlin", "orders.*", "orders:*", "*", "A_z-0/9", "a" * 128])
def test_other_permissions_pass(permission):
    assert permission_text(permission) == permission


def test_a_permission_that_only_looks_right_shows_why():
    with pytest.raises(ValueError, match=r"not 'orders\.r\\u0435ad'"):
        permission_text("orders.r\u0435ad")


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


def test_a_name_that_is_more_than_a_text_is_kept_as_a_text():
    class Event(enum.StrEnum):
        SENT = "chat.sent"

    assert type(event_name(Event.SENT)) is str
    with pytest.raises(ValueError, match="an event is called"):
        event_name(["chat"])
