"""A mended question gives everybody the points that they would have had."""

import pytest

from mymozhem.contract import ChangeKind, Refuse


def verdicts(room, window):
    return [one.verdict for one in room.windows[window].submissions]


CORRECTIONS = [
    pytest.param("single", "Bonn", {}, ["c", "b"], id="single"),
    pytest.param("multiple", ["2", "4"], {}, [["a", "c"], ["a", "b"]], id="multiple"),
    pytest.param("multiple", "4", {}, [["c"], ["a", "b"]], id="multiple, one right"),
    pytest.param("boolean", False, {}, ["false", "true"], id="boolean"),
    pytest.param("number", 10, {}, [11, 42], id="number"),
    pytest.param("number", 10, {"tolerance": 0}, [10, 11], id="number and tolerance"),
    pytest.param("nearest", 10, {}, [20, 41], id="nearest"),
    pytest.param("text", "Don", {}, ["don", "Volga"], id="text"),
    pytest.param("text", ["Don", "Ob"], {}, ["ob", "Volga"], id="texts"),
]


@pytest.mark.parametrize(("kind", "answer", "more", "answers"), CORRECTIONS)
def test_another_key_turns_the_points_round(room, question, kind, answer, more, answers):
    """The first of two answers is right by the new key, the second is not."""
    played = room(question("q1", kind), mode="plain")
    played.play(("p1", answers[0]), ("p2", answers[1]))
    assert played.act("correct", questionId="q1", answer=answer, **more) == {"windows": ["q-1"]}
    assert verdicts(played, "q-1") == ["right", "wrong"]
    assert played.points == {"p1": 100, "p2": 0, "p3": 0}
    assert played.problems() == []


def test_another_order_turns_the_points_round(room, question):
    played = room(question("q1", "order"), mode="plain")
    played.act("start")
    new = played.ids("three", "one", "two")
    played.answer("p1", new).answer("p2", played.ids("one", "two", "three")).close()
    assert played.points == {"p1": 0, "p2": 100, "p3": 0}
    played.act("correct", questionId="q1", answer=["three", "one", "two"])
    assert played.points == {"p1": 100, "p2": 0, "p3": 0}
    told = played.told("answer_revealed")[-1]
    assert (told["options"], told["texts"]) == (new, ["three", "one", "two"])
    played.act("correct", questionId="q1", answer=["one", "two", "three"])
    assert played.points == {"p1": 0, "p2": 100, "p3": 0}


def test_a_correction_tells_who_won_and_what_was_right_once_more(ten):
    room = ten().play(("p1", "a"), ("p2", "b"), ("p3", "a"))
    room.act("correct", questionId="q1", answer="Rome")
    assert [one["participantId"] for one in room.told("round_winner")] == ["p2", "p1"]
    assert [one["options"] for one in room.told("answer_revealed")] == [["b"], ["a"]]
    assert room.points == {"p1": 100, "p2": 0, "p3": 0}


def test_nothing_is_told_of_a_round_that_is_held_back(ten):
    room = ten(revealAnswers="byHand").play(("p1", "a"))
    room.act("correct", questionId="q1", answer="Rome")
    assert room.told("answer_revealed") == room.told("round_winner") == []
    assert room.points["p1"] == 0
    room.act("reveal")
    assert room.points["p1"] == 100


ACCEPTED = [
    pytest.param("single", "Rome", "a", id="another option"),
    pytest.param("multiple", "4", ["a", "b", "c"], id="an option that may be chosen too"),
    pytest.param("text", "Itil", "ITIL", id="another text"),
]


@pytest.mark.parametrize(("kind", "answer", "sent"), ACCEPTED)
def test_an_answer_that_was_right_too_is_accepted(room, question, kind, answer, sent):
    right = {"single": "b", "multiple": ["a", "b"], "text": "Volga"}[kind]
    played = room(question("q1", kind), mode="plain").play(("p1", sent), ("p2", right))
    played.act("accept", questionId="q1", answer=answer)
    assert played.points == {"p1": 100, "p2": 100, "p3": 0}
    assert played.act("accept", questionId="q1", answer=answer) == {"windows": []}
    assert played.problems() == []


@pytest.mark.parametrize("kind", ["boolean", "number", "order"])
def test_what_has_no_second_answer_is_to_be_corrected(room, question, kind):
    played = room(question("q1", kind)).play()
    with pytest.raises(Refuse, match="ACCEPT_UNFIT"):
        played.act("accept", questionId="q1", answer="one")


def test_a_void_question_gives_no_points(ten):
    room = ten().play(("p1", "b"))
    room.act("void", questionId="q1")
    assert room.points["p1"] == 0
    assert room.told("round_winner")[-1]["participantId"] is None
    with pytest.raises(Refuse, match="QUESTION_VOID"):
        room.act("void", questionId="q1")


def test_a_replayed_question_is_a_new_round_and_the_old_one_is_void(ten):
    room = ten().play(("p1", "b"))
    room.play(("p2", "b"), action="replay", questionId="q1")
    assert list(room.windows) == ["q-1", "q-2"]
    assert room.points == {"p1": 0, "p2": 100, "p3": 0}
    room.act("correct", questionId="q1", answer="Rome")
    assert room.points == {"p1": 0, "p2": 0, "p3": 0}


def streaks(room):
    """A streak of four, then a question that somebody else wins."""
    for _ in range(4):
        room.play(("p1", "b"), ("p2", "a"))
    return room.play(("p1", "a"), ("p2", "b"))


def test_streaks_are_computed_from_the_submissions_of_earlier_rounds(ten):
    room = streaks(ten(mode="plain", streakBonus=10))
    assert room.points == {"p1": 400 + 10 + 20 + 30, "p2": 100, "p3": 0}


def test_a_correction_ripples_through_the_streaks_of_later_rounds(ten):
    room = streaks(ten(mode="plain", streakBonus=10))
    reply = room.act("correct", questionId="q2", answer="Rome")
    assert reply == {"windows": ["q-2", "q-3", "q-4"]}
    assert room.points == {"p1": 100 + 100 + 110, "p2": 100 + 100, "p3": 0}


def test_a_void_question_does_not_break_a_streak(ten):
    room = streaks(ten(mode="plain", streakBonus=10))
    room.act("void", questionId="q2")
    assert room.points == {"p1": 300 + 10 + 20, "p2": 100, "p3": 0}


def test_more_windows_than_one_answer_corrects_follow_by_a_timer(ten, monkeypatch):
    monkeypatch.setattr("mymozhem_quiz.corrections.MOST_WINDOWS", 2)
    room = streaks(ten(mode="plain", streakBonus=10))
    room.compares = False
    assert len(room.act("correct", questionId="q1", answer="Rome")["windows"]) == 2
    room.fire()
    assert room.points == {"p1": 300 + 10 + 20, "p2": 200, "p3": 0}


def test_what_the_host_settled_without_the_app_stands_and_is_told(ten):
    room = ten(mode="first")
    room.act("start")
    room.answer("p1", "b").answer("p2", "b").settle()
    assert room.status == "BETWEEN_ROUNDS"
    room.fire()
    assert room.points == {"p1": 100, "p2": 100, "p3": 0}
    assert room.told("answer_revealed")[-1]["right"] == 2
    room.act("correct", questionId="q1", answer="Paris")
    assert room.points == {"p1": 100, "p2": 0, "p3": 0}


def test_a_settled_round_is_closed_once(ten):
    room = ten()
    room.act("start")
    room.settle().fire()
    told = len(room.log)
    room.change(ChangeKind.WINDOW, "settled", window_id="q-1").fire()
    assert len(room.log) == told


def test_what_an_organizer_corrected_by_the_hosts_means_stands(ten):
    room = ten(mode="plain", streakBonus=10).play(("p1", "b")).play(("p1", "b"))
    room.correct("q-1", "right", 7).fire()
    assert room.points["p1"] == 7 + 110
    assert room.told("answer_revealed")[-1]["questionId"] == "q1"
    room.play(("p1", "b")).fire()
    assert room.points["p1"] == 7 + 110 + 120
    room.act("correct", questionId="q1", answer="Rome")
    assert room.points["p1"] == 0 + 100 + 110


def test_what_an_organizer_voided_by_the_hosts_means_is_void(ten):
    room = ten(mode="plain", streakBonus=10).play(("p1", "b")).play(("p1", "b"))
    room.void("q-1").fire()
    assert room.points["p1"] == 100
    assert room.act("statistics")["void"] == [1]
    room.correct("q-1", "right", 50).fire()
    assert room.points["p1"] == 50 + 110


@pytest.mark.parametrize("mode", ["first", "plain"])
def test_an_open_question_that_is_voided_is_over(ten, mode):
    room = ten(mode=mode)
    room.act("start")
    room.answer("p1", "b").void("q-1")
    assert room.status == "BETWEEN_ROUNDS"
    told = room.told("round_winner")
    assert [one["participantId"] for one in told] == ([None] if mode == "first" else [])
    room.fire().play(("p1", "b"))
    assert room.points["p1"] == 100


def test_voiding_twice_is_once(ten):
    room = ten().play(("p1", "b")).void("q-1")
    told = len(room.log)
    assert len(room.void("q-1").fire().log) == told


@pytest.mark.parametrize("what", ["opened", "closed", "paused", "revealed"])
def test_other_changes_of_windows_change_nothing(ten, what):
    room = ten().play(("p1", "b"))
    before = room.state
    room.change(ChangeKind.WINDOW, what, window_id="q-1")
    room.change(ChangeKind.WINDOW, "settled", window_id="elsewhere")
    assert (room.state, room.timers) == (before, {})


def test_results_that_the_host_revealed_by_itself_are_told(ten):
    room = ten(revealAnswers="byHand").play(("p1", "b"))
    room.change(ChangeKind.WINDOW, "revealed", window_id="q-1").fire()
    assert room.told("answer_revealed")[0]["options"] == ["b"]
    with pytest.raises(Refuse, match="NOTHING_TO_REVEAL"):
        room.act("reveal")


def test_a_correction_after_the_end_moves_the_final_standings(ten):
    room = ten().play(("p1", "b")).play(("p2", "b"))
    room.act("end")
    room.act("correct", questionId="q1", answer="Rome")
    room.fire()
    assert [one["participantId"] for one in room.state.public["standings"]] == ["p2"]


UNFIT = [
    ("multiple", ["2", "2"]),
    ("multiple", ["2", "17"]),
    ("boolean", "yes"),
    ("number", "42"),
    ("number", True),
    ("number", 2**60),
    ("text", ""),
    ("text", []),
    ("text", [" "]),
    ("order", ["one", "two"]),
    ("order", ["one", "two", "two"]),
]


@pytest.mark.parametrize(("kind", "answer"), UNFIT)
def test_a_key_that_its_question_cannot_have_is_refused(room, question, kind, answer):
    played = room(question("q1", kind)).play()
    before = played.settings
    with pytest.raises(Refuse, match="ANSWER_UNFIT"):
        played.act("correct", questionId="q1", answer=answer)
    assert played.settings == before


def test_a_question_accepts_so_many_texts_and_no_more(room, question):
    played = room(question("q1", "text", accepted=[f"river {n}" for n in range(20)])).play()
    played.act("accept", questionId="q1", answer="RIVER 7")
    with pytest.raises(Refuse, match="ACCEPT_UNFIT"):
        played.act("accept", questionId="q1", answer="river 20")


def test_an_answer_that_was_erased_with_its_person_stays_judged(ten):
    room = ten().play(("p1", "b"), ("p2", "b"), ("p3", "a"))
    first = room.windows["q-1"].submissions
    first[0] = first[0].model_copy(update={"payload": None})
    room.act("accept", questionId="q1", answer="Rome")
    assert verdicts(room, "q-1") == ["right", "right", "right"]
    assert room.points == {"p1": 100, "p2": 0, "p3": 0}
