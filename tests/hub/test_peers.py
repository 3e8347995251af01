"""Everybody who holds a socket open."""

from dataclasses import dataclass, field

from plugsock.hub.peers import Peers


@dataclass(eq=False)
class Somebody:
    id: str
    binary: bool = False
    is_admitted: bool = True
    heard: list[tuple[bool, bytes]] = field(default_factory=list)

    def send(self, binary: bool, frame: bytes) -> None:  # noqa: FBT001
        self.heard.append((binary, frame))

    def kick(self, code: int, reason: str) -> None:
        raise AssertionError


def test_a_peer_is_found_by_its_id_while_it_is_here():
    peers: Peers[Somebody] = Peers()
    somebody = Somebody("a")
    peers.add(somebody)
    assert peers.get("a") is somebody
    assert list(peers) == [somebody]
    peers.remove(somebody)
    assert peers.get("a") is None
    assert len(peers) == 0


def test_an_id_that_somebody_else_holds_by_now_stays_his():
    peers: Peers[Somebody] = Peers()
    old, new = Somebody("a"), Somebody("a")
    peers.add(old)
    peers.add(new)
    peers.remove(old)
    assert peers.get("a") is new


def test_a_broadcast_is_one_frame_for_all_of_a_format():
    peers: Peers[Somebody] = Peers()
    text, binary = Somebody("t"), Somebody("b", binary=True)
    peers.add(text)
    peers.add(binary)
    peers.broadcast(b"text", b"binary")
    peers.broadcast(b"always text")
    assert text.heard == [(False, b"text"), (False, b"always text")]
    assert binary.heard == [(True, b"binary"), (False, b"always text")]


def test_the_first_and_the_last_who_want_messagepack_are_noticed():
    peers: Peers[Somebody] = Peers()
    heard: list[bool] = []
    peers.on_binary = heard.append
    one, other = Somebody("1"), Somebody("2", binary=True)
    peers.add(one)
    peers.add(other)
    peers.speak(one, binary=True)
    peers.speak(one, binary=True)
    peers.remove(other)
    assert peers.want_binary
    peers.speak(one, binary=False)
    assert not peers.want_binary
    assert heard == [True, False]


def test_a_peer_may_leave_while_all_are_told():
    peers: Peers[Somebody] = Peers()

    class Leaver(Somebody):
        def send(self, binary: bool, frame: bytes) -> None:  # noqa: FBT001
            peers.remove(self)

    peers.add(Leaver("1"))
    peers.add(Leaver("2"))
    peers.broadcast(b"go")
    assert len(peers) == 0


def test_what_everybody_gets_goes_to_those_who_are_admitted():
    peers: Peers[Somebody] = Peers()
    stranger, somebody = Somebody("a", is_admitted=False), Somebody("b")
    peers.add(stranger)
    peers.add(somebody)
    peers.broadcast(b"news")
    assert (stranger.heard, somebody.heard) == ([], [(False, b"news")])
