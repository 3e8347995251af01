"""An echo that looks into nothing: what a long message costs on its way."""

from plugsock import Raw, plug


@plug
async def opaque(payload: Raw) -> Raw:
    """Answer the same bytes."""
    return payload
