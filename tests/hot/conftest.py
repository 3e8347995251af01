import pytest

from plugsock.hot.adaptive import why_not


@pytest.fixture(autouse=True)
def needs_a_python_that_tells():
    if (why := why_not()) is not None:
        pytest.skip(why)
