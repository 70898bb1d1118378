"""A room is carried from 1.x to 2.0 and back, before the start and between two questions."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mymozhem.contract import Refuse, RoomData, SettingsMigrationRequest
from mymozhem_quiz import migrate_settings

FIRST, NEWEST = "1.0.0", "2.0.0"


@pytest.fixture
def version():
    """Each test says which version its rooms have."""
    return NEWEST


def carried(room, to):
    """Settings and state of a room in another version, and what the organizer is told."""
    request = SettingsMigrationRequest.model_validate(
        {"settings": room.settings, "state": room.state, "from": room.version, "to": to}
    )
    return migrate_settings(context=room.context(), request=request)


def moved(room, other):
    """The same room, people, windows, log and all, in the version of another one."""
    found = carried(room, other.version)
    other.must_fit(found.settings, "settings")
    state = {"public": found.state.public, "private": found.state.private}
    other.must_fit(state, "state")
    for name in ("people", "windows", "prizes", "winners", "timers", "log", "calls", "now"):
        setattr(other, name, getattr(room, name))
    other.settings, other.state = found.settings, RoomData(**state)
    return other


def everything(room):
    return room.settings, room.state.public, room.state.private


def test_a_draft_becomes_one_round_and_comes_back_as_it_was(room, question):
    draft = room(question("q1"), question("q2", "order"), version=FIRST, teams="chosen")
    found = carried(draft, NEWEST)
    assert found.notes == ()
    (only,) = found.settings["rounds"]
    assert (only["id"], only["title"]) == ("r1", "Round 1")
    assert only["questions"] == draft.settings["questions"]
    assert found.settings["pauseBetweenRounds"] is False
    assert found.state.public == found.state.private == {}
    up = moved(draft, room())
    assert up.problems("activate") == draft.problems("activate")
    back = carried(up, FIRST)
    assert (back.settings, back.notes) == (draft.settings, ())


def test_without_questions_there_is_no_round(room):
    found = carried(room(version=FIRST), NEWEST)
    assert found.settings["rounds"] == []
    assert carried(moved(room(version=FIRST), room()), FIRST).settings["questions"] == []


def test_the_round_has_a_title_in_the_rooms_language(room, question):
    found = carried(room(question("q1"), version=FIRST, locale="ru"), NEWEST)
    assert found.settings["rounds"][0]["title"] == "Раунд 1"


ANSWERS = [("p1", "b", 900), ("p2", "a", 800), ("p3", "b", 700)]


@pytest.mark.parametrize("mode", ["first", "speed", "plain"])
@pytest.mark.parametrize("held", [True, False])
def test_a_quiz_that_is_moved_between_two_questions_ends_as_one_that_was_not(ten, mode, held):
    chosen = {"mode": mode, "streakBonus": 10, "revealAnswers": "byHand" if held else "onClose"}
    ends = []
    for moves in (False, True):
        room = ten(version=FIRST, **chosen).play(*ANSWERS).play(*ANSWERS[::-1])
        if moves:
            room = moved(room, ten(**chosen))
            assert room.state.public["part"] == {"number": 1, "of": 1, "title": "Round 1"}
        room.play(*ANSWERS)
        room.act("correct", questionId="q2", answer="Rome")
        if moves:
            room = moved(room, ten(version=FIRST, **chosen))
            assert "part" not in room.state.public
        room.play(*ANSWERS).act("end")
        room.fire()
        told = [one for one in room.log if one.type != "quiz:part_started"]
        kept = [one.payload for one in told if one.type != "quiz:question_shown"]
        ends.append((room.points, room.settings, room.state, kept))
    assert ends[0] == ends[1]


def test_a_quiz_that_was_moved_up_does_not_begin_its_round_once_more(ten):
    room = moved(ten(version=FIRST).play(), ten(pauseBetweenRounds=True))
    room.settings = {**room.settings, "pauseBetweenRounds": True}
    room.act("next")
    assert (room.status, room.told("part_started")) == ("QUESTION_ACTIVE", [])


def test_at_peoples_own_pace_no_round_is_on_in_either_version(ten):
    end = {"pace": "self", "closesAt": "2027-01-02T00:00:00Z"}
    room = ten(version=FIRST, **end)
    room.act("start")
    up = moved(room, ten(**end))
    assert "part" not in up.state.public
    assert everything(moved(up, ten(version=FIRST, **end))) == everything(room)


PICTURE = {"url": "https://example.org/a.png", "alt": "A"}


def test_the_way_back_says_what_is_lost_and_keeps_the_rest(room, question):
    pictured = question("q2", points=7)
    pictured["options"][0]["picture"] = PICTURE
    rounds = [
        {"id": "a", "title": "Maps", "questions": [question("q1")]},
        {
            "id": "b",
            "title": "Music",
            "points": 30,
            "timePerQuestion": 45,
            "questions": [pictured, question("q3", timeLimit=9, picture=PICTURE)],
        },
    ]
    night = room(rounds=rounds, pauseBetweenRounds=True, mode="plain")
    night.play(("p1", "b"))
    assert night.state.public["standings"]
    back = moved(night, room(version=FIRST))
    listed = back.settings["questions"]
    assert [one["id"] for one in listed] == ["q1", "q2", "q3"]
    assert [one.get("points") for one in listed] == [None, 7, 30]
    assert [one.get("timeLimit") for one in listed] == [None, 45, 9]
    assert (listed[1]["options"], listed[2]["picture"]) == (question("q2")["options"], PICTURE)
    assert back.state.public["standings"] == []
    titles, pictures, pause = carried(night, FIRST).notes
    assert "Maps, Music" in titles
    assert "1" in pictures
    assert pause
    back.play(("p1", "b"))
    assert back.points["p1"] == 107
    assert back.problems() == []


def test_the_final_standings_stay(room, question):
    over = room(question("q1")).play(("p1", "b"))
    over.act("end")
    assert moved(over, room(version=FIRST)).state.public["standings"]


def test_a_note_names_ten_titles_of_fifty(room, question):
    rounds = [
        {"id": f"r{n}", "title": "x" * 90 + f"{n:02}", "questions": [question(f"q{n}")]}
        for n in range(50)
    ]
    (note,) = carried(room(rounds=rounds), FIRST).notes
    assert "09, …" in note
    assert len(note) < 4_000


@pytest.mark.parametrize("to", ["1.0.0", "1.4.2", "2.0.0", "2.1.0"])
def test_nothing_changes_within_a_major(room, question, to):
    played = room(question("q1"), version=FIRST if to[0] == "1" else NEWEST).play()
    found = carried(played, to)
    assert (found.settings, found.notes) == (played.settings, ())
    assert (found.state.public, found.state.private) == everything(played)[1:]


def test_other_versions_are_refused(room, question):
    with pytest.raises(Refuse, match="VERSION_UNKNOWN"):
        carried(room(question("q1")), "3.0.0")


# ------------------------------------------------------------------------------------ generated

#: what the fixtures give makes a new room for each example
ROOMS_ARE_NEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

TEXTS = st.text("abc é", min_size=1, max_size=8).filter(str.strip)
FIELDS = {
    "timeLimit": st.integers(5, 600),
    "points": st.integers(1, 10_000),
    "picture": st.just(PICTURE),
}
KINDS = {
    "single": {"options": st.just([{"text": "a", "right": True}, {"text": "b", "right": False}])},
    "multiple": {"options": st.just([{"text": "a", "right": True, "accepted": True}])},
    "boolean": {"answer": st.booleans()},
    "number": {"answer": st.integers(-9, 9)},
    "text": {"accepted": st.lists(TEXTS, min_size=1, max_size=3)},
    "order": {"options": st.lists(TEXTS.map(lambda text: {"text": text}), max_size=8)},
}
QUESTIONS = st.sampled_from([*KINDS]).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"type": st.just(kind), "text": TEXTS, **KINDS[kind]}, optional=FIELDS
    )
)
ROUND = st.fixed_dictionaries(
    {"question": st.sampled_from(["q0", "q1", "q9"])},
    optional={
        "order": st.text("01234567", max_size=8),
        "closed": st.booleans(),
        "void": st.booleans(),
        "ranked": st.lists(st.sampled_from(["p1", "p2"]), max_size=2, unique=True),
    },
)
STATUSES = ["WAITING", "QUESTION_ACTIVE", "BETWEEN_ROUNDS", "FINISHED"]
PUBLIC = st.fixed_dictionaries(
    {"status": st.sampled_from(STATUSES)},
    optional={
        "round": st.integers(0, 9),
        "window": st.none() | st.just("q-1"),
        "closesAt": st.none() | st.just("2027-01-02T00:00:00Z"),
        "teams": st.just([{"name": "Red", "members": 1, "mean": None}]),
    },
)
PRIVATE = st.fixed_dictionaries(
    {}, optional={"rounds": st.lists(ROUND, max_size=4), "untold": st.just([1])}
)
STATES = st.fixed_dictionaries({}, optional={"public": PUBLIC, "private": PRIVATE})
CHOSEN = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["first", "speed", "plain"]),
        "pace": st.sampled_from(["live", "self"]),
        "teamNames": st.just(["Red"]),
    },
)


def numbered(questions):
    return [{"id": f"q{n}", **one} for n, one in enumerate(questions)]


@ROOMS_ARE_NEW
@given(questions=st.lists(QUESTIONS, max_size=5).map(numbered), chosen=CHOSEN, state=STATES)
def test_whatever_a_room_of_the_first_version_holds_goes_up_and_comes_back(
    first_room, newest_room, questions, chosen, state
):
    room, other = first_room(*questions, **chosen), newest_room()
    room.state = RoomData(**state)
    room.must_fit({"public": {}, "private": {}, **state}, "state")
    up = moved(room, other)
    back = carried(up, FIRST)
    assert (back.settings, back.notes) == (room.settings, ())
    assert (back.state.public, back.state.private) == everything(room)[1:]


ROUNDS = st.lists(
    st.fixed_dictionaries(
        {"title": TEXTS, "questions": st.lists(QUESTIONS, max_size=3)},
        optional={"points": st.integers(1, 10_000), "timePerQuestion": st.integers(5, 600)},
    ),
    max_size=4,
)


@ROOMS_ARE_NEW
@given(rounds=ROUNDS, chosen=CHOSEN)
def test_whatever_rounds_there_are_questions_keep_all_but_the_pictures_of_options(
    first_room, newest_room, rounds, chosen
):
    whole = numbered(question for one in rounds for question in one["questions"])
    left = iter(whole)
    named = [
        {"id": f"r{n}", **one, "questions": [next(left) for _ in one["questions"]]}
        for n, one in enumerate(rounds)
    ]
    room = newest_room(rounds=named, **chosen)
    back = moved(room, first_room())
    for one, before in zip(back.settings["questions"], whole, strict=True):
        assert before.items() <= one.items()
        assert one.keys() - before.keys() <= {"points", "timeLimit"}


@pytest.fixture
def first_room(room):
    return lambda *questions, **chosen: room(*questions, version=FIRST, **chosen)


@pytest.fixture
def newest_room(room):
    return room
