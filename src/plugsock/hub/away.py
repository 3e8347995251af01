"""What sessions were in whose socket has gone, so that they come into it again when they go on. Pure."""

from plugsock.hub.membership import Seat


class Away:
    """Their seats, by the id of whoever is away and the name of the topic.

    Args:
        limit: Of topics that one may be in.
    """

    def __init__(self, limit: int) -> None:
        self._seats: dict[str, dict[str, Seat]] = {}
        self._limit = limit

    def __len__(self) -> int:
        return len(self._seats)

    def keep(self, id: str, seats: dict[str, Seat]) -> None:
        """Somebody goes who may come back; who was away before has the seats that they had then."""
        self._seats.setdefault(id, seats)

    def put(self, id: str, topic: str, data: bytes | None) -> None:
        """A plug puts somebody into a topic; nothing happens if they are not away, or in too many."""
        seats = self._seats.get(id)
        if seats is None or (topic not in seats and len(seats) >= self._limit):
            return
        seat = seats.get(topic)
        kept = seat.data if data is None and seat is not None else data
        seats[topic] = Seat("", is_own=False, data=kept)

    def take_out(self, id: str, topic: str) -> None:
        """A plug takes somebody out of a topic; nothing happens if they are not away, or not in it."""
        self._seats.get(id, {}).pop(topic, None)

    def take(self, id: str) -> dict[str, Seat]:
        """What somebody was in, who is back or gone for good."""
        return self._seats.pop(id, {})
