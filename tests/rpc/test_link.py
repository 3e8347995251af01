import inspect

import pytest

from plugsock.rpc.link import Link, Sink
from plugsock.testing import _Runs
from plugsock.worker.inline import InlineLink


def words(protocol):
    return [name for name in vars(protocol) if not name.startswith("_")]


@pytest.mark.parametrize("word", words(Link))
def test_the_inline_worker_says_each_word_of_a_link(word):
    assert inspect.signature(getattr(InlineLink, word)) == inspect.signature(getattr(Link, word))


@pytest.mark.parametrize("word", words(Sink))
def test_the_testing_client_says_each_word_of_a_sink(word):
    assert inspect.signature(getattr(_Runs, word)) == inspect.signature(getattr(Sink, word))
