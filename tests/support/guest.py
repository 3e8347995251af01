"""A client behind a bad network, which knows the protocol from its page alone, and takes note of what it can't be.

It comes back when it is told to, or has something to say: with its key, the ids that are open for it, and its topics.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from support.asked import Asked
from support.bare_socket import BareSocket
from support.shown import Shown
from support.stay import Place, Stay
from support.truth import Fate, Truth

MOST_KEPT = 64
"""Answers that are kept for a client that comes back."""


class Guest:
    """A client.

    Attributes:
        name: For those who read what went wrong.
        binary: It wants pushes and views as MessagePack.
        asked: What is open, by id.
        stays: Its topics.
        is_welcome: Its connection is there, and was welcomed.
        spent_keys: Those by which it has come back, or not: they are good for nothing any more.
        swaps: Of which it has heard.
    """

    def __init__(self, name: str, port: int, truth: Truth, *, binary: bool) -> None:
        self.name = name
        self.binary = binary
        self.asked: dict[int, Asked] = {}
        self.stays: dict[str, Stay] = {}
        self.is_welcome = False
        self.swaps = 0
        self.key = ""
        self.spent_keys: list[str] = []
        self._port = port
        self._truth = truth
        self._socket: BareSocket | None = None
        self._said_keys: set[str] = set()
        self._expects: bool | None = None
        self._named: dict[str, Place | None] = {}
        self._last_id = 1
        self._said_key, self._has_asked = "", False
        self._pings: list[asyncio.Future] = []
        self._stirred = asyncio.Event()

    # Connections.

    @property
    def is_connected(self) -> bool:
        """Has it a connection, as far as it knows?"""
        return self._socket is not None

    async def come(self, key: str | None = None, *, drops: bool = False) -> None:
        """Open a connection, over which it says hello, with a key that it may have used already.

        Args:
            key: Its latest one by default.
            drops: Do not name the views that it has cancelled.
        """
        self.lose()
        for id in [id for id, asked in self.asked.items() if drops and asked.shown and asked.shown.is_ending]:
            del self.asked[id]
        key = self.key if key is None else key
        self._expects = False if key != self.key else None if key in self._said_keys else bool(key)
        self._said_keys.add(key)
        self._said_key, self._has_asked = key, bool(key)
        socket = BareSocket(
            lambda binary, message: self._hear(socket, message, binary=binary), lambda code: self._lost(socket, code)
        )
        self._socket = socket
        self._send(self._hello(key))
        await asyncio.get_running_loop().create_connection(lambda: socket, "127.0.0.1", self._port)

    def lose(self) -> None:
        """Its connection is gone, or it does not care for it any more."""
        for asked in self.asked.values():
            if not (asked.is_lost or self.is_welcome):
                asked.is_blind = True
            asked.is_lost = True
        self._socket, self.is_welcome = None, False
        for ping in self._pings:
            ping.cancel()
        self._pings.clear()
        self._stir()

    def close(self) -> None:
        """Go for good."""
        if self._socket is not None:
            self._socket.close()
        self.lose()

    def _lost(self, socket: BareSocket, code: int | None) -> None:
        if self._socket is socket:
            self._truth.tell(f"{self.name} lost its connection")
            if code is not None:
                self._complain(f"was closed with {code}")
            self.lose()

    def _hello(self, key: str) -> bytes:
        self._named = {stay.topic: stay.place for stay in self.stays.values() if self._names(stay)}
        hello: dict[str, Any] = {"v": 1, "format": "msgpack" if self.binary else "json"}
        hello["topics"] = {topic: place and f"{place[0]}.{place[1]}" for topic, place in self._named.items()}
        if key:
            hello["resume"] = key
            hello["open"] = {
                str(id): asked.shown.count if asked.shown else asked.items for id, asked in self.asked.items()
            }
        return b"hello 1 plugsock " + msgspec.json.encode(hello)

    def _names(self, stay: Stay) -> bool:
        """Does it say in its hello that it is in a topic?"""
        if not stay.is_pending:
            return stay.inside is True and stay.place is not None  # else a plug has put it in: its session knows that
        verb = next(asked.verb for asked in self.asked.values() if asked.stay is stay)
        return verb == "join" or (verb == "call" and (stay.inside is True or stay.place is not None))

    # What it says.

    def call(self, event: str, fate: Fate, *, binary: bool = False, stay: Stay | None = None, **args: Any) -> int:
        """Call a plug with the token of its fate; the id."""
        if stay is not None:
            stay.is_pending = True
            stay.inside = stay.inside or None
        return self._ask(Asked("call", event, args | {"token": fate.token}, binary, fate=fate, stay=stay))

    def watch(self, view: str, args: dict[str, Any], *, patches: bool, binary: bool = False) -> int:
        """Watch a view."""
        shown = Shown(view, args, self._truth, patches)
        return self._ask(Asked("watch", f"{view}?patch" if patches else view, args, binary, shown=shown))

    def cancel(self, id: int) -> None:
        """End a call or a view."""
        asked = self.asked[id]
        asked.is_cancelled = True
        if asked.shown:
            asked.shown.is_ending = True
        self._send(b"cancel %d" % id)

    def join(self, stay: Stay, said: Place | None = None) -> None:
        """Join a topic, and say where it has been, if it likes."""
        stay.is_pending = True
        if not stay.inside:
            stay.inside, stay.place = None, said
        name = f"{stay.topic}?at={said[0]}.{said[1]}" if said else stay.topic
        self._ask(Asked("join", name, None, binary=False, stay=stay, said=said))

    def leave(self, stay: Stay) -> None:
        """Leave a topic."""
        stay.is_pending = True
        self._ask(Asked("leave", stay.topic, None, binary=False, stay=stay))

    async def ask(self, event: str, args: Any) -> Any:
        """Call a plug and wait for its answer, or the code of its error; for one whom nobody cuts off."""
        asked = Asked("call", event, args, binary=False, answer=asyncio.get_running_loop().create_future())
        self._ask(asked)
        return await asked.answer

    async def ping(self) -> bool:
        """Wait until all has come that was sent before; was the connection good enough for that?"""
        if self._socket is None:
            return False
        ping = asyncio.get_running_loop().create_future()
        self._pings.append(ping)
        self._send(b"ping")
        await asyncio.wait([ping])
        return not ping.cancelled()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at whenever anything comes."""
        while not holds():
            self._stirred.clear()
            await self._stirred.wait()

    def _ask(self, asked: Asked) -> int:
        self._last_id += 1
        self.asked[self._last_id] = asked
        self._send(asked.frame(self._last_id), binary=asked.binary)
        return self._last_id

    def _send(self, frame: bytes, *, binary: bool = False) -> None:
        if self._socket is not None:
            self._truth.tell(f"{self.name} → {frame!r}")
            self._socket.send(frame, binary=binary)

    # What it hears.

    def _hear(self, socket: BareSocket, message: bytes, *, binary: bool) -> None:
        if socket is not self._socket:  # it has given that up
            return
        self._truth.wrong += socket.wrong
        self._truth.tell(f"{self.name} ← {message!r}")
        verb, _, rest = message.partition(b" ")
        decode = msgspec.msgpack.decode if binary else msgspec.json.decode
        if verb == b"welcome":
            self._welcomed(decode(rest.partition(b" ")[2]))
        elif message.startswith(b"notice plugs "):  # who has not said hello yet hears that, too
            self.swaps += 1
        elif not self.is_welcome:
            self._complain(f"heard {message!r} before its welcome")
        elif verb == b"pong":
            self._pings.pop(0).set_result(None)
        elif verb == b"push":
            topic, event, payload = rest.split(b" ", 2)
            self._pushed(topic.decode(), event.decode(), decode(payload), binary=binary)
        else:
            id, _, payload = rest.partition(b" ")
            self._heard(verb.decode(), id.decode(), decode(payload) if payload else None, message, binary=binary)
        self._stir()

    def _welcomed(self, data: dict[str, Any]) -> None:
        resumed = data["resumed"]
        self._truth.count("resumed" if resumed else "new")
        if resumed is not self._expects and self._expects is not None:
            self._complain(f"was welcomed with resumed {resumed}")
        self.is_welcome = True
        self._settle_topics(data["topics"], resumed=resumed)
        if self._has_asked:
            self.spent_keys.append(self._said_key)
        self.key = data["resume"]
        for id, asked in list(self.asked.items()):
            if asked.shown:
                asked.shown.may_repeat = True
            asked.is_over |= asked.is_lost and not resumed
            if asked.is_lost and not self._has_asked:  # it had no key yet: nobody else will tell
                del self.asked[id]
                self._ended(asked, "error", {"code": "unknown_outcome"})
            elif asked.is_lost and asked.is_cancelled:  # that may have been lost, too
                self.cancel(id)

    def _settle_topics(self, answers: dict[str, Any], *, resumed: bool) -> None:
        for topic, answer in answers.items():
            stay = self.stays.get(topic)
            if stay is None or "error" in answer:
                self._complain(f"was welcomed in {topic}: {answer}")
                continue
            if stay.inside is False:
                self._complain(f"was welcomed in {topic}, which it had left")
            stay.begin(answer, self._named.get(topic))
        for stay in self.stays.values():
            if stay.topic not in answers:
                if stay.topic in self._named or (resumed and stay.inside and not stay.is_pending):
                    self._complain(f"was not welcomed in {stay.topic}")
                stay.leave()
                if self._may_come_in(stay, resumed=resumed):
                    stay.inside = None

    def _may_come_in(self, stay: Stay, *, resumed: bool) -> bool:
        """May it still be put into a topic, by what it has said behind its hello, or by a plug that runs?"""
        return any(
            asked.stay is stay and (not asked.is_lost or (resumed and asked.verb == "call"))
            for asked in self.asked.values()
        )

    def _pushed(self, topic: str, event: str, token: int, *, binary: bool) -> None:
        name, _, place = event.partition("?at=")
        epoch, _, offset = place.partition(".")
        if topic not in self.stays or name != "work.said" or binary is not self.binary:
            self._complain(f"was pushed {topic} {event} {token}")
        else:
            self._truth.count("push")
            self.stays[topic].push(epoch, int(offset), token)

    def _heard(self, verb: str, id: str, data: Any, message: bytes, *, binary: bool) -> None:
        asked = self.asked.get(int(id)) if id.isdigit() else None
        if asked is None:
            self._complain(f"heard {message!r}, for which it had not asked")
        elif verb in {"item", "patch", "fault"} and asked.shown:
            if binary is not self.binary:
                self._complain(f"heard {message!r} in the wrong format")
            asked.shown.hear(verb, data)
        elif verb == "item":
            asked.items += 1
            if data != asked.items or asked.is_lost:
                self._complain(f"got item {data} as number {asked.items}")
        elif verb in {"ok", "error"}:
            del self.asked[int(id)]
            if binary is not asked.binary and not asked.is_lost:
                self._complain(f"heard {message!r} in the wrong format")
            self._ended(asked, verb, data)
        else:
            self._complain(f"heard {message!r}")

    def _ended(self, asked: Asked, verb: str, data: Any) -> None:
        """Something has its one answer."""
        outcome = "ok" if verb == "ok" else data["code"]
        self._truth.count(f"{asked.verb} {outcome}")
        if asked.answer is not None:
            asked.answer.set_result(data if verb == "ok" else outcome)
            return
        if not asked.may_hear(outcome):
            self._complain(f"was told {outcome} of {asked}")
        {"call": self._called, "watch": self._watched}.get(asked.verb, self._moved)(asked, outcome, data)

    def _called(self, asked: Asked, outcome: str, data: Any) -> None:
        fate = asked.fate
        if outcome == "ok":
            if not asked.is_whole(data):
                self._complain(f"got {data} and {asked.items} items for {asked}")
        elif outcome == "worker_lost" and not data["started"]:
            outcome = "not_started"
        elif outcome == "not_received" and asked.is_blind:
            outcome = "unknown_outcome"
        fate.outcomes.append(outcome)
        if asked.stay is not None:
            asked.stay.is_pending = False
            if outcome == "ok":
                asked.stay.inside = True
            elif not asked.stay.inside:
                asked.stay.inside = None if asked.may_still_run(outcome) else False
        if outcome == "unknown_outcome" and self._should_be_kept(asked):
            self._complain(f"lost {asked}, which its session should have kept")
        if outcome == "not_received":
            args = {name: value for name, value in asked.args.items() if name != "token"}
            self.call(asked.name, fate, binary=asked.binary, stay=asked.stay, **args)
        elif outcome not in {"ok", "unknown_outcome", "not_started"} and not asked.may_end(
            outcome, kills=self._truth.kills
        ):
            self._complain(f"was told {outcome} of {asked}: {data}")

    def _should_be_kept(self, asked: Asked) -> bool:
        few = self._last_id < MOST_KEPT  # so that no answer made room for others
        return few and asked.is_of_this_session and asked.name != "work.flow"

    def _watched(self, asked: Asked, outcome: str, data: Any) -> None:
        shown = asked.shown
        if shown.is_ending and outcome in {"cancelled", "not_received", "unknown_outcome"}:
            return
        if outcome == "unknown_outcome" and asked.is_of_this_session:
            self._complain(f"lost {asked}, which its session should have kept")
        if outcome in {"not_received", "unknown_outcome"}:
            self.watch(shown.view, shown.args, patches=shown.wants_patches, binary=asked.binary)
        else:
            self._complain(f"was told {outcome} of {asked}: {data}")

    def _moved(self, asked: Asked, outcome: str, data: Any) -> None:
        """The answer to `join` or `leave`; what is older than the welcome is known from that."""
        stay = asked.stay
        stay.is_pending = False
        if asked.is_lost:
            if outcome not in {"ok", "not_received", "unknown_outcome"}:
                self._complain(f"was told {outcome} of {asked}")
            if asked.verb == "leave" and stay.inside:
                if outcome == "ok":
                    self._complain(f"was welcomed in {stay.topic}, which it has left")
                self.leave(stay)
            elif asked.verb == "leave":
                stay.leave()
        elif outcome != "ok":
            self._complain(f"was told {outcome} of {asked}: {data}")
        elif asked.verb == "leave":
            stay.leave()
        elif stay.inside:
            stay.again(data)
        else:
            stay.begin(data, asked.said)

    def _complain(self, what: str) -> None:
        self._truth.wrong.append(f"{self.name} {what}")

    def _stir(self) -> None:
        self._stirred.set()
