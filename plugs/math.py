"""A plain function is a plug too: it runs in a thread, beside everything else."""

from plugsock import plug


@plug(idempotent=True)
def add(a: float, b: float) -> float:
    """Add two numbers."""
    return a + b
