"""Rounds: one after the other, each under its title, with standings between them."""

import pytest

from mymozhem.contract import ChangeKind, Refuse

ACTIVE, BETWEEN = "QUESTION_ACTIVE", "BETWEEN_ROUNDS"
TITLES = ("Geography", "Music", "Sport")


@pytest.fixture
def version():
    """Rooms of the first version know no rounds."""
    return "2.0.0"


@pytest.fixture
def rounds(question):
    """Three rounds of two questions each: q1 to q6."""

    def build(**more):
        return [
            {
                "id": f"r{n}",
                "title": title,
                "questions": [question(f"q{2 * n - 1}"), question(f"q{2 * n}")],
                **more.get(f"r{n}", {}),
            }
            for n, title in enumerate(TITLES, start=1)
        ]

    return build


@pytest.fixture
def night(room, rounds):
    return lambda **settings: room(**{"rounds": rounds(), "mode": "plain", **settings})


def part(number, of=3):
    return {"number": number, "of": of, "title": TITLES[number - 1]}


def test_rounds_follow_one_another_and_everybody_sees_which_is_on(night):
    played = night()
    for number in range(1, 7):
        played.act("next" if number > 1 else "start")
        here = part((number + 1) // 2)
        assert played.prompt()["part"] == played.state.public["part"] == here
        assert played.told("question_shown")[-1]["part"] == here["number"]
        played.answer("p1", "b").close()
    begun = [{"part": n, "of": 3, "title": title} for n, title in enumerate(TITLES, start=1)]
    assert played.told("part_started") == begun
    types = [one.type for one in played.log]
    assert types[:3] == ["quiz:part_started", "quiz:question_shown", "quiz:status_changed"]
    played.act("end")
    assert "part" not in played.state.public
    assert played.state.public["total"] == 6


def test_the_next_round_waits_where_the_organizer_wants_a_pause(night):
    played = night(pauseBetweenRounds=True).play(("p1", "b")).play(("p1", "b"))
    played.act("next")
    assert (played.status, played.state.public["part"]) == (BETWEEN, part(2))
    assert list(played.windows) == ["q-1", "q-2"]
    assert played.told("part_started")[-1] == {"part": 2, "of": 3, "title": "Music"}
    assert played.state.public["standings"][0]["participantId"] == "p1"
    played.act("next")
    assert (played.status, played.prompt()["part"]) == (ACTIVE, part(2))
    assert played.state.public["standings"] == []
    assert len(played.told("part_started")) == 2


def standings(played):
    return [(one["participantId"], one["points"]) for one in played.state.public["standings"]]


def test_between_rounds_everybody_sees_the_standings_and_not_before(night):
    played = night().play(("p1", "b"), ("p2", "a"))
    assert standings(played) == []
    played.play(("p1", "b"), ("p2", "b"))
    assert standings(played) == [("p1", 200), ("p2", 100)]
    played.act("next")
    assert standings(played) == []


def test_standings_that_are_not_to_be_shown_are_not(night):
    played = night(showStandings=False).play(("p1", "b")).play(("p1", "b"))
    assert standings(played) == []
    played.fire()
    assert standings(played) == []


def test_standings_that_are_not_to_be_shown_any_more_go(night):
    played = night().play(("p1", "b")).play(("p1", "b"))
    assert standings(played) != []
    played.settings = {**played.settings, "showStandings": False}
    played.change(ChangeKind.SETTINGS, "updated")
    assert standings(played) == []


def test_standings_between_rounds_say_nothing_of_results_that_are_held_back(night):
    played = night(revealAnswers="byHand").play(("p1", "b")).play(("p2", "b"))
    assert standings(played) == []
    played.act("reveal", questionId="q2")
    assert standings(played) == [("p2", 100)]
    played.act("reveal")
    assert standings(played) == [("p1", 100), ("p2", 100)]


def test_a_correction_moves_the_standings_between_rounds(night):
    played = night().play(("p1", "b"), ("p2", "a")).play(("p1", "b"))
    played.act("correct", questionId="q1", answer="Rome")
    played.fire()
    assert standings(played) == [("p1", 100), ("p2", 100)]


def test_standings_come_where_the_host_settled_the_last_question(night):
    played = night().play(("p1", "b"))
    played.act("next")
    played.answer("p2", "b").settle().fire()
    assert standings(played) == [("p1", 100), ("p2", 100)]


def test_a_question_of_another_round_begins_that_round(night):
    played = night(pauseBetweenRounds=True).play(("p1", "b"))
    played.play(action="show", questionId="q5")
    assert played.state.public["part"] == part(3)
    assert standings(played) == []
    played.act("next")
    assert [one["part"] for one in played.told("part_started")] == [1, 3, 1]
    assert played.status == BETWEEN
    played.act("next")
    assert played.prompt()["round"] == 3
    assert [one["question"] for one in played.state.private["rounds"]] == ["q1", "q5", "q2"]


def test_what_is_asked_once_more_leaves_the_round_that_is_on(night, prize):
    played = night(tieBreak="suddenDeath", people=2).play(("p1", "b"), ("p2", "b"))
    played.play().play()
    played.act("replay", questionId="q1")
    assert (played.prompt()["part"], played.state.public["part"]) == (part(1), part(2))
    played.answer("p1", "b").answer("p2", "b").close()
    played.prizes = [prize("gold")]
    played.play().act("end")
    assert played.prompt()["tie"]
    assert (played.prompt()["part"], played.state.public["part"]) == (part(3), part(2))


def test_points_and_time_are_those_nearest_to_the_question(room, question):
    own = question("q2", points=7, timeLimit=9)
    played = room(
        rounds=[
            {"id": "a", "title": "A", "questions": [question("q1")]},
            {
                "id": "b",
                "title": "B",
                "points": 30,
                "timePerQuestion": 45,
                "questions": [own, question("q3")],
            },
        ],
        mode="plain",
    )
    for number, (points, seconds) in enumerate([(100, 20), (7, 9), (30, 45)], start=1):
        played.play(("p1", "b"))
        prompt = played.prompt(f"q-{number}")
        assert (prompt["points"], prompt["seconds"]) == (points, seconds)
    assert played.points["p1"] == 137


def test_at_peoples_own_pace_no_round_begins_and_each_question_names_its_own(night):
    played = night(pace="self", closesAt="2027-01-02T00:00:00Z")
    played.act("start")
    numbers = [one.declared.prompt["part"]["number"] for one in played.windows.values()]
    assert numbers == [1, 1, 2, 2, 3, 3]
    assert (played.told("part_started"), played.state.public.get("part")) == ([], None)


def test_a_title_that_is_mended_is_seen_at_once(night):
    played = night()
    played.act("start")
    first, *others = played.settings["rounds"]
    played.settings = {**played.settings, "rounds": [*others, {**first, "title": "Maps"}]}
    played.change(ChangeKind.SETTINGS, "updated")
    assert played.state.public["part"] == {"number": 3, "of": 3, "title": "Maps"}


def test_a_round_that_was_taken_out_changes_nothing_for_the_question_that_is_open(night):
    played = night()
    played.act("start")
    played.settings = {**played.settings, "rounds": played.settings["rounds"][1:]}
    played.change(ChangeKind.SETTINGS, "updated").answer("p1", "b").close()
    assert (played.status, played.state.public["part"]) == (BETWEEN, part(1))


def test_statistics_say_the_round(night):
    played = night().play().play().play()
    assert [one["part"] for one in played.act("statistics")["questions"]] == [1, 1, 2]


def test_after_the_last_round_there_is_no_next(night):
    played = night(pauseBetweenRounds=True)
    for step in ("start", "next", "next", "next", "next", "next", "next", "next"):
        played.act(step)
        if played.status == ACTIVE:
            played.close()
    assert len(played.windows) == 6
    with pytest.raises(Refuse, match="NO_QUESTIONS_LEFT"):
        played.act("next")


PICTURE = {"url": "https://example.org/paris.png", "alt": "A tower"}


@pytest.mark.parametrize("kind", ["single", "multiple", "order"])
def test_options_have_pictures_which_a_correction_keeps(room, question, kind):
    asked = question("q1", kind)
    asked["options"] = [{**one, "picture": PICTURE} for one in asked["options"]]
    played = room(asked)
    played.act("start")
    assert [one["picture"] for one in played.prompt()["options"]] == [PICTURE] * 3
    played.close()
    texts = [one["text"] for one in asked["options"]]
    played.act("correct", questionId="q1", answer=texts[::-1] if kind == "order" else texts[2])
    (now,) = played.settings["rounds"][0]["questions"]
    assert [one["picture"] for one in now["options"]] == [PICTURE] * 3
    assert played.problems() == []


def test_what_was_accepted_keeps_its_picture_too(room, question):
    asked = question("q1")
    asked["options"][0]["picture"] = PICTURE
    played = room(asked).play()
    played.act("accept", questionId="q1", answer="Rome")
    (now,) = played.settings["rounds"][0]["questions"]
    assert now["options"][0] == {"text": "Rome", "accepted": True, "picture": PICTURE}


# ------------------------------------------------------------------------------------- settings


def test_good_rounds_are_good(night):
    assert night().problems("activate") == []


def changed(rounds, place, **more):
    return [one | (more if n == place else {}) for n, one in enumerate(rounds)]


UNFIT = [
    pytest.param(1, {"id": "r1"}, ["/rounds/0/id", "/rounds/1/id"], "ROUND_TWICE", id="id twice"),
    pytest.param(1, {"title": " "}, ["/rounds/1/title"], "NO_TITLE", id="no title"),
    pytest.param(1, {"title": "a\x00"}, ["/rounds/1/title"], "CONTROL_CHARACTER", id="control"),
    pytest.param(1, {"points": 0}, ["/rounds/1/points"], "OUT_OF_RANGE", id="no points"),
    pytest.param(1, {"colour": "red"}, ["/rounds/1/colour"], "UNKNOWN_ROUND_FIELD", id="unknown"),
]


@pytest.mark.parametrize(("place", "more", "pointers", "code"), UNFIT)
def test_a_round_that_cannot_be_played_is_not_saved(night, rounds, place, more, pointers, code):
    wanted = {"rounds": changed(rounds(), place, **more)}
    assert night().validate(wanted) == [(pointer, code) for pointer in pointers]


def test_a_question_is_in_one_round_only(night, rounds, question):
    found = night().validate({"rounds": changed(rounds(), 2, questions=[question("q1")])})
    assert found == [
        ("/rounds/0/questions/0/id", "QUESTION_TWICE"),
        ("/rounds/2/questions/0/id", "QUESTION_TWICE"),
    ]


def test_a_draft_may_have_an_empty_round_and_an_evening_may_not(night, rounds):
    wanted = {"rounds": changed(rounds(), 1, questions=[])}
    assert night().validate(wanted) == []
    assert night().validate(wanted, "activate") == [("/rounds/1/questions", "ROUND_EMPTY")]


def test_there_are_five_hundred_questions_in_all_and_no_more(night, question):
    questions = [question(f"q{n}", "boolean") for n in range(501)]
    rounds = [
        {"id": "a", "title": "A", "questions": questions[:300]},
        {"id": "b", "title": "B", "questions": questions[300:]},
    ]
    room = night()
    room.must_fit({"rounds": rounds}, "settings")
    assert room.validate({"rounds": rounds}) == [("/rounds/1/questions/200", "TOO_MANY_QUESTIONS")]
    rounds[1]["questions"].pop()
    assert room.validate({"rounds": rounds}) == []


def test_the_sixty_of_a_quiz_at_peoples_own_pace_are_counted_over_all_rounds(night, question):
    questions = [question(f"q{n}", "boolean") for n in range(61)]
    rounds = [
        {"id": "a", "title": "A", "questions": questions[:40]},
        {"id": "b", "title": "B", "questions": questions[40:]},
    ]
    wanted = {"rounds": rounds, "pace": "self", "closesAt": "2027-01-02T00:00:00Z"}
    assert night().validate(wanted) == [("/rounds/1/questions/20", "TOO_MANY_SELF_PACED")]


def test_a_round_that_was_begun_keeps_what_its_points_follow_from(night, rounds):
    played = night().play()
    before = rounds()
    assert played.validate({"rounds": changed(before, 0, points=5, timePerQuestion=9)}) == [
        ("/rounds/0/points", "ROUND_FROZEN"),
        ("/rounds/0/timePerQuestion", "ROUND_FROZEN"),
    ]
    assert played.validate({"rounds": changed(before, 0, title="Maps")}) == []
    assert played.validate({"rounds": changed(before, 1, points=5)}) == []
    assert played.validate({"rounds": before[::-1]}) == []


def test_a_played_question_stays_in_its_round(night, rounds):
    played = night().play()
    first, second, third = rounds()
    moved, left = first["questions"]
    second = {**second, "questions": [moved, *second["questions"]]}
    found = played.validate({"rounds": [{**first, "questions": [left]}, second, third]})
    assert found == [("/rounds/1/questions/0", "QUESTION_MOVED")]
    gone = played.validate({"rounds": [{**first, "questions": [left]}, third]})
    assert gone == [("/rounds", "QUESTION_GONE")]
    unseen = {**first, "questions": [moved]}, {**third, "questions": [left, *third["questions"]]}
    assert played.validate({"rounds": [*unseen]}) == []
