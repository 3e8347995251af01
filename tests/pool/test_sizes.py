import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugsock.pool.sizes import INLINE, MOST, Size, parse, threads


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 1), (8, 7), (1000, MOST)])
def test_auto_leaves_one_core_to_the_gateway(cores, count):
    assert parse(["auto"], cores) == {"": Size(count, count)}


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        (["4"], {"": Size(4, 4)}),
        (["2-8"], {"": Size(2, 8)}),
        (["3-3"], {"": Size(3, 3)}),
        (["4", "reports=2"], {"": Size(4, 4), "reports": Size(2, 2)}),
        (["reports=2-4", "2-8"], {"": Size(2, 8), "reports": Size(2, 4)}),
        (["1", "reports=auto"], {"": Size(1, 1), "reports": Size(7, 7)}),
    ],
)
def test_a_count_is_a_number_a_range_or_either_for_a_name(counts, sizes):
    assert parse(counts, 8) == sizes


@pytest.mark.parametrize("counts", [[], ["reports=2"]])
def test_what_nobody_says_about_everyone_else_s_workers_is_auto(counts):
    assert parse(counts, 8)[""] == Size(7, 7)


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        (["auto", "reports=200"], {"": 56, "reports": 200}),
        (["reports=200"], {"": 56, "reports": 200}),
        (["auto", "reports=auto"], {"": 128, "reports": 128}),
        (["auto", "reports=auto", "mail=2"], {"": 127, "reports": 127, "mail": 2}),
        (["auto", "reports=255"], {"": 1, "reports": 255}),
    ],
)
def test_auto_gives_way_to_the_limit_of_all_sets_together(counts, sizes):
    assert parse(counts, 512) == {name: Size(count, count) for name, count in sizes.items()}


def test_zero_is_no_workers_at_all():
    assert parse(["0"], 8) == INLINE


@pytest.mark.fault("D9")
@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (["8-2"], "8-2 begins with more than it ends with"),
        (["reports=8-2"], "8-2 begins with more than it ends with"),
        (["0-4"], "0-4: a range begins at 1 or more"),
        (["reports=0"], "reports=0 is not enough: at least one"),
        (["reports=1", "reports=2"], "reports= is given twice"),
        (["2", "3"], "3 is a second count without a name"),
        (["0", "reports=1", "mail=1"], "with 0 plugs run inline, so there can't be workers for reports and mail"),
        (["257"], "257 workers are more than 256"),
        (["auto", "reports=256"], "257 workers are more than 256"),
        (["1-200", "reports=57"], "257 workers are more than 256"),
    ],
)
def test_counts_that_can_not_be_together_are_refused_in_a_sentence(counts, sentence):
    with pytest.raises(ValueError) as refused:
        parse(counts, 8)

    assert str(refused.value) == sentence


@given(
    st.lists(st.from_regex(r"((a|b|c)=)?(auto|[0-9]{1,3}(-[0-9]{1,3})?)", fullmatch=True), max_size=5),
    st.integers(1, 512),
)
def test_whatever_is_counted_there_is_a_possible_size_or_refused(counts, cores):
    try:
        sizes = parse(counts, cores)
    except ValueError:
        return

    assert sizes == INLINE or all(1 <= size.least <= size.most for size in sizes.values())
    assert sum(size.most for size in sizes.values()) <= MOST


@pytest.mark.parametrize(("cores", "count"), [(1, 5), (2, 6), (28, 32), (128, 32)])
def test_a_worker_has_as_many_threads_as_python_gives_an_executor(cores, count):
    assert threads(cores) == count
