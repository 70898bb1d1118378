"""Points are the same however they are computed, and fall as the README says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mymozhem_quiz.points import MOST_STEPS, Answer, Played, compute_points, speed_points


@pytest.mark.parametrize(
    ("elapsed", "points"),
    [(0, 100), (5_000, 75), (9_999, 50), (10_000, 50), (60_000, 50), (1, 99), (-5, 100)],
)
def test_speed_falls_in_a_straight_line_to_half_at_the_limit(elapsed, points):
    assert speed_points(100, elapsed, 10_000) == points


def played(*answers, points=100, **more):
    """A round of ten seconds with (person, right, elapsed) in commit order."""
    return Played(points, 10_000, tuple(Answer(*one) for one in answers), **more)


@pytest.mark.parametrize(
    ("mode", "points"),
    [("first", (0, 100, 0)), ("speed", (0, 80, 90)), ("plain", (0, 100, 100))],
)
def test_the_modes(mode, points):
    rounds = [played(("a", False, 0), ("b", True, 4_000), ("c", True, 2_000))]
    assert compute_points(mode, 0, rounds) == [points]


def test_a_streak_grows_is_bounded_and_breaks():
    win, loss = played(("a", True, 0)), played(("a", False, 0))
    rounds = [win] * 8 + [loss, win, played(), win]
    steps = [0, 1, 2, 3, 4, 5, 5, 5]
    wins = [(100 + 7 * step,) for step in steps]
    assert compute_points("plain", 7, rounds) == [*wins, (0,), (100,), (), (100,)]


@pytest.mark.parametrize("answers", [(("a", False, 0),), (), (("a", True, 0),)])
def test_a_round_that_does_not_count_neither_breaks_a_streak_nor_adds_to_it(answers):
    win = played(("a", True, 0))
    points = compute_points("plain", 7, [win, played(*answers, counts=False), win])
    assert points == [(100,), (0,) * len(answers), (107,)]


def test_in_first_only_the_winner_keeps_a_streak():
    both = played(("a", True, 0), ("b", True, 0))
    assert compute_points("first", 7, [both, both]) == [(100, 0), (107, 0)]


def test_points_that_stand_stand_and_tell_who_won():
    win = played(("a", True, 0), ("b", True, 0))
    fixed = played(("a", True, 0), ("b", True, 0), given=(55, 0))
    assert compute_points("plain", 7, [win, fixed, win])[1:] == [(55, 0), (114, 100)]


PEOPLE = st.sampled_from("abcd")
ANSWERS = st.lists(
    st.builds(Answer, PEOPLE, st.booleans(), st.integers(0, 25_000)),
    max_size=4,
    unique_by=lambda one: one.participant_id,
).map(tuple)


@st.composite
def rounds(draw):
    """A round, now and then one that does not count or whose points stand already."""
    answers = draw(ANSWERS)
    given = draw(st.none() | st.tuples(*(st.integers(-3, 200) for _ in answers)))
    points, limit = draw(st.integers(1, 10_000)), draw(st.integers(1, 600)) * 1_000
    return Played(points, limit, answers, draw(st.booleans()), given)


def wins(mode, one, person):
    """Whether somebody has won a round, looked up from scratch."""
    for index, answer in enumerate(one.answers):
        if answer.participant_id == person:
            if one.given is not None:
                return one.given[index] > 0
            earlier = any(before.right for before in one.answers[:index])
            return answer.right and not (mode == "first" and earlier)
    return False


def slowly(mode, bonus, rounds, number, answer):
    """The points of one answer: its streak is counted backwards, round by round."""
    one = rounds[number]
    if one.given is not None:
        return one.given[one.answers.index(answer)]
    if not one.counts or not wins(mode, one, answer.participant_id):
        return 0
    streak = 0
    for before in reversed(rounds[:number]):
        if before.counts:
            if not wins(mode, before, answer.participant_id):
                break
            streak += 1
    base = one.points
    if mode == "speed":
        share = min(answer.elapsed_ms / one.limit_ms, 1) / 2
        base = int(one.points * (1 - share) + 1e-9)
    return base + bonus * min(streak, MOST_STEPS)


@settings(deadline=None)
@given(st.sampled_from(["first", "speed", "plain"]), st.integers(0, 50), st.lists(rounds()))
def test_points_equal_an_independent_slow_reckoning(mode, bonus, rounds):
    expected = [
        tuple(slowly(mode, bonus, rounds, number, answer) for answer in one.answers)
        for number, one in enumerate(rounds)
    ]
    assert compute_points(mode, bonus, rounds) == expected
