import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.rpc import join
from plugsock.rpc.batches import HEAD, Violation, head

REGISTER = join.Register("0.1.0", join.VERSION, 4711, "key")
WELCOME = join.Welcome(
    3, "/run/p.page", "/srv/plugs", trust=False, dev=True, poll=False, max_answer=1 << 24, threads=8,
    log_format="json", memory=1 << 30,
)  # fmt: skip
TURNED = join.Turned("Another version.")


def body(message):
    data = join.encode(message)
    assert join.length(data) == len(data) - HEAD
    return data[HEAD:]


def test_a_registration_reads_back_as_itself():
    assert join.decode_register(body(REGISTER)) == REGISTER


@pytest.mark.parametrize("answer", [WELCOME, TURNED])
def test_an_answer_reads_back_as_itself(answer):
    assert join.decode_welcome(body(answer)) == answer


def test_a_message_may_be_as_long_as_the_longest():
    assert join.length(head(join.LONGEST)) == join.LONGEST


@pytest.mark.fault("K6")
def test_a_longer_one_is_refused_before_it_has_come():
    with pytest.raises(Violation, match="a message of 65537 bytes is no registration"):
        join.length(head(join.LONGEST + 1))


@pytest.mark.fault("K6")
@given(st.binary(max_size=60) | st.just(body(TURNED)) | st.just(body(REGISTER)))
def test_whatever_else_is_read_is_a_violation(data):
    for decode, words in ((join.decode_register, join.Register), (join.decode_welcome, join.Welcome | join.Turned)):
        try:
            said = decode(data)
        except Violation:
            continue
        assert isinstance(said, words)
