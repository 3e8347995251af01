"""Names in a folder of plugs that have to do with libraries."""

from typing import Final

MARKER: Final = "# /// script"
"""How a file begins to say what it needs."""

LIBRARIES: Final = "site-packages"
"""The folder whose content plugs can import beside all else."""

STAGING: Final = f".{LIBRARIES}-"
"""What folders begin with in which a new state of `LIBRARIES` is made ready."""

LOCK: Final = f".{LIBRARIES}.lock"
"""The file that is locked meanwhile, where a folder itself can't be."""
