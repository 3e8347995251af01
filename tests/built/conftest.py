"""The executable in both forms, where a test is about how it starts."""

import pytest


@pytest.fixture(params=["one file", "unpacked"])
def form(request, exe):
    """The built executable, and then the one that unpacks nothing, if it lies beside it."""
    if request.param == "one file":
        return exe
    unpacked = exe.parent / f"{exe.stem}-onedir" / exe.name
    if not unpacked.is_file():
        pytest.skip(f"{unpacked} is not there; python3 build.py --onedir makes it")
    return unpacked
