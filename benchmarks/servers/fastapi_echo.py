"""`fastapi_echo.py PORT`: a typed echo: JSON in, a pydantic model, JSON out."""

import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

app = FastAPI()


class Message(BaseModel):
    client: int
    number: int
    text: str


@app.websocket("/")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            message = Message.model_validate_json(await socket.receive_text())
            await socket.send_text(message.model_dump_json())
    except WebSocketDisconnect:
        pass


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="auto",
        ws_per_message_deflate=False,
        log_level="warning",
    )
