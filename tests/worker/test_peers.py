from plugsock import User
from plugsock.rpc.frames import SocketState
from plugsock.worker.peers import Peers


def test_the_latest_word_about_a_socket_counts():
    peers = Peers()
    peers.put(SocketState("s1", "ada", ["read"], 17.5, 1, ["a", "b"]))
    assert peers.user("s1") == User("ada", frozenset({"read"}), 17.5)
    assert peers.topics("s1") == {"a", "b"}

    peers.put(SocketState("s1", None, [], None, 2, ["b"]))
    assert (peers.user("s1"), peers.topics("s1")) == (None, {"b"})


def test_of_a_socket_that_has_gone_or_was_never_heard_of_nothing_is_known():
    peers = Peers()
    peers.put(SocketState("s1", "ada", [], None, 1, ["a"]))
    peers.forget("s1")
    peers.forget("s2")
    assert [(peers.user(socket), peers.topics(socket)) for socket in ("s1", "s2", "")] == [(None, frozenset())] * 3
