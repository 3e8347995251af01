"""The language spoken with clients, pure: bytes in, values out; no clock, no socket, no task.

`frames` reads and builds WebSocket frames (RFC 6455), with `message` (one message in the making), `utf8`, `close`
(payloads of close frames) and `deflate` (RFC 7692) beneath it; `codes` names what a connection may be closed with.
"""
