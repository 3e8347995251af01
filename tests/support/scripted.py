"""A gateway without sockets and without a worker: both ends are written down and spoken by the test."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from plugsock.gateway.gateway import Gateway
from plugsock.gateway.handshake import Request
from plugsock.gateway.peer import Peer
from plugsock.model import Announcement, Kind, Problem
from plugsock.rpc.admin import WorkerRow
from plugsock.rpc.frames import ERROR, OK, Call, File, Group, Reply, SocketState, Staged
from plugsock.settings import Settings


class ScriptedLink:
    """A worker that does what the test says: everything it is told is kept."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.said: list[tuple] = []
        self.states: list[SocketState] = []
        self._heard = asyncio.Event()

    async def hears(self, *words: object) -> None:
        """Wait until it has been told something."""
        while words not in self.said:
            self._heard.clear()
            await self._heard.wait()

    def _hear(self, words: tuple) -> None:
        self.said.append(words)
        self._heard.set()

    def call(self, call: Call) -> None:
        self.calls.append(call)

    def cancel(self, sequence: int) -> None:
        self._hear(("cancel", sequence))

    def more(self, sequence: int, count: int) -> None:
        self._hear(("more", sequence, count))

    def hold(self, socket: str, *, held: bool) -> None:
        self._hear(("hold", socket, held))

    def socket(self, state: SocketState) -> None:
        self.states.append(state)
        self._hear(("socket", state.id))

    def forget(self, socket: str) -> None:
        self._hear(("forget", socket))

    def formats(self, *, msgpack: bool) -> None:
        self._hear(("formats", msgpack))

    def told(self, number: int, reply: Reply) -> None:
        self._hear(("told", number, reply))

    def look(self, paths: Sequence[str] = (), *, force: bool = False, refused: Sequence[str] = ()) -> None:
        assert not refused  # what a gateway never says
        self._hear(("look", *paths, *(["force"] if force else [])))

    def restore(self, files: Sequence[File]) -> None:
        raise AssertionError("a gateway restores nobody")

    def adopt(
        self, files: Sequence[File], gone: Sequence[str], *, force: bool = False, refused: Sequence[str] = ()
    ) -> None:
        raise AssertionError("a gateway lets nobody adopt anything")

    def commit(self, stage: int, groups: Sequence[str], held: Sequence[str] | None = None) -> None:
        assert held is None  # a gateway lets everything that failed wait for its next change
        self._hear(("commit", stage, list(groups)))

    def retire(self, stage: int) -> None:
        self._hear(("retire", stage))

    def document(self, number: int, name: str, url: str) -> None:
        self._hear(("document", number, name, url))


class ScriptedWire:
    """A socket whose frames are kept."""

    def __init__(self) -> None:
        self.frames: list[tuple[bool, bytes]] = []
        self.sent = asyncio.Event()
        self.closed: tuple[int, str] | None = None
        self.is_jammed = False
        self.fences: list[Callable[[], None]] = []
        self.conversation: Peer
        self.request = Request("/", None, None, {})
        self.remote = "127.0.0.1:50000"

    @property
    def is_open(self) -> bool:
        return self.closed is None

    def withhold(self, may_see, instead) -> None:
        """Nothing waits here: it has all been read."""

    def fence(self, passed) -> None:
        self.fences.append(passed)

    def cut(self) -> None:
        self.closed = (1006, "")

    def send(self, binary: bool, payload: bytes) -> None:  # noqa: FBT001
        self.frames.append((binary, payload))
        self.sent.set()

    def close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)


class Client:
    """Somebody at the other end of a scripted socket."""

    def __init__(self, gateway: Gateway) -> None:
        self.wire = ScriptedWire()
        self.wire.conversation = gateway.converse(self.wire)
        self.wire.conversation.opened()

    @property
    def peer(self) -> Peer:
        return self.wire.conversation

    def say(self, text: str | bytes, *, binary: bool = False) -> None:
        self.peer.received(binary, text.encode() if isinstance(text, str) else text)

    def heard(self) -> list[str]:
        """What came since the last time, as text."""
        frames, self.wire.frames = self.wire.frames, []
        return [frame.decode() for _, frame in frames]

    async def arrival(self) -> None:
        """Wait until something comes."""
        self.wire.sent.clear()
        if not self.wire.frames:
            await self.wire.sent.wait()

    def faults(self) -> list[tuple[str, str]]:
        """The errors that came, as (id, code)."""
        return [
            (frame.split(" ")[1], json.loads(frame.split(" ", 2)[2])["code"])
            for frame in self.heard()
            if frame.startswith("error")
        ]

    def hello(self, **hello: object) -> dict:
        """Open a session; what `welcome` said."""
        self.say(b"hello 1 plugsock " + msgspec.json.encode(hello))
        _, frame = self.wire.frames.pop(0)
        assert frame.startswith(b"welcome 1 ")
        return json.loads(frame.removeprefix(b"welcome 1 "))

    def leave(self) -> None:
        self.peer.closed(1006)


class Stage:
    """A gateway with its scripted worker; must be made while a loop runs."""

    def __init__(self, *events: Announcement, **settings: object) -> None:
        self.link = ScriptedLink()
        self.gateway = Gateway(Settings(**{"plugs": Path("plugs"), "data": Path(".plugsock"), **settings}))
        self.gateway.attach(self.link)
        self._stage = 0
        self.swap(*events)

    def client(self) -> Client:
        return Client(self.gateway)

    def swap(self, *events: Announcement, gone: Sequence[str] = (), problems: Sequence[Problem] = ()) -> int:
        self._stage += 1
        group = Group(f"g{self._stage}", list(events), list(gone), [])
        self.gateway.staged(Staged(self._stage, [group], list(problems)))
        return self._stage

    def answer(self, call: Call, result: object = None, *, error: str = "") -> None:
        """Let the worker answer a call."""
        value = {"code": error, "message": "No.", "retry": False} if error else result
        encode = msgspec.msgpack.encode if call.format else msgspec.json.encode
        self.gateway.answer(call.sequence, ERROR if error else OK, encode(value), 0.001, None)


def announce(event: str, revision: str = "r1", kind: Kind = Kind.CALL, **more: object) -> Announcement:
    """An event as a worker would announce it."""
    return Announcement(
        event=event, revision=revision, kind=kind, input="()", output="None", doc="", place="a.py:1", **more
    )


def row(number: int, **more: object) -> WorkerRow:
    """A worker as `plugsock ps` is told of it."""
    quiet = {
        "state": "ready",
        "share": 0.5,
        "calls": 0,
        "places": 100,
        "threads": 6,
        "lost_threads": 0,
        "lag_s": 0.0004,
    }
    known = {"pid": 4711 + number, "revision": "5e0c1a22", "memory": 41 << 20, "restarts": 0, "served": 10}
    return WorkerRow(number=number, **{**quiet, **known, **more})
