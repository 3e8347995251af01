import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from plugsock.ops import log
from plugsock.ops.datadir import Address
from plugsock.pool import door as doors
from plugsock.pool.door import Door, is_same_user
from plugsock.rpc import batches, join
from plugsock.rpc.batches import HEAD
from plugsock.rpc.join import Register, Turned, Welcome
from support.ends import OwnerOf, call
from support.recording import RecordingSink
from support.working import until

posix = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets are not there")

WELCOME = Welcome(
    1, "/run/1.page", "/srv/plugs", trust=False, dev=False, poll=False, max_answer=1 << 24, threads=4, log_format="text"
)
REGISTER = Register("1.0", join.VERSION, os.getpid(), "the key")
KEY = "0123456789abcdef"


class Caller:
    """Whoever connects to a door."""

    def __init__(self, connection):
        self.connection = connection
        self.loop = asyncio.get_running_loop()

    async def send(self, data):
        await self.loop.sock_sendall(self.connection, data)

    async def receive(self):
        return await self.loop.sock_recv(self.connection, 65_536)

    async def answer(self):
        """What the gateway has made of the registration."""
        data = await self.receive()
        return join.decode_welcome(data[HEAD:])

    async def is_hung_up_on(self):
        try:
            return await self.receive() == b""
        except ConnectionError:
            return True


class Hall:
    """A door, and what it has let in."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.answer = WELCOME
        self.registered = []
        self.owner = OwnerOf(RecordingSink())
        self.door = Door("1.0", self.decide)
        self.callers = []

    def decide(self, said, link):
        self.registered.append(said)
        if isinstance(self.answer, Welcome):
            link.attach(self.owner, self.directory, 1)
            self.link = link
        return self.answer

    async def caller(self):
        """Connect."""
        address = self.door._address
        family = socket.AF_UNIX if address.path else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        self.callers.append(connection)
        where = address.path or ("127.0.0.1", address.port)
        await asyncio.get_running_loop().sock_connect(connection, where)
        return Caller(connection)


@asynccontextmanager
async def opened(*, unix=True):
    log.configure()
    with tempfile.TemporaryDirectory() as directory:  # with a short path, unlike pytest's
        hall = Hall(directory)
        if unix:
            listening, address = socket.socket(socket.AF_UNIX), Address(path=f"{directory}/workers")
            listening.bind(address.path)
            listening.listen(100)
        else:
            listening = socket.create_server(("127.0.0.1", 0))
            address = Address(port=listening.getsockname()[1], key=KEY)
        await hall.door.open(listening, address)
        try:
            yield hall
        finally:
            hall.door.close()
            for connection in hall.callers:
                connection.close()
            if hasattr(hall, "link"):
                await hall.owner.loss()
            await asyncio.sleep(0)
            await asyncio.sleep(0)


@pytest.fixture(params=[pytest.param(True, marks=posix, id="unix"), pytest.param(False, id="loopback")])
async def hall(request):
    async with opened(unix=request.param) as made:
        yield made


@pytest.fixture
async def loopback():
    async with opened(unix=False) as made:
        yield made


async def test_a_worker_that_is_welcome_speaks_through_its_link_from_then_on(hall):
    caller = await hall.caller()
    await caller.send(join.encode(REGISTER))
    assert await caller.answer() == WELCOME

    hall.link.call(call(7))
    (began,) = batches.read_down((await caller.receive())[HEAD:])
    body = batches.encode([batches.Answer(7, 0, b"1", 0.0, None)])
    await caller.send(batches.head(len(body)) + body)

    assert began.sequence == 7
    assert (await hall.owner.answer_of(7)).payload == b"1"
    assert hall.registered == [REGISTER]


async def test_what_is_said_to_a_worker_while_it_is_welcomed_follows_the_welcome(hall):
    decide = hall.decide
    hall.door._decide = lambda said, link: (link.retire(3), decide(said, link))[1]
    caller = await hall.caller()
    await caller.send(join.encode(REGISTER))

    data = b""
    welcome = join.encode(WELCOME)
    while len(data) < len(welcome) + HEAD:
        data += await caller.receive()

    assert data.startswith(welcome)
    assert batches.read_down(data[len(welcome) + HEAD :]) == [batches.Retire(3)]


async def test_a_registration_may_come_in_pieces(hall):
    caller = await hall.caller()
    data = join.encode(REGISTER)
    for start, end in ((0, 2), (2, 9)):
        await caller.send(data[start:end])
        await until(lambda: [len(arrival._data) for arrival in hall.door._arrivals] == [end])  # noqa: B023
    await caller.send(data[9:])

    assert await caller.answer() == WELCOME


async def test_a_worker_that_is_turned_away_hears_why_and_is_hung_up_on(hall, capsys):
    hall.answer = Turned("Nobody has started you.")
    caller = await hall.caller()
    await caller.send(join.encode(REGISTER))

    assert await caller.answer() == hall.answer
    assert await caller.is_hung_up_on()
    assert f'a worker can\'t join  pid={os.getpid()} reason="Nobody has started you."' in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not say it")
@pytest.mark.parametrize(("unix", "is_known"), [(True, True), (False, False)])
async def test_which_process_it_is_the_kernel_says_where_it_knows(unix, is_known):
    async with opened(unix=unix) as hall:
        caller = await hall.caller()
        await caller.send(join.encode(replace(REGISTER, pid=4711, key=KEY)))
        await caller.answer()

        assert [said.pid for said in hall.registered] == [os.getpid() if is_known else 4711]


@pytest.mark.parametrize("other", [Register("0.9", join.VERSION, 1, "k"), Register("1.0", join.VERSION + 1, 1, "k")])
async def test_another_version_is_turned_away_with_both_named(hall, other):
    caller = await hall.caller()
    await caller.send(join.encode(other))

    message = (await caller.answer()).message
    assert f"the worker is plugsock {other.plugsock} (rpc {other.rpc})" in message
    assert f"The server is plugsock 1.0 (rpc {join.VERSION})" in message
    assert hall.registered == []


@pytest.mark.fault("K7")
async def test_over_a_port_a_worker_without_a_key_is_turned_away(loopback):
    caller = await loopback.caller()
    await caller.send(join.encode(Register("1.0", join.VERSION, 1)))

    assert "needs a key" in (await caller.answer()).message
    assert loopback.registered == []


async def test_the_key_of_a_port_shows_that_a_worker_was_started_by_hand(loopback):
    caller = await loopback.caller()
    await caller.send(join.encode(Register("1.0", join.VERSION, 4711, KEY)))
    await caller.answer()

    assert loopback.registered == [Register("1.0", join.VERSION, 4711, "")]


GARBAGE = {
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "4 GiB": b"\xff\xff\xff\xff",
    "no registration": b"\0\0\0\x04evil",
    "an answer": join.encode(WELCOME),
    "a batch": b"\0\0\0\x04\x91\x92\x02\x01",
    "more than a registration": join.encode(REGISTER) + b"\0",
}


@pytest.mark.fault("K6")
@pytest.mark.parametrize("name", GARBAGE)
async def test_whatever_else_is_said_there_is_hung_up_on(hall, name, capsys):
    caller = await hall.caller()
    await caller.send(GARBAGE[name])

    assert await caller.is_hung_up_on()
    assert hall.registered == []
    assert capsys.readouterr().err.count("a connection to the workers' socket was closed") == 1


async def test_who_does_not_register_is_hung_up_on(monkeypatch, capsys):
    monkeypatch.setattr(doors, "REGISTER_S", 0.05)
    async with opened(unix=False) as hall:
        caller = await hall.caller()
        await caller.send(b"\0")

        assert await caller.is_hung_up_on()
        assert "it has not registered within 0.05 s" in capsys.readouterr().err


async def test_who_has_gone_before_it_registered_takes_nobodys_place(monkeypatch):
    monkeypatch.setattr(doors, "MOST", 1)
    async with opened(unix=False) as hall:
        first = await hall.caller()
        await first.send(b"\0")
        first.connection.close()
        while True:  # the first one's end is not told to anybody
            caller = await hall.caller()
            await caller.send(join.encode(REGISTER))
            if not await caller.is_hung_up_on():
                break

        assert hall.registered == [REGISTER]


async def test_only_so_many_may_be_there_without_having_registered(monkeypatch, capsys):
    monkeypatch.setattr(doors, "MOST", 2)
    async with opened(unix=False) as hall:
        waiting = [await hall.caller() for _ in range(2)]
        await until(lambda: len(hall.door._arrivals) == 2)
        late = await hall.caller()

        assert await late.is_hung_up_on()
        assert "2 others have not said who they are yet" in capsys.readouterr().err
        await waiting[0].send(join.encode(REGISTER))
        assert await waiting[0].answer() == WELCOME


async def test_a_door_that_is_closed_hangs_up_on_who_has_not_registered_and_on_nobody_else(hall):
    inside, outside = await hall.caller(), await hall.caller()
    await inside.send(join.encode(REGISTER))
    await inside.answer()
    hall.door.close()

    assert await outside.is_hung_up_on()
    hall.link.call(call(7))
    assert await inside.receive()
    with pytest.raises(OSError):
        await hall.caller()


def test_a_door_that_was_not_opened_can_be_closed():
    Door("1.0", lambda _said, _link: WELCOME).close()


async def test_its_address_is_said_as_workers_take_it(hall):
    address = hall.door._address
    assert hall.door.address == (address.path or f"127.0.0.1:{address.port}")


@posix
async def test_the_same_user_is_known():
    here, there = socket.socketpair()
    with here, there:
        assert is_same_user(here)


@pytest.mark.fault("K7")
@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs to become another user")
async def test_another_user_is_hung_up_on_even_where_the_directory_lets_him_through(capsys):
    async with opened() as hall:
        path = Path(hall.door.address)
        path.parent.chmod(0o755)
        path.chmod(0o777)
        program = (
            "import os, socket, sys; os.setgid(65534); os.setuid(65534)\n"
            "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
            "try: sys.exit(0 if s.recv(1) == b'' else 1)\n"
            "except ConnectionError: pass\n"
        )
        ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program, str(path)], check=False)

        assert ended.returncode == 0
        assert "it belongs to another user" in capsys.readouterr().err
        assert hall.registered == []
