import asyncio

from plugsock.gateway.turn import Turn


class Flushed:
    def __init__(self, name, log, *, long=False):
        self.name, self.log, self.long = name, log, long

    def flush(self):
        self.log.append(self.name)
        return self.long

    def flush_all(self):
        self.log.append(f"long {self.name}")


async def turn_over():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_all_are_flushed_once_and_long_frames_go_last():
    log = []
    turn = Turn(asyncio.get_running_loop())
    turn.add(Flushed("a", log, long=True))
    turn.add(Flushed("b", log))
    turn.add_long(Flushed("c", log))
    turn.add(Flushed("d", log))
    assert log == []
    await turn_over()
    assert log == ["a", "b", "d", "long c", "long a"]


async def test_a_turn_that_begins_with_a_long_frame_is_flushed_too():
    log = []
    turn = Turn(asyncio.get_running_loop())
    turn.add_long(Flushed("a", log))
    turn.add(Flushed("b", log))
    await turn_over()
    assert log == ["b", "long a"]
