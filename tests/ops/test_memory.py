import platform
import sys

import pytest

from plugsock.ops.memory import keep_what_is_freed


@pytest.mark.skipif(sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_glibc_takes_the_setting():
    assert keep_what_is_freed()


@pytest.mark.skipif(sys.platform == "linux", reason="Linux mostly has glibc")
def test_elsewhere_nothing_happens():
    assert not keep_what_is_freed()
