"""`socketio_ack.py PORT`: an event whose handler's result is the acknowledgement."""

import sys

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", http_compression=False)


@server.on("bench")
async def bench(sid: str, message: dict[str, object]) -> dict[str, object]:
    return message


if __name__ == "__main__":
    uvicorn.run(
        socketio.ASGIApp(server),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="auto",
        ws_per_message_deflate=False,
        log_level="warning",
    )
