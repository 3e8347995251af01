"""The smallest plug: what you say is what you hear."""

from plugsock import Raw, plug


@plug(idempotent=True)
async def echo(payload: Raw) -> Raw:
    """Answer with the payload exactly as it came."""
    return payload
