import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.model import Announcement, Kind, Problem, Reach
from plugsock.rpc.admin import (
    Grant,
    Granted,
    Join,
    JoinAddress,
    Kick,
    Kicked,
    List,
    Listing,
    Present,
    Processes,
    Ps,
    Refused,
    Reload,
    Reloaded,
    Revoke,
    Revoked,
    Stop,
    Stopping,
    Swap,
    Swapped,
    UserRow,
    Who,
    decode_reply,
    decode_request,
    encode,
)
from support.scripted import row

GREET = Announcement("greet", "5e0c1a22", Kind.CALL, "(name: str)", "str", "Say hello.", "plugs/greet.py:4")
ADA = UserRow(user="ada", sockets=1, permissions=["a", "!b"], expires=1.5, granted=["a"], denied=["b"])
BROKEN = Problem("plugs/chat.py", 3, "name 'x' is not defined", ("chat.send",))


@pytest.mark.parametrize(
    "request_",
    [
        *(List(), Swap(), Ps(), Reload(), Join(), Who(), Stop(), List(key="secret"), Swap(allow_open=True)),
        *(Grant(user="ada", permission="a.*"), Revoke(user="ada", permission="*")),
        *(Kick(user="ada"), Kick(user="ada", code=4000, reason="two\nlines")),
    ],
)
def test_a_request_is_a_line_that_reads_back_as_itself(request_):
    line = encode(request_)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_request(line) == request_


def test_a_request_can_be_typed_by_hand():
    assert decode_request(b'{"do": "swap"}\r\n') == Swap()


@pytest.mark.parametrize(
    "reply",
    [
        Listing(url="ws://127.0.0.1:1", pid=7, events=[GREET], problems=[BROKEN]),
        Swapped(changed=["a"], gone=["b"], problems=[]),
        Processes(workers=[row(1), row(2, set="reports")]),
        Reloaded(workers=2),
        JoinAddress(address="127.0.0.1:1", key="secret"),
        Granted(reach=Reach(1, 2, 3), standing=["*"]),
        Revoked(reach=Reach(1, 2, 3)),
        Kicked(sockets=2),
        Present(users=[ADA], anonymous=1),
        Present(users=[ADA], anonymous=1, anonymous_shapes=["5d41402abc4b"], shapes={"5d41402abc4b": 1}),
        Stopping(),
        Refused(message="two\nlines"),
    ],
)
def test_a_reply_is_a_line_that_reads_back_as_itself(reply):
    line = encode(reply)

    assert line.count(b"\n") == 1
    assert decode_reply(line) == reply


@given(st.binary())
def test_what_is_no_request_is_refused_and_nothing_worse(line):
    with pytest.raises(ValueError):
        decode_request(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"do":"format"}',
        b'{"do":7}',
        b"[" * 100_000,
        b'{"do":"list","key":"\xff"}',
        b'{"do":"grant","user":"a"}',
        b'{"do":"kick","user":"a","code":1000}',
    ],
)
def test_what_is_nearly_one_is_refused_too(line):
    with pytest.raises(ValueError):
        decode_request(line)


def test_what_is_no_reply_is_refused():
    with pytest.raises(ValueError):
        decode_reply(b'{"is":"welcome"}\n')
