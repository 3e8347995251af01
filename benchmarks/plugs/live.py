"""A board that everybody sees, and a room in which news are told."""

from msgspec import Struct

from plugsock import Server, plug, topic, view

topic("live.room")


class Board(Struct):
    """What stands on the board, and what the news are."""

    number: int
    text: str


class Wall:
    """Where the board hangs: this benchmark runs one worker."""

    board = Board(0, "")
    looks = 0


@view(on="board")
async def board() -> Board:
    """Look at the board."""
    Wall.looks += 1
    return Wall.board


@plug
async def change(server: Server, written: Board) -> None:
    """Write something else on the board."""
    Wall.board = written
    server.changed("board")


@plug
async def tell(server: Server, news: Board) -> None:
    """Tell everybody in the room."""
    server.publish("live.room", "live.news", news)


@plug
async def looks() -> int:
    """Say how often the board was looked at."""
    return Wall.looks
