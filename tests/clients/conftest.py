import pytest

from support.js_build import build


@pytest.fixture(scope="session")
def mock(tmp_path_factory):
    """The folder of the mock's bundle, in which its scripts run."""
    return build(tmp_path_factory.mktemp("mock"))
