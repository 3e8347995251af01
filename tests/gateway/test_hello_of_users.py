"""The beginning and the taking up of a session where people have to say who they are, and their new tokens."""

import pytest

from plugsock.gateway.protected import Protected
from support.identified import enter, guarded, known, question, refresh
from support.scripted import Stage, announce

# Who says hello.


@pytest.mark.parametrize("auth", ["auto", "required"])
async def test_nobody_that_is_known_is_refused_and_should_not_come_back(auth):
    stage = guarded(announce("a"), auth=auth)
    client = stage.client()
    client.say('hello 1 plugsock {"token":"x"}')
    client.say("call 2 a")
    stage.answer(question(stage), None)
    assert client.faults() == [("1", "unauthorized")]
    assert client.wire.closed[0] == 4501
    assert stage.link.calls == []


@pytest.mark.parametrize(("code", "closed"), [("plug_error", 4001), ("worker_lost", 4001), ("no_tenant", 4501)])
async def test_who_cannot_be_looked_at_now_should_come_back(code, closed):
    stage = guarded()
    client = stage.client()
    client.say("hello 1 plugsock {}")
    stage.answer(question(stage), error=code)
    assert client.faults() == [("1", "overloaded" if closed == 4001 else code)]
    assert client.wire.closed[0] == closed


async def test_where_something_is_required_and_nobody_can_be_asked_everybody_should_come_back():
    stage = Stage(announce("a", requires=(("p",),)))
    client = stage.client()
    client.say("hello 1 plugsock {}")
    assert client.faults() == [("1", "overloaded")]
    assert client.wire.closed[0] == 4001


async def test_nobody_is_welcome_where_it_is_optional():
    stage = guarded(auth="optional")
    client = stage.client()
    client.say("hello 1 plugsock {}")
    stage.answer(question(stage), None)
    assert client.heard()[0].startswith("welcome 1 ")


async def test_welcome_says_who_one_is_and_what_one_may_do():
    stage = guarded()
    welcome = enter(stage, stage.client(), known("ada", ["b", "a.*"]))
    assert (welcome["user"], welcome["permissions"]) == ("ada", ["a.*", "b"])


@pytest.mark.fault("A5")
async def test_an_identity_that_is_over_is_none():
    stage = guarded()
    client = stage.client()
    client.say("hello 1 plugsock {}")
    stage.answer(question(stage), known(expires=1.0))
    assert client.faults() == [("1", "token_expired")]
    assert client.wire.closed[0] == 4501


async def test_what_is_said_before_the_welcome_is_heard_after_it_and_in_order():
    stage = guarded(announce("a"))
    client = stage.client()
    client.say("hello 1 plugsock {}")
    client.say("call 2 a")
    client.say("hello 3 plugsock {}")
    client.say("ping")
    asked = question(stage)
    assert stage.link.calls == []
    stage.answer(asked, known())
    assert [call.event for call in stage.link.calls] == ["a"]
    assert [frame.split(" ")[0:2] for frame in client.heard()] == [["welcome", "1"], ["error", "0"], ["pong"]]


@pytest.mark.parametrize("messages", [[b"x" * 600_000] * 2, [b"ping"] * 1_025])
async def test_too_much_said_before_the_welcome_is_thrown_away_with_its_socket(messages):
    stage = guarded(announce("a"))
    client = stage.client()
    client.say("hello 1 plugsock {}")
    client.say("call 2 a")
    for message in messages:
        client.say(message)
    assert client.wire.closed[0] == 1008
    stage.answer(question(stage), known())
    assert (client.heard(), stage.link.calls) == ([], [])


@pytest.mark.parametrize("gone", [lambda client: client.leave(), lambda client: client.peer.kick(4000, "")])
async def test_a_verdict_on_somebody_who_has_gone_or_is_being_closed_opens_nothing(gone):
    stage = guarded(announce("a"))
    first = stage.client()
    key = enter(stage, first, known("ada"))["resume"]
    first.leave()
    client = stage.client()
    client.say(f'hello 1 plugsock {{"resume":"{key}"}}')
    client.say("call 2 a")
    gone(client)
    stage.answer(question(stage), known("ada"))
    assert (client.heard(), stage.link.calls) == ([], [])
    assert enter(stage, stage.client(), known("ada"), resume=key)["resumed"], "its key was not used up"


async def test_the_rest_is_not_heard_once_what_was_said_first_has_closed_the_socket():
    stage = guarded(announce("a"))
    client = stage.client()
    client.say("hello 1 plugsock {}")
    client.say("call 2 a")
    client.say("call 3 a")
    asked = question(stage)
    heard = stage.link.call
    stage.link.call = lambda call: (heard(call), client.peer.kick(4502, ""))
    stage.answer(asked, known())
    assert [call.id for call in stage.link.calls] == [b"2"]


# Resuming.


@pytest.mark.fault("A15")
async def test_a_key_is_of_no_use_to_another_user_and_stays_good_for_its_own():
    stage = guarded(announce("a"))
    client = stage.client()
    welcome = enter(stage, client, known("ada"))
    client.say("call 2 a")
    stage.answer(stage.link.calls.pop(), "secret")
    client.leave()
    thief = stage.client()
    stolen = enter(stage, thief, known("eve"), resume=welcome["resume"], open={"2": 0})
    assert (stolen["resumed"], stolen["user"]) == (False, "eve")
    assert stolen["session"] != welcome["session"]
    assert thief.faults() == [("2", "unknown_outcome")]
    back = stage.client()
    assert enter(stage, back, known("ada"), resume=welcome["resume"], open={"2": 0})["resumed"]
    assert back.heard() == ['ok 2 "secret"']


@pytest.mark.fault("A15")
async def test_who_comes_back_has_the_rights_of_the_new_token_and_no_others():
    stage = guarded(announce("a", requires=(("p",),)), announce("b", requires=(("p",),)))
    client = stage.client()
    key = enter(stage, client, known("ada", ["p"]))["resume"]
    client.say("call 2 a")
    client.say("call 3 b")
    answered, running = stage.link.calls
    stage.answer(answered, "secret")
    client.leave()
    stage.link.calls.clear()
    back = stage.client()
    welcome = enter(stage, back, known("ada", []), resume=key, open={"2": 0, "3": 0})
    assert (welcome["resumed"], welcome["permissions"]) == (True, [])
    assert back.faults() == [("2", "revoked"), ("3", "revoked")], "each once"
    stage.answer(running, "secret")
    assert back.heard() == []
    back.say("call 4 a")
    assert back.faults() == [("4", "forbidden")]


async def test_a_session_that_was_nobodys_is_not_taken_up_by_somebody():
    stage = guarded(auth="optional")
    client = stage.client()
    client.say("hello 1 plugsock {}")
    stage.answer(question(stage), None)
    key = client.peer.key
    client.leave()
    assert not enter(stage, stage.client(), known("eve"), resume=key)["resumed"]


async def test_a_socket_that_lost_its_session_to_another_has_nothing_protected_left_to_send():
    stage = guarded()
    old = stage.client()
    key = enter(stage, old, known("ada"))["resume"]
    withheld = []
    old.wire.withhold = lambda may_see, instead: withheld.append((may_see, instead))
    enter(stage, stage.client(), known("ada", ["*"]), resume=key)
    may_see, instead = withheld[-1]
    frame = Protected(b"ok 1 1", (("p",),))
    assert not may_see(frame)
    assert instead(False, frame) is None


# A new token.


async def test_a_token_of_the_same_user_changes_what_they_may_do():
    stage = guarded(announce("a", requires=(("p",),)), announce("b", requires=(("q",),)))
    client = stage.client()
    enter(stage, client, known("ada", ["p"]))
    client.say("call 2 a")
    refresh(stage, client, known("ada", ["q"], 9e9))
    client.say("call 1001 b")
    revoked, refreshed = client.heard()
    assert revoked.startswith('error 2 {"code":"revoked"')
    assert refreshed == 'ok 1000 {"user":"ada","permissions":["q"],"expires":9000000000.0}'
    assert [call.event for call in stage.link.calls] == ["a", "b"]


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(None, "unauthorized"), (known("eve", ["q"]), "unauthorized"), (known("ada", ["q"], 1.0), "token_expired")],
)
async def test_a_token_that_is_another_users_or_nobodys_or_over_changes_nothing(verdict, code):
    stage = guarded(announce("a", requires=(("p",),)))
    client = stage.client()
    enter(stage, client, known("ada", ["p"]))
    refresh(stage, client, verdict)
    assert client.faults() == [("1000", code)]
    client.say("call 1001 a")
    assert len(stage.link.calls) == 1
    assert client.wire.closed is None


async def test_tokens_are_looked_at_one_at_a_time():
    stage = guarded()
    client = stage.client()
    enter(stage, client)
    client.say('token 2 plugsock {"token":"a"}')
    client.say('token 3 plugsock {"token":"b"}')
    assert client.faults() == [("3", "overloaded")]
    stage.answer(question(stage), known())
    refresh(stage, client, known())
    assert [frame.split(" ")[:2] for frame in client.heard()] == [["ok", "2"], ["ok", "1000"]]


async def test_a_verdict_on_a_token_comes_too_late_once_the_session_goes_on_elsewhere():
    stage = guarded()
    client = stage.client()
    key = enter(stage, client, known("ada", ["p"]))["resume"]
    client.say('token 2 plugsock {"token":"a"}')
    asked = question(stage)
    back = stage.client()
    enter(stage, back, known("ada", ["q"]), resume=key)
    stage.answer(asked, known("ada", ["p"]))
    assert back.heard() == []
    assert back.peer.rights.listing() == ["q"]
    refresh(stage, back, known("ada", ["r"]))
    assert back.peer.rights.listing() == ["r"]


@pytest.mark.parametrize("payload", ["", "{}", '{"token":1}', "["])
async def test_a_token_that_is_none_is_refused(payload):
    stage = guarded()
    client = stage.client()
    enter(stage, client)
    client.say(f"token 2 plugsock {payload}")
    client.say("token 3 somebody {}")
    assert client.faults() == [("2", "bad_payload"), ("0", "bad_frame")]


async def test_a_server_that_asks_nobody_knows_no_tokens():
    client = Stage().client()
    client.hello()
    client.say('token 2 plugsock {"token":"x"}')
    assert client.faults() == [("2", "unauthorized")]
