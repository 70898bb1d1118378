"""For days, everybody at their own pace."""

import pytest

from mymozhem.contract import ChangeKind, Refuse, TimerRequest
from mymozhem_quiz import on_timer

END = "2027-01-02T00:00:00Z"


@pytest.fixture
def days(ten):
    return lambda **settings: ten(pace="self", closesAt=END, mode="first", **settings)


def test_all_questions_are_open_at_once(days):
    room = days()
    room.act("start")
    assert list(room.windows) == [f"q-{n}" for n in range(1, 11)]
    windows = [one.declared for one in room.windows.values()]
    assert {one.min_elapsed_ms for one in windows} == {one.opens_in_ms for one in windows} == {0}
    assert room.state.public["closesAt"] == END
    assert "seconds" not in room.prompt()


def test_every_right_answer_gives_the_full_points_whenever_it_came(days):
    room = days(streakBonus=10)
    room.act("start")
    for window in ("q-3", "q-1", "q-2"):
        room.answer("p1", "b", window=window).answer("p2", "b", window=window, ms=90_000_000)
    for window in list(room.windows):
        room.close(window)
    room.fire()
    assert room.points == {"p1": 300, "p2": 300, "p3": 0}
    assert room.told("round_winner") == []
    assert (room.status, len(room.told("answer_revealed"))) == ("FINISHED", 10)


def test_the_end_may_come_early(days, prize):
    room = days()
    room.act("start")
    room.prizes = [prize("gold")]
    room.answer("p2", "b", window="q-4")
    assert room.act("end") == {"closing": 10}
    room.fire()
    assert room.status == "FINISHED"
    assert [one.participant_id for one in room.winners] == ["p2"]
    assert [one["status"] for one in room.told("status_changed")] == [
        "QUESTION_ACTIVE",
        "BETWEEN_ROUNDS",
        "FINISHED",
    ]


def test_sixty_questions_fit_into_one_answer_from_the_start_to_the_end(room, question):
    played = room(*(question(f"q{n}") for n in range(60)), pace="self", closesAt=END)
    played.act("start")
    played.act("end")
    played.fire()
    assert played.status == "FINISHED"
    assert len(played.revealed) == len(played.told("answer_revealed")) == 60


def test_the_end_moves_with_the_settings(days):
    room = days()
    room.act("start")
    room.settings = {**room.settings, "closesAt": "2027-01-03T00:00:00Z"}
    room.change(ChangeKind.SETTINGS, "updated").change(ChangeKind.SETTINGS, "updated")
    assert room.moved == list(room.windows)
    assert room.state.public["closesAt"] == "2027-01-03T00:00:00Z"


def test_other_settings_move_nothing(ten):
    room = ten(closesAt=END)
    room.act("start")
    before = room.state
    room.change(ChangeKind.SETTINGS, "updated")
    assert room.state == before


@pytest.mark.parametrize("action", ["next", "close"])
def test_there_is_no_question_to_step_through(days, action):
    room = days()
    room.act("start")
    with pytest.raises(Refuse, match="SELF_PACED"):
        room.act(action)


def test_the_host_may_settle_all_of_it(days):
    room = days()
    room.act("start")
    room.answer("p1", "b", window="q-1")
    for _ in range(10):
        room.settle()
    room.fire()
    assert (room.status, room.points["p1"]) == ("FINISHED", 100)


@pytest.mark.parametrize(
    ("closes_at", "code"),
    [("2026-12-31T20:00:00Z", "CLOSES_AT_PAST"), (None, "CLOSES_AT_MISSING")],
)
def test_it_does_not_start_without_an_end_to_come(ten, closes_at, code):
    more = {} if closes_at is None else {"closesAt": closes_at}
    with pytest.raises(Refuse, match=code):
        ten(pace="self", **more).act("start")


def test_a_room_that_ends_before_the_quiz_sets_no_timers(days):
    room = days(teams="balanced", teamNames=["Red", "Blue"])
    room.act("start")
    room.answer("p1", "b", window="q-1").ended()
    for window in list(room.windows):
        room.close(window)
    room.change(ChangeKind.WINDOW, "revealed", window_id="q-1")
    assert (room.status, room.timers) == ("BETWEEN_ROUNDS", {})


def test_more_than_sixty_questions_are_refused_even_if_nobody_checked_the_settings(room, question):
    many = room(*(question(f"q{n}") for n in range(61)), pace="self", closesAt=END)
    with pytest.raises(Refuse, match="TOO_MANY_SELF_PACED"):
        many.act("start")


def test_the_timer_of_the_end_ends_nothing_twice_and_nothing_that_is_open(days):
    room = days()
    room.act("start")
    for _ in range(2):
        room.apply(quiz_timer(room, "finish"))
    assert room.status == "QUESTION_ACTIVE"
    room.act("end")
    room.fire()
    told = len(room.log)
    room.apply(quiz_timer(room, "finish"))
    assert len(room.log) == told


def test_an_unknown_timer_does_nothing(days):
    assert quiz_timer(days(), "tea").effects == ()


def quiz_timer(room, name):
    return on_timer(context=room.context(f"timer:{name}"), request=TimerRequest(name=name))
