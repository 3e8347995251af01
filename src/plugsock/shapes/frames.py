"""What goes over the socket for each kind of event, as AsyncAPI's messages need it said."""

from typing import Final

from msgspec import Struct

from plugsock.model import Kind


class Frames(Struct, frozen=True):
    """What a client asks with, and what it is answered."""

    verb: str
    """Of the frame that asks."""
    asks: str
    answer: str
    """Of the frame that has the output."""
    answers: str
    ends: str = ""
    """Why there is an `ok` without a payload besides; empty if there is none."""


FRAMES: Final = {
    Kind.CALL: Frames("call", "Runs it.", "ok", "Its result: one for each call, unless that is answered with `error`."),
    Kind.STREAM: Frames("call", "Starts it.", "item", "One value of the stream.", "The stream has ended."),
    Kind.VIEW: Frames(
        "watch", "Keeps it open until `cancel`.", "item", "Its value: at once, and whenever it has changed."
    ),
}

ABOUT: Final = """\
One WebSocket carries everything, with the subprotocol `plugsock.v1` and whatever path. Each channel is an event, whose
name stands in the frame, or a rule by which clients may join topics.

A frame is a short ASCII header and a payload, one space between two parts:

    call ID EVENT PAYLOAD        runs an event; answered with `ok ID PAYLOAD`, or with any number of `item ID PAYLOAD`
    watch ID EVENT PAYLOAD       keeps a view open; answered with `item ID PAYLOAD`, now and whenever it has changed
    cancel ID                    ends a call, a stream or a view early
    more ID N                    lets a stream send N further items
    join ID TOPIC, leave ID TOPIC
                                 from now on `push TOPIC EVENT PAYLOAD` comes, or does not come any more
    error ID PAYLOAD             why there is no answer

A text frame has its payload as JSON, a binary frame as MessagePack. ID is a number that the client chooses, from 1 on.
The messages here are the payloads."""
