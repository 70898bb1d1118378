"""From the start to the last question, and what is refused on the way."""

import pytest

from mymozhem.contract import ActionRequest, Refuse, RoomData
from mymozhem_quiz import handle_action
from mymozhem_quiz.game_state import Game, Public, Round
from mymozhem_quiz.question_window import MOST_ROUNDS

ACTIVE, BETWEEN = "QUESTION_ACTIVE", "BETWEEN_ROUNDS"


def test_an_evening(ten, version):
    room = ten()
    room.act("start")
    assert (room.status, room.state.public["window"]) == (ACTIVE, "q-1")
    room.answer("p1", "a").answer("p2", "b").close()
    assert (room.status, room.state.public["window"]) == (BETWEEN, None)
    assert room.points == {"p1": 0, "p2": 100, "p3": 0}
    room.act("next")
    assert room.state.public["round"] == 2
    told = [one.type for one in room.log]
    assert told == [
        *(["quiz:part_started"] if version == "2.0.0" else []),
        "quiz:question_shown",
        "quiz:status_changed",
        "quiz:round_winner",
        "quiz:answer_revealed",
        "quiz:status_changed",
        "quiz:question_shown",
        "quiz:status_changed",
    ]


@pytest.mark.parametrize(
    ("kind", "right", "texts"),
    [
        ("single", ["b"], ["Paris"]),
        ("multiple", ["a", "b"], ["2", "3"]),
        ("boolean", ["true"], ["True"]),
        ("number", [], ["42"]),
        ("nearest", [], ["42"]),
        ("text", [], ["Volga", "the Volga"]),
    ],
)
def test_the_answer_is_told_by_ids_and_in_words(room, question, kind, right, texts):
    played = room(question("q1", kind)).play()
    (told,) = played.told("answer_revealed")
    assert (told["options"], told["texts"]) == (right, texts)


def test_an_order_is_told_in_the_right_order(room, question):
    played = room(question("q1", "order"))
    played.act("start")
    right = played.ids("one", "two", "three")
    played.answer("p1", right).answer("p2", right[::-1]).close()
    (told,) = played.told("answer_revealed")
    assert (told["options"], told["texts"]) == (right, ["one", "two", "three"])
    assert played.points == {"p1": 100, "p2": 0, "p3": 0}


def test_how_many_chose_each_option_is_told(ten):
    room = ten().play(("p1", "b"), ("p2", "a"), ("p3", "b"))
    (told,) = room.told("answer_revealed")
    assert told["counts"] == {"a": 1, "b": 2, "c": 0}
    assert (told["answered"], told["right"]) == (3, 2)


@pytest.mark.parametrize(
    ("mode", "winner", "points"),
    [
        ("first", [("p2", 100)], {"p1": 0, "p2": 100, "p3": 0}),
        ("speed", [("p3", 95)], {"p1": 0, "p2": 75, "p3": 95}),
        ("plain", [], {"p1": 0, "p2": 100, "p3": 100}),
    ],
)
def test_who_wins_a_round(ten, mode, winner, points):
    room = ten(mode=mode).play(("p1", "a", 500), ("p2", "b", 10_000), ("p3", "b", 2_000))
    told = [(one["participantId"], one["points"]) for one in room.told("round_winner")]
    assert (told, room.points) == (winner, points)


def test_nobody_wins_where_nobody_was_right(ten):
    (told,) = ten().play(("p1", "a")).told("round_winner")
    assert (told["participantId"], told["elapsedMs"]) == (None, None)


@pytest.mark.parametrize(
    ("mode", "kind", "closes"),
    [
        ("first", "single", "firstRight"),
        ("first", "nearest", "deadline"),
        ("speed", "single", "everyoneAnswered"),
        ("plain", "nearest", "everyoneAnswered"),
    ],
)
def test_what_closes_a_question(room, question, mode, kind, closes):
    played = room(question("q1", kind), mode=mode)
    played.act("start")
    assert played.windows["q-1"].declared.close_on == closes


def test_the_first_of_the_nearest_gets_the_points_in_first(room, question):
    played = room(question("q1", "nearest")).play(("p1", 50), ("p2", 43), ("p3", 41))
    assert played.points == {"p1": 0, "p2": 100, "p3": 0}
    verdicts = [one.verdict for one in played.windows["q-1"].submissions]
    assert verdicts == ["wrong", "right", "right"]


def test_a_question_has_its_own_time_points_and_picture(room, question):
    picture = {"url": "https://example.org/p.png", "alt": "A tower"}
    played = room(
        question("q1", timeLimit=45, points=300, picture=picture),
        countdownMs=3_000,
        minElapsedMs=500,
        mode="plain",
    )
    played.act("start")
    window = played.windows["q-1"].declared
    assert (window.duration_ms, window.opens_in_ms, window.min_elapsed_ms) == (45_000, 3_000, 500)
    assert (played.prompt()["points"], played.prompt()["seconds"]) == (300, 45)
    assert played.prompt()["picture"] == picture
    played.answer("p1", "b").close()
    assert played.points["p1"] == 300


def test_forms_that_are_made_of_the_schema_alone_show_the_options(ten):
    room = ten()
    room.act("start")
    accepts = room.windows["q-1"].declared.accepts
    assert accepts["x-ui"]["labels"] == {"a": "Rome", "b": "Paris", "c": "Bonn"}


def test_options_come_in_an_order_of_the_rooms_where_they_are_shuffled(ten):
    room = ten(shuffleOptions=True)
    for _ in range(10):
        room.play()
    prompts = [one.declared.prompt for one in room.windows.values()]
    assert all(one["shuffle"] for one in prompts)
    assert len({tuple(each["text"] for each in one["options"]) for one in prompts}) > 1


def test_the_organizer_chooses_a_question(ten):
    room = ten().play()
    room.play(action="show", questionId="q7")
    room.act("next")
    assert [one["question"] for one in room.state.private["rounds"]] == ["q1", "q7", "q2"]


def test_close_asks_the_host_to_close(ten):
    room = ten()
    room.act("start")
    room.answer("p1", "b")
    room.act("close")
    assert (room.status, room.points["p1"]) == (BETWEEN, 100)


def test_results_wait_for_the_organizer(ten):
    room = ten(revealAnswers="byHand").play(("p1", "b")).play(("p2", "b"))
    assert room.windows["q-1"].declared.results == "onReveal"
    assert room.told("answer_revealed") == room.told("round_winner") == []
    assert room.act("reveal", questionId="q2") == {"revealed": 1, "left": 1}
    assert room.act("reveal") == {"revealed": 1, "left": 0}
    assert room.revealed == ["q-2", "q-1"]
    assert [one["questionId"] for one in room.told("answer_revealed")] == ["q2", "q1"]
    assert [one["participantId"] for one in room.told("round_winner")] == ["p2", "p1"]


@pytest.mark.parametrize("shown", [True, False])
def test_standings_are_announced_if_they_are_to_be_shown(ten, shown):
    room = ten(showStandings=shown)
    room.act("start")
    assert room.windows["q-1"].declared.announce.standings is shown


def waiting(room):
    return room


def active(room):
    room.act("start")
    return room


def between(room):
    return room.play()


def finished(room):
    room.play().act("end")
    return room


REFUSALS = [
    (waiting, "next", {}, "NOT_STARTED"),
    (waiting, "show", {"questionId": "q1"}, "NOT_STARTED"),
    (waiting, "end", {}, "NOT_STARTED"),
    (waiting, "close", {}, "NO_QUESTION_OPEN"),
    (waiting, "reveal", {}, "NOTHING_TO_REVEAL"),
    (waiting, "correct", {"questionId": "q1", "answer": "Rome"}, "QUESTION_NOT_PLAYED"),
    (waiting, "void", {"questionId": "q1"}, "QUESTION_NOT_PLAYED"),
    (waiting, "void", {"questionId": "q99"}, "QUESTION_UNKNOWN"),
    (active, "start", {}, "STARTED_ALREADY"),
    (active, "next", {}, "QUESTION_OPEN"),
    (active, "show", {"questionId": "q2"}, "QUESTION_OPEN"),
    (active, "end", {}, "QUESTION_OPEN"),
    (active, "replay", {"questionId": "q1"}, "QUESTION_OPEN"),
    (active, "correct", {"questionId": "q1", "answer": "Rome"}, "QUESTION_OPEN"),
    (active, "void", {"questionId": "q1"}, "QUESTION_OPEN"),
    (between, "show", {"questionId": "q1"}, "QUESTION_PLAYED"),
    (between, "replay", {"questionId": "q2"}, "QUESTION_NOT_PLAYED"),
    (between, "correct", {"questionId": "q1", "answer": "London"}, "ANSWER_UNFIT"),
    (between, "correct", {"questionId": "q1", "answer": ["Rome", "Bonn"]}, "ANSWER_UNFIT"),
    (between, "correct", {"questionId": "q1", "answer": True}, "ANSWER_UNFIT"),
    (between, "accept", {"questionId": "q1", "answer": "London"}, "ACCEPT_UNFIT"),
    (finished, "start", {}, "FINISHED"),
    (finished, "next", {}, "FINISHED"),
    (finished, "end", {}, "FINISHED"),
]


@pytest.mark.parametrize(("stage", "action", "payload", "code"), REFUSALS)
def test_an_action_at_the_wrong_time_is_refused(ten, stage, action, payload, code):
    room = stage(ten())
    with pytest.raises(Refuse, match=code):
        room.act(action, **payload)


def emptied(room):
    room.settings = {**room.settings, **room.asking()}
    return room


def test_without_questions_there_is_no_start(ten):
    with pytest.raises(Refuse, match="QUESTIONS_MISSING"):
        emptied(ten()).act("start")


def test_after_the_last_question_there_is_no_next(room, question):
    played = room(question("q1")).play()
    with pytest.raises(Refuse, match="NO_QUESTIONS_LEFT"):
        played.act("next")


def test_refusals_are_in_the_rooms_language(ten):
    with pytest.raises(Refuse, match="Викторина ещё не началась"):
        ten(locale="ru").act("next")


def test_an_unknown_action_is_refused(ten):
    with pytest.raises(Refuse, match="ACTION_UNKNOWN"):
        handle_action(context=ten().context(), request=ActionRequest(action="dance"))


def test_a_window_that_is_none_of_ours_is_left_to_its_rules(ten):
    room = ten()
    room.act("start")
    before = room.state
    room.windows["other"] = room.windows.pop("q-1")
    room.windows["other"].declared = room.windows["other"].declared.model_copy(
        update={"id": "other"}
    )
    room.answer("p1", "b", window="other").close("other")
    assert (room.state, room.points["p1"]) == (before, 0)


def test_a_question_that_an_organizer_took_out_closes_by_the_rules(ten):
    room = ten()
    room.act("start")
    room.settings = {**room.settings, **room.asking()}
    room.answer("p1", "b").close()
    assert room.status == BETWEEN


def test_a_thousand_rounds_stay_well_below_what_a_state_may_have(room):
    played = tuple(
        Round(question=f"{number:0>32}", order="01234567", closed=True, held=True)
        for number in range(MOST_ROUNDS)
    )
    game = Game(public=Public(teams=[{"name": "x" * 64, "members": 9, "mean": 1.5}] * 50))
    state = game.kept(rounds=played, untold=tuple(range(1, MOST_ROUNDS + 1))).save()
    assert len(state.model_dump_json()) < 120 * 1024
    half = game.kept(rounds=played[:500]).save()
    assert len(half.model_dump_json()) < 64 * 1024


def test_a_room_has_so_many_rounds_and_no_more(room, question):
    full = room(question("q1"), question("q2"))
    rounds = [{"question": "q1", "closed": True}] * MOST_ROUNDS
    full.state = RoomData(public={"status": BETWEEN}, private={"rounds": rounds})
    with pytest.raises(Refuse, match="TOO_MANY_ROUNDS"):
        full.act("next")
