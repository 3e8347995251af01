"""Who somebody is, from what they show when they connect to the plug that asks."""

import asyncio
import contextlib
import time

import pytest
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import WebSocketException

from plugsock import Error
from support.identity import AUTH, ME, hello, line
from support.once import connect
from support.server import LIMIT_S, running

pytestmark = pytest.mark.end_to_end

INLINE, WORKERS = ("--workers", "0"), ("--workers", "2")
both = pytest.mark.parametrize("flags", [INLINE, WORKERS], ids=["inline", "workers"])

READ = """
from plugsock import plug

@plug(requires="orders.read")
async def read() -> int:
    return 7
"""


async def refused(server, token=None, **headers):
    """What somebody is told who is not let in: all frames, and the close code."""
    async with line(server, **headers) as stranger:
        await stranger.says(hello(token))
        return await stranger.ended()


# what is shown


@both
async def test_a_token_in_hello_says_who_one_is_to_client_and_plugs(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server, connect(server.url, "ada") as ada:
        assert ada.user == "ada"
        assert ada.permissions == ["notes.*", "orders.read", "orders.write", "shops.read:berlin"]
        assert await ada.call("me") == "ada"
        assert await ada.call("me.mine") == ["ada", *ada.permissions]


async def test_a_bearer_token_of_the_request_counts_and_the_one_in_hello_goes_before(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, auth=AUTH, me=ME) as server:
        async with line(server, Authorization="Bearer ada") as ada:
            await ada.says(hello())
            assert (await ada.hears())[1]["user"] == "ada"
        async with line(server, "bob", Authorization="Bearer ada") as bob:
            assert await bob.asks("call 2 me") == "bob"
        _, code = await refused(server, Authorization="Basic ada")
        assert code == 4501


async def test_a_cookie_counts_only_if_it_comes_from_a_page_of_the_server(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, auth=AUTH, me=ME) as server:
        own = server.url.replace("ws://", "http://")
        async with line(server, Origin=own, Cookie="theme=dark; session=ada") as page:
            await page.says(hello(), "call 2 me")
            assert [(await page.hears())[0], await page.hears()] == ["welcome 1", ("ok 2", "ada")]
        heard, code = await refused(server, Cookie="session=ada")
        assert (heard[0][1]["code"], code) == ("unauthorized", 4501)


# who is let in


@pytest.mark.fault("A2")
@both
async def test_whatever_is_wrong_with_a_token_has_one_answer(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server:
        wrong = [None, "", "adA", "ada ", "nobody", "x" * 50_000, "\N{CYRILLIC SMALL LETTER A}da"]
        answers = [await refused(server, token) for token in wrong]
        assert all(answer == answers[0] for answer in answers)
        heard, code = answers[0]
        assert ([head for head, _ in heard], heard[0][1]["code"], code) == (["error 1"], "unauthorized", 4501)

        with pytest.raises(Error, match="unauthorized: Nobody knows you"):
            async with connect(server.url, "nobody"):
                pass


@both
async def test_calls_right_behind_hello_wait_for_the_verdict(tmp_path, flags):
    slow = AUTH.replace("    name, _", "    await __import__('asyncio').sleep(0.2)\n    name, _")
    counted = ME.replace("async def me(", "async def me(", 1) + (
        "\nruns = []\n\n@plug\nasync def count() -> int:\n    runs.append(1)\n    return len(runs)\n"
    )
    async with running(tmp_path / "plugs", *flags, auth=slow, me=counted) as server:
        async with line(server) as nobody:
            await nobody.says(hello("nobody"), "call 2 me.count", "call 3 me.count {}", "ping")
            heard, code = await nobody.ended()
            assert ([head for head, _ in heard], code) == (["error 1"], 4501)
        async with line(server) as ada:
            await ada.says(hello("ada"), "call 2 me", "call 3 me {}", "call 4 me.count", "ping")
            frames = [await ada.hears() for _ in range(5)]
            assert frames[0][0] == "welcome 1"
            assert sorted(frames[1:], key=str) == [("ok 2", "ada"), ("ok 3", "ada"), ("ok 4", 1), ("pong", None)]


async def test_who_calls_before_hello_is_told_to_say_it(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, auth=AUTH, me=ME) as server, line(server) as stranger:
        assert await stranger.asks("call 1 me") == "unauthorized"
        assert await stranger.asks("call 2 me {}") == "unauthorized"
        assert await stranger.asks("call 3 echo 1") == "unauthorized"


@pytest.mark.fault("A1")
async def test_who_never_says_hello_is_closed(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, auth=AUTH) as server, line(server) as silent:
        began = time.monotonic()
        assert await silent.ended() == ([], 4005)
        assert time.monotonic() - began > 9


# whether one is asked


async def test_without_anything_to_protect_nobody_is_asked(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, me=ME) as server:
        async with connect(server.url) as client:
            assert (client.user, client.permissions, await client.call("me")) == (None, [], None)
        async with connect(server.url, "whatever") as client:
            assert client.user is None
            with pytest.raises(Error, match="unauthorized"):
                await client.refresh("whatever")


@pytest.mark.fault("A17")
@both
async def test_with_something_to_protect_and_nobody_to_ask_nobody_is_let_in_until_there_is(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, read=READ) as server:
        heard, code = await refused(server, "ada")
        assert ([head for head, _ in heard], heard[0][1]["code"], code) == (["error 1"], "overloaded", 4001)
        with pytest.raises(Error, match="overloaded: The server can't find out who you are"):
            async with connect(server.url, "ada"):
                pass

        server.save("auth.py", AUTH)
        await until_welcome(server, "ada")
        async with connect(server.url, "ada") as ada:
            assert await ada.call("read") == 7


async def until_welcome(server, token):
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                async with connect(server.url, token):
                    return
            except Error:
                await asyncio.sleep(0.02)


@pytest.mark.fault("A17")
@both
async def test_while_a_file_that_failed_at_the_start_still_fails_nobody_is_let_in(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, me=ME, auth="def who(:\n") as server:
        _, code = await refused(server, "ada")
        assert code == 4001
        async with line(server) as stranger:
            assert await stranger.asks("call 1 me") == "unauthorized"
        server.save("auth.py", AUTH)
        await until_welcome(server, "ada")
        _, code = await refused(server, "nobody")
        assert code == 4501


@both
async def test_where_it_is_optional_who_is_not_known_is_nobody(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, "--auth", "optional", auth=AUTH, me=ME, read=READ) as server:
        for token in (None, "nobody"):
            async with connect(server.url, token) as client:
                assert (client.user, await client.call("me")) == (None, None)
                for event in ("read", "me.mine"):
                    with pytest.raises(Error, match="unauthorized"):
                        await client.call(event)
        async with connect(server.url, hello=False) as client:
            assert await client.call("me") is None
        async with connect(server.url, "ada") as client:
            assert (await client.call("me"), await client.call("read")) == ("ada", 7)


async def test_where_nobody_is_asked_what_is_protected_is_for_nobody(tmp_path):
    async with (
        running(tmp_path / "plugs", *INLINE, "--auth", "none", auth=AUTH, me=ME, read=READ) as server,
        connect(server.url, "ada") as client,
    ):
        assert (client.user, await client.call("me")) == (None, None)
        with pytest.raises(Error, match="unauthorized"):
            await client.call("read")


async def test_where_it_is_required_there_need_be_nothing_to_protect(tmp_path):
    async with running(tmp_path / "plugs", *INLINE, "--auth", "required", me=ME) as server:
        heard, code = await refused(server)
        assert (heard[0][1]["code"], code) == ("overloaded", 4001)


# what becomes of the one who is asked


@pytest.mark.fault("A17")
@both
async def test_a_broken_save_of_the_authenticator_leaves_the_last_good_one(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server, connect(server.url, "bob") as bob:
        server.save("auth.py", AUTH.replace("return None", "return None ("))
        await server.says(r"auth\.py")
        async with connect(server.url, "ada") as ada:
            assert await ada.call("me") == "ada"
        _, code = await refused(server, "nobody")
        assert code == 4501
        assert await bob.call("me") == "bob"


@both
async def test_a_new_authenticator_is_asked_from_then_on_and_those_who_are_in_stay(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server, connect(server.url, "ada") as ada:
        server.save("auth.py", AUTH.replace('"ada":', '"lin":'))
        await until_welcome(server, "lin")
        assert (await refused(server, "ada"))[1] == 4501
        assert await ada.call("me") == "ada"
        with pytest.raises(Error, match="unauthorized"):
            await ada.refresh("ada")
        assert await ada.call("me") == "ada"


@both
async def test_when_there_is_somebody_to_ask_who_is_here_has_to_come_back_and_say_who_they_are(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, me=ME) as server, line(server) as stranger:
        assert await stranger.asks("call 1 me") is None
        server.save("auth.py", AUTH)
        heard, code = await stranger.ended()
        assert ([head for head, _ in heard if head != "notice plugs"], code) == ([], 4005)
        assert (await refused(server, "nobody"))[1] == 4501


@both
async def test_an_authenticator_that_is_deleted_goes_on(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server, connect(server.url, "ada") as ada:
        (server.folder / "auth.py").unlink()
        await server.says("the last @authenticate")
        assert await ada.call("me") == "ada"
        assert (await refused(server, "nobody"))[1] == 4501


@pytest.mark.parametrize("body", ["raise RuntimeError", "time.sleep(1)", "return 5", "return User('')"])
async def test_one_that_fails_lets_nobody_in_and_says_why_in_the_log(tmp_path, body):
    failing = AUTH.replace("@authenticate\nasync def", "@authenticate(timeout=0.2)\ndef").replace(
        '"""\n    name', f'"""\n    {body}\n    name'
    )
    async with running(tmp_path / "plugs", *INLINE, auth=failing) as server:
        heard, code = await refused(server, "ada")
        assert (heard[0][1]["code"], heard[0][1]["retry"], code) == ("overloaded", True, 4001)
        await server.says("@authenticate")


# time


@pytest.mark.fault("A5")
@both
async def test_when_a_token_has_expired_nothing_can_be_called_until_there_is_a_new_one(tmp_path, flags):
    notices = asyncio.Queue()
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server, connect(server.url, "ada/1") as ada:
        ada.on_notice(lambda *notice: notices.put_nowait(notice))
        assert await ada.call("me") == "ada"
        async with asyncio.timeout(LIMIT_S):
            assert await notices.get() == ("token", {"expired": True, "grace_ms": 30_000})
        for args in (None, {}):
            with pytest.raises(Error, match="token_expired"):
                await ada.call("me", args)
        with pytest.raises(Error, match="unauthorized"):
            await ada.refresh("nobody")
        with pytest.raises(Error, match="token_expired"):
            await ada.call("me")

        began = time.time()
        assert await ada.refresh("ada/60") == pytest.approx(began + 60, abs=20)
        assert await ada.call("me") == "ada"


@pytest.mark.fault("A5")
@pytest.mark.parametrize("token", ["ada/-1", "ada/-100000"])
async def test_a_token_that_has_expired_already_lets_nobody_in(tmp_path, token):
    async with running(tmp_path / "plugs", *INLINE, auth=AUTH, me=ME) as server:
        async with line(server) as late:
            await late.says(hello(token), "call 2 me", "call 3 me {}")
            heard, code = await late.ended()
        assert ([(head, data["code"]) for head, data in heard], code) == ([("error 1", "token_expired")], 4501)

        async with connect(server.url, "ada") as ada:
            with pytest.raises(Error, match="token_expired"):
                await ada.refresh(token)
            assert await ada.call("me") == "ada"


@both
async def test_a_new_token_brings_other_permissions_and_no_other_user(tmp_path, flags):
    changing = AUTH.replace(
        "    return User", '    if hello.token == "eve/60":\n        return User("eve", MAY["bob"])\n    return User'
    )
    async with (
        running(tmp_path / "plugs", *flags, auth=changing, me=ME, read=READ) as server,
        connect(server.url, "eve") as eve,
    ):
        with pytest.raises(Error, match="forbidden"):
            await eve.call("read")
        with pytest.raises(Error, match="unauthorized: That token is another user's"):
            await eve.refresh("ada")
        assert (eve.user, await eve.call("me")) == ("eve", "eve")
        await eve.refresh("eve/60")
        assert (eve.permissions, await eve.call("read")) == (["orders.read"], 7)
        assert await eve.call("me.mine") == ["eve", "orders.read"]
        await eve.refresh("eve")
        with pytest.raises(Error, match="forbidden"):
            await eve.call("read")


# sessions


@pytest.mark.fault("A15")
@both
async def test_a_session_is_taken_up_by_its_own_user_only(tmp_path, flags):
    async with running(tmp_path / "plugs", *flags, auth=AUTH, me=ME) as server:
        async with connect(server.url, "ada") as ada:
            key = ada.welcome["resume"]
        async with line(server) as bob:
            await bob.says(hello("bob", resume=key))
            welcome = (await bob.hears())[1]
            assert (welcome["user"], welcome["resumed"]) == ("bob", False)
            assert await bob.asks("call 2 me") == "bob"
        assert (await refused(server, "nobody"))[1] == 4501
        async with line(server) as stranger:
            await stranger.says(hello("nobody", resume=key))
            assert (await stranger.ended())[1] == 4501
        async with line(server) as ada:
            await ada.says(hello("ada", resume=key))
            welcome = (await ada.hears())[1]
            assert (welcome["user"], welcome["resumed"]) == ("ada", True)
            assert await ada.asks("call 2 me") == "ada"


# what is said of a token


SENTINEL = "s3nt1nel-0f-a-t0ken"

CARELESS = """
from plugsock import Hello, User, authenticate
KEYS = {"good": "ada"}

@authenticate
async def who(hello: Hello) -> User | None:
    name = KEYS[(hello.token or "").partition("/")[0]]
    return User(name)
"""


@pytest.mark.fault("A4")
@pytest.mark.parametrize("auth", [AUTH, CARELESS], ids=["careful", "careless"])
@both
async def test_a_token_is_in_no_log_and_in_no_answer(tmp_path, flags, auth):
    async with running(tmp_path / "plugs", *flags, "--dev", auth=auth, me=ME) as server:
        said = [await refused(server, SENTINEL), await refused(server, None, Authorization=f"Bearer {SENTINEL}")]
        said.append(await refused(server, None, Cookie=f"session={SENTINEL}"))
        for path, headers in (
            (f"/?token={SENTINEL}", {}),
            (f"/{SENTINEL}", {}),
            ("/", {"Origin": "http://elsewhere.example", "Cookie": f"session={SENTINEL}"}),
            ("/", {"Authorization": f"Bearer {SENTINEL}", "Sec-WebSocket-Version": "7"}),
        ):
            with contextlib.suppress(WebSocketException):
                async with open_websocket(server.url + path, additional_headers=headers) as websocket:
                    await websocket.send(hello())
                    said.append(await websocket.recv())
        async with line(server) as stranger:
            bad = [f'{{"token":["{SENTINEL}"]}}', f'{{"token":"{SENTINEL}"', f'{{"{SENTINEL}":1,"v":2}}', SENTINEL]
            for payload in bad:
                await stranger.says(f"hello 1 plugsock {payload}")
                said.append(await stranger.hears())
        async with line(server, "ada" if auth is AUTH else "good") as ada:
            for number, payload in enumerate([f'{{"token":"{SENTINEL}"}}', *bad], 2):
                await ada.says(f"token {number} plugsock {payload}")
                said.append(await ada.hears())
        await server.says("@authenticate|unauthorized" if auth is CARELESS else "listens")
    assert SENTINEL not in repr(said)
    assert [text for text in server.out + server.err if SENTINEL in text] == []
