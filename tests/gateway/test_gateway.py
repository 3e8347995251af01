"""What plugs say on their own, and what everybody hears of it."""

import msgspec

from plugsock.rpc.frames import Broadcast, Kick, Send
from support.scripted import Stage


async def test_a_push_goes_to_one_socket():
    stage = Stage()
    one, other = stage.client(), stage.client()
    stage.gateway.emit(Send(one.peer.id, "chat.message", b'{"a":1}', None, 0))
    stage.gateway.emit(Send("nobody", "chat.message", b"{}", None, 0))
    assert one.heard() == ['push - chat.message {"a":1}']
    assert other.heard() == []


async def test_a_broadcast_reaches_each_socket_in_its_format():
    stage = Stage()
    text, binary = stage.client(), stage.client()
    binary.hello(format="msgpack")
    stage.gateway.emit(Broadcast("news", b"[1]", b"\x91\x01", 0))
    assert text.heard() == ["push - news [1]"]
    assert binary.wire.frames == [(True, b"push - news \x91\x01")]


async def test_a_push_encoded_before_anybody_wanted_messagepack_is_encoded_again():
    stage = Stage()
    client = stage.client()
    client.hello(format="msgpack")
    stage.gateway.emit(Send(client.peer.id, "news", b'{"a":[1]}', None, 0))
    [(_, frame)] = client.wire.frames
    assert msgspec.msgpack.decode(frame.removeprefix(b"push - news ")) == {"a": [1]}


async def test_a_kick_closes_the_socket():
    stage = Stage()
    client = stage.client()
    stage.gateway.emit(Kick(client.peer.id, 4502, "Bye.", 0))
    stage.gateway.emit(Kick("nobody", 4502, "Bye.", 0))
    assert client.wire.closed == (4502, "Bye.")


async def test_the_gateway_is_ready_once_the_plugs_are_loaded():
    stage = Stage()
    assert stage.gateway.ready.is_set()
