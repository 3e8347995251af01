from msgspec import Struct

from plugsock import plug


class Order(Struct):
    """What is ordered from elsewhere: another than that of a customer."""

    pallets: int


class Shelf:
    class Order(Struct):
        """In which order things stand."""

        names: list[str]


@plug
async def order(order: Order) -> Shelf.Order: ...
