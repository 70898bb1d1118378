"""Settings that cannot work are told with their place; what was played stays as it is."""

import pytest

from mymozhem.contract import Refuse, RoomStatus, SettingsImportRequest, SettingsValidationRequest
from mymozhem_quiz import validate_settings

SELF = {"pace": "self", "closesAt": "2027-01-02T00:00:00Z"}


def test_good_questions_of_every_type_are_good(room, question):
    kinds = ("single", "multiple", "boolean", "number", "nearest", "text", "order")
    assert room(*(question(kind, kind) for kind in kinds)).problems("activate") == []


ACTIVATION = [
    pytest.param({"questions": []}, [("/questions", "QUESTIONS_MISSING")], id="nothing to ask"),
    pytest.param({"teams": "chosen"}, [("/teamNames", "TEAMS_MISSING")], id="no names"),
    pytest.param(
        {"teams": "balanced", "teamNames": ["A"]}, [("/teamNames", "TEAMS_MISSING")], id="one team"
    ),
    pytest.param({"pace": "self"}, [("/closesAt", "CLOSES_AT_MISSING")], id="no end"),
    pytest.param(SELF, [], id="an end to come"),
    pytest.param(
        SELF | {"closesAt": "2026-12-31T20:00:00Z"}, [("/closesAt", "CLOSES_AT_PAST")], id="past"
    ),
    pytest.param(
        SELF | {"closesAt": "2029-01-01T00:00:00Z"}, [("/closesAt", "CLOSES_AT_FAR")], id="far"
    ),
    pytest.param(
        SELF | {"tieBreak": "suddenDeath"}, [("/tieBreak", "SUDDEN_DEATH_LIVE")], id="sudden death"
    ),
]


@pytest.mark.parametrize(("settings", "problems"), ACTIVATION)
def test_activation(ten, settings, problems):
    assert ten().problems("activate", **settings) == problems
    assert ten().problems("save", **settings) in ([], problems)


def test_a_draft_may_lack_what_the_event_needs(ten):
    assert ten().problems(questions=[], teams="chosen", pace="self") == []


SAVED = [
    pytest.param([{"text": ""}], "/questions/0/text", "EMPTY_QUESTION", id="no text"),
    pytest.param([{"answer": 1}], "/questions/0/answer", "FIELD_NOT_FOR_TYPE", id="not its field"),
    pytest.param([{"options": []}], "/questions/0/options", "TOO_FEW_OPTIONS", id="no options"),
    pytest.param(
        [{"options": [{"text": "a", "right": True}, {"text": "b", "right": True}]}],
        "/questions/0/options/1/right",
        "SEVERAL_ANSWERS",
        id="two right ones",
    ),
    pytest.param(
        [{"picture": {"url": "http://example.org", "alt": "x"}}],
        "/questions/0/picture/url",
        "BAD_PICTURE",
        id="an open address",
    ),
    pytest.param([{}, {}], "/questions/1/id", "QUESTION_TWICE", id="an id twice"),
]


@pytest.mark.parametrize(("changes", "pointer", "code"), SAVED)
def test_a_question_that_cannot_be_played_is_not_saved(room, question, changes, pointer, code):
    made = room()
    asked = made.asking(*({**question("q1"), **one} for one in changes))
    assert (pointer, code) in made.listed(made.validate(asked))


def test_two_teams_need_two_names(ten):
    assert ten().problems(teamNames=["Red", " RED"]) == [("/teamNames/1", "TEAM_TWICE")]


def test_at_peoples_own_pace_there_are_sixty_questions_at_most(room, question):
    many = [question(f"q{n}") for n in range(61)]
    assert room(*many).problems(**SELF) == [("/questions/60", "TOO_MANY_SELF_PACED")]
    assert room(*many[:60]).problems(**SELF) == []


def test_a_played_question_is_neither_changed_nor_taken_out(room, question):
    first, second = question("q1"), question("q2")
    played = room(first, second).play()
    assert played.problems(questions=[{**first, "text": "Anew?"}, second]) == [
        ("/questions/0", "QUESTION_FROZEN")
    ]
    assert played.problems(questions=[second]) == [("/questions", "QUESTION_GONE")]
    mended = {**second, "text": "Anew?"}
    assert played.problems(questions=[mended, first, question("q3")]) == []


def test_an_open_question_counts_as_played(room, question):
    played = room(question("q1"))
    played.act("start")
    assert played.problems(questions=[]) == [("/questions", "QUESTION_GONE")]


def test_an_end_that_has_come_is_no_problem_for_other_settings(ten):
    room = ten(pace="self", closesAt="2026-12-31T19:00:00Z")
    assert room.problems(shuffleOptions=True) == []
    assert room.problems(closesAt="2026-12-31T19:30:00Z") == [("/closesAt", "CLOSES_AT_PAST")]


def test_a_room_that_is_only_being_made_has_no_room_yet(ten, question):
    nowhere = ten().context().model_copy(update={"room": None})
    asked = ten().asking(question("q1"))
    request = SettingsValidationRequest(settings=asked, purpose="save")
    assert validate_settings(context=nowhere, request=request).problems == ()


def test_what_cannot_be_read_is_told_with_its_place(ten):
    request = SettingsValidationRequest(
        settings={"closesAt": "2027-01-01T00:00:00"}, purpose="save"
    )
    (problem,) = validate_settings(context=ten().context(), request=request).problems
    assert (problem.pointer, problem.code) == ("/closesAt", "UNREADABLE")


def test_problems_are_in_the_rooms_language(ten):
    request = SettingsValidationRequest(settings={}, purpose="activate")
    (problem,) = validate_settings(context=ten(locale="ru").context(), request=request).problems
    assert problem.message.startswith("Напишите")


def test_a_draft_is_not_asked_about_its_end(ten):
    room = ten(**SELF)
    draft = room.context().room.model_copy(update={"status": RoomStatus.DRAFT})
    context = room.context().model_copy(update={"room": draft})
    settings = {**SELF, "closesAt": "2020-01-01T00:00:00Z"}
    request = SettingsValidationRequest(settings=settings, purpose="save")
    assert validate_settings(context=context, request=request).problems == ()


def imported(room, text, setting=None, format="csv"):
    name = setting or next(iter(room.asking()))
    request = SettingsImportRequest(setting=name, text=text, format=format)
    return room.ask("import_settings", context=room.context(), request=request)


def test_imported_questions_get_ids_that_are_free_in_the_room(room, question):
    found = imported(room(question("q1")), "question,option1,option2,right\nWho?,me,you,A\n")
    questions = [each for one in found.value for each in one.get("questions", [one])]
    assert [one["id"] for one in questions] == ["q2"]
    assert room(*questions).problems("activate") == []


def test_nothing_else_is_imported(ten):
    with pytest.raises(Refuse, match="SETTING_UNKNOWN"):
        imported(ten(), "x", setting="teamNames")
