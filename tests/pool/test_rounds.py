from hypothesis import given
from hypothesis import strategies as st

from plugsock.model import Problem
from plugsock.pool.rounds import MOST_FAILED, TIMES, VOTE_S, Judge, Round, remember_failures
from plugsock.rpc.frames import Group, Staged


class Voter:
    def __init__(self, number):
        self.number = number
        self.failed = {}

    def __repr__(self):
        return f"worker {self.number}"


def voters(count=2):
    return [Voter(number) for number in range(1, count + 1)]


def good(id, *modules):
    return Group(id, [], [], [], modules=list(modules or [id]))


def bad(id, message="it is wrong", *modules):
    problem = Problem(f"{id}.py", 3, message, (id,))
    return Group(id, [], [], [problem], ["its trace"], modules=list(modules or [id]))


def staged(*groups, problems=()):
    found = {*problems, *(problem for group in groups for problem in group.problems)}
    return Staged(1, list(groups), sorted(found))


def held(answers, now=0.0, *, force=False):
    """A round in which these have answered so, the first of them as the scout."""
    scout = next(iter(answers))
    round = Round(scout, now, force=force)
    round.ask(answers)
    for voter, answer in answers.items():
        remember_failures(voter, answer)
        round.answered(voter, answer, now)
    return round


def ids(verdict):
    return [group.id for group in verdict.groups if not group.problems]


def messages(groups):
    return [problem.message for group in groups for problem in group.problems]


# A round.


def test_the_scout_is_awaited_without_a_limit():
    scout, _ = voters()
    round = Round(scout, 0.0, ["a.py"], force=False)

    assert round.is_scouting
    assert not round.is_over(1e9)
    assert round.paths == ["a.py"]


def test_when_the_scout_has_found_nothing_it_is_over():
    scout, _ = voters()
    round = Round(scout, 0.0, force=False)
    round.answered(scout, staged(), 1.0)

    assert not round.wants_others()
    assert round.is_over(1.0)


def test_what_fails_on_the_scout_is_not_tried_by_others():
    scout, _ = voters()
    round = Round(scout, 0.0, force=False)
    round.answered(scout, staged(bad("a")), 1.0)

    assert not round.wants_others()


def test_what_the_scout_has_staged_others_must_see_too():
    scout, other = voters()
    round = Round(scout, 0.0, force=False)
    round.answered(scout, staged(bad("a"), good("b")), 0.5)
    assert round.wants_others()

    round.ask([other])

    assert not round.is_over(0.5 + VOTE_S)
    assert round.is_over(0.6 + VOTE_S)
    round.answered(other, staged(good("b")), 0.7)
    assert round.is_over(0.7)


def test_the_others_have_three_times_as_long_as_the_scout_took():
    scout, other = voters()
    round = Round(scout, 0.0, force=False)
    round.answered(scout, staged(good("a")), 4.0)
    round.ask([other])

    assert not round.is_over(4.0 + TIMES * 4.0)
    assert round.is_over(4.1 + TIMES * 4.0)


def test_everybody_looks_if_that_is_asked_for():
    scout, _ = voters()
    round = Round(scout, 0.0, force=True)
    round.answered(scout, staged(), 1.0)

    assert round.wants_others()


def test_of_one_that_leaves_the_answer_does_not_count_and_is_kept_to_be_answered():
    scout, other, third = voters(3)
    round = held({scout: staged(good("a")), other: staged(good("a"))})
    round.ask([third])
    round.leave(other)
    round.leave(third)
    round.leave(third)

    assert round.is_over(0.0)
    assert list(round.answers) == [scout]
    assert list(round.left) == [other]


# Its verdict.


def test_what_all_have_staged_comes_into_force():
    one, other = voters()

    verdict = Judge().judge(held({one: staged(good("a"), good("b")), other: staged(good("b"), good("a"))}), 0.0)

    assert sorted(ids(verdict)) == ["a", "b"]
    assert (verdict.late, verdict.again, verdict.problems) == ([], False, [])


def test_what_fails_on_all_is_reported_as_it_is():
    one, other = voters()

    verdict = Judge().judge(held({one: staged(bad("a")), other: staged(bad("a"))}), 0.0)

    assert ids(verdict) == []
    assert messages(verdict.groups) == ["it is wrong"]
    assert [problem.message for problem in verdict.problems] == ["it is wrong"]


def test_what_fails_on_one_is_held_back_everywhere_and_the_problem_names_the_worker():
    one, other = voters()

    verdict = Judge().judge(held({one: staged(good("a"), good("b")), other: staged(bad("a"), good("b"))}), 0.0)

    assert ids(verdict) == ["b"]
    assert messages(verdict.groups) == ["on worker 2: it is wrong"]
    assert [problem.message for problem in verdict.problems] == ["on worker 2: it is wrong"]
    assert verdict.groups[0].traces == ["its trace"]


def test_what_one_could_not_stage_before_and_does_not_try_again_is_held_back_too():
    one, other = voters()
    judge = Judge()
    judge.judge(held({one: staged(bad("a"))}), 0.0)

    verdict = judge.judge(
        held({other: staged(good("a"), good("b")), one: staged(good("b"), problems=bad("a").problems)}), 1.0
    )

    assert ids(verdict) == ["b"]
    assert [problem.message for problem in verdict.problems] == ["on worker 1: it is wrong"]


def test_what_was_held_back_is_listed_until_its_modules_change():
    one, other = voters()
    judge = Judge()
    judge.judge(held({one: staged(good("a")), other: staged(bad("a"))}), 0.0)

    unrelated = judge.judge(held({one: staged(good("b")), other: staged(good("b"))}), 1.0)
    mended = judge.judge(held({one: staged(good("a2", "a")), other: staged(good("a2", "a"))}), 2.0)

    assert [problem.message for problem in unrelated.problems] == ["on worker 2: it is wrong"]
    assert (ids(mended), mended.problems) == (["a2"], [])


def test_a_forced_look_forgets_what_was_held_back():
    one, other = voters()
    judge = Judge()
    judge.judge(held({one: staged(good("a")), other: staged(bad("a"))}), 0.0)

    verdict = judge.judge(held({one: staged(good("a")), other: staged(good("a"))}, force=True), 1.0)

    assert (ids(verdict), verdict.problems) == (["a"], [])


def test_what_one_has_not_seen_yet_is_looked_at_again():
    one, other = voters()

    verdict = Judge().judge(held({one: staged(good("a"), good("b")), other: staged(good("b"))}), 0.0)

    assert ids(verdict) == ["b"]
    assert (verdict.late, verdict.again) == ([], True)


def test_who_has_not_seen_it_after_two_seconds_has_lost_its_vote():
    one, other = voters()
    judge = Judge()
    answers = {one: staged(good("a")), other: staged()}

    verdicts = [judge.judge(held(answers, now), now) for now in (0.0, 1.0, VOTE_S)]

    assert [verdict.again for verdict in verdicts] == [True, True, False]
    assert [ids(verdict) for verdict in verdicts] == [[], [], ["a"]]
    assert verdicts[-1].late == [other]


def test_two_seconds_count_from_anew_when_all_have_seen_it_in_between():
    one, other = voters()
    judge = Judge()
    apart, together = {one: staged(good("a")), other: staged()}, {one: staged(good("a")), other: staged(good("a"))}
    judge.judge(held(apart), 0.0)
    judge.judge(held(together, 1.0), 1.0)

    assert judge.judge(held(apart, VOTE_S), VOTE_S).again


def test_of_two_views_of_one_change_the_one_that_most_have_comes_into_force():
    one, other, third = voters(3)
    judge = Judge()
    more, less = staged(good("ab", "a", "b")), staged(good("a"))
    answers = {one: more, other: less, third: less}

    verdicts = [judge.judge(held(answers, now), now) for now in (0.0, VOTE_S)]

    assert ids(verdicts[-1]) == ["a"]
    assert verdicts[-1].late == [one]


def test_who_has_not_answered_in_time_is_late_and_does_not_hold_up_the_others():
    one, other, third = voters(3)
    round = held({one: staged(good("a")), other: staged(good("a"))})
    round.ask([third])

    verdict = Judge().judge(round, 3.0)

    assert ids(verdict) == ["a"]
    assert verdict.late == [third]


# What is remembered of a worker.


def test_a_failure_is_remembered_until_it_is_staged():
    (voter,) = voters(1)

    remember_failures(voter, staged(bad("a"), bad("b")))
    remember_failures(voter, staged(good("a")))

    assert list(voter.failed) == ["b"]


def test_only_so_many_failures_are_remembered():
    (voter,) = voters(1)

    remember_failures(voter, staged(*(bad(f"g{number}") for number in range(MOST_FAILED + 5))))

    assert len(voter.failed) == MOST_FAILED
    assert "g0" not in voter.failed


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.booleans(), max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_nothing_comes_into_force_at_once_that_not_every_voter_has_staged(views):
    answers = {
        Voter(number): staged(*(good(id) if is_good else bad(id) for id, is_good in view.items()))
        for number, view in enumerate(views, 1)
    }

    verdict = Judge().judge(held(answers), 0.0)

    assert sorted(ids(verdict)) == sorted(id for id in "abc" if all(view.get(id) for view in views))
    assert {group.id for group in verdict.groups if group.problems} == {
        id for id in "abc" if any(view.get(id) is False for view in views)
    }
    assert verdict.again == any(
        id in seen and not all(id in view for view in views) and not any(view.get(id) is False for view in views)
        for id in "abc"
        for seen in views
    )
