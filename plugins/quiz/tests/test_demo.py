"""The demo of the quiz fits the rules of the quiz, and its script calculates the same scores."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.contract import RoomStatus, read_manifest
from mymozhem.contract.demo import DemoFailed, Guest
from mymozhem_quiz import demo
from mymozhem_quiz.demo import question_source
from mymozhem_quiz.demo.evening import COMPLETE, ROUNDS
from mymozhem_quiz.demo.expected_scores import Counted, Sheet, Tie, points, ranks, winner, wins
from mymozhem_quiz.demo.http_room import Event, Person, Place, Row
from mymozhem_quiz.demo.people import names
from mymozhem_quiz.demo.rooms import QUESTIONS
from mymozhem_quiz.demo.score_checks import check_log, check_people, check_points, check_standings
from mymozhem_quiz.demo.simulated_players import FRIENDS, Habit, bring, habits
from mymozhem_quiz.importing import check_question, import_questions
from mymozhem_quiz.points import Answer, Played, compute_points
from mymozhem_quiz.settings import Settings

MANIFEST = read_manifest("mymozhem_quiz")
MODES = ("first", "speed", "plain")


# ---------------------------------------------------------------------------------- what ships


def test_there_is_a_sample_of_every_status_and_each_has_a_name_of_its_own():
    assert {sample.status for sample in demo.SAMPLES} == set(RoomStatus)
    assert len({sample.name for sample in demo.SAMPLES}) == len(demo.SAMPLES)


@pytest.mark.parametrize("sample", demo.SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_sets_and_does_only_what_the_manifest_knows(sample):
    assert sample.settings.keys() <= MANIFEST["settings"]["properties"].keys()
    Settings.model_validate(sample.settings)
    assert {step.action for step in sample.actions} <= MANIFEST["actions"].keys()
    assert sample.handed_over <= sum(prize.quantity for prize in sample.prizes)
    for step in sample.actions:
        assert len(step.answers) in (0, len(sample.people))


def test_the_questions_that_ship_are_of_all_types_and_sound():
    rounds = MANIFEST["settings"]["properties"]["rounds"]["items"]["properties"]
    types = rounds["questions"]["items"]["properties"]["type"]["enum"]
    assert {question["type"] for question in QUESTIONS} == set(types)
    assert [fault for question in QUESTIONS for fault in check_question(question)] == []
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS) == 12


def test_without_a_large_file_the_questions_that_ship_are_played(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = question_source.find_source()
    assert found.name == "questions.txt"
    text = found.some(ROUNDS, Random(1)).decode()
    imported = import_questions(text, "opentrivia")
    assert imported.problems == ()
    assert len(imported.value) == len(found.blocks) >= ROUNDS


def test_a_large_file_is_taken_in_the_bytes_that_it_has(tmp_path, monkeypatch):
    one = b"#Q Caf\xe9?\r\n^ A\xa0\r\nA A\xa0\r\nB B\r\n"
    (tmp_path / "large.txt").write_bytes(b"preamble\r\n" + one * 100)
    monkeypatch.setattr(question_source, "LARGE", tmp_path / "large.txt")
    found = question_source.find_source()
    assert (found.name, len(found.blocks)) == ("large.txt", 100)
    assert found.some(10, Random(1)).count(b"#Q Caf\xe9?") == 20


def test_everybody_has_a_name_of_their_own():
    assert len(set(names(2_000))) == 2_000
    assert len({name.split()[1] for name in names(18)}) == 18


# ----------------------------------------------------------------------------- what people do


def hall(count):
    guests = tuple(Guest(f"token-{n}", f"person-{n}") for n in range(count))
    return bring(guests, Random(3), rounds=ROUNDS)


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
def test_everything_happens_in_every_round_that_is_not_complete(number):
    phones = hall(200)
    complete = number <= COMPLETE
    planned = habits(phones, Random(number), number=number, complete=complete)
    assert planned == habits(phones, Random(number), number=number, complete=complete)
    assert set(planned[:FRIENDS]) == {Habit.STEADY}
    missing = {Habit.LATE, Habit.LOST, Habit.GONE, Habit.AWAY} if complete else set()
    assert set(planned) == set(Habit) - missing


def test_some_leave_half_way_and_the_friends_never():
    phones = hall(200)
    gone = [place for place, phone in enumerate(phones) if phone.leaves < ROUNDS]
    assert len(gone) == 8
    assert gone[0] >= FRIENDS
    planned = habits(phones, Random(1), number=ROUNDS, complete=False)
    assert {planned[place] for place in gone} == {Habit.AWAY}


# -------------------------------------------------------------------------- what is computed

SHEET = Sheet(
    1,
    (Counted("ada", "a", 400), Counted("bob", "b", 9_999), Counted("cyd", "b", 500)),
    right="b",
    points=1_000,
    limit_ms=10_000,
)


@pytest.mark.parametrize(
    ("mode", "brought", "won"),
    [
        ("first", {"ada": 0, "bob": 1_000, "cyd": 0}, "bob"),
        ("speed", {"ada": 0, "bob": 500, "cyd": 975}, "cyd"),
        ("plain", {"ada": 0, "bob": 1_000, "cyd": 1_000}, None),
    ],
)
def test_a_round_on_paper(mode, brought, won):
    assert points(mode, SHEET) == brought
    assert winner(mode, SHEET) == won


answers = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30_000)), max_size=20)


@given(st.sampled_from(MODES), answers, st.integers(1, 10_000), st.integers(5, 600))
def test_the_evening_reckons_as_the_quiz_does(mode, given_answers, full, seconds):
    counted = [Counted(str(n), answer, ms) for n, (answer, ms) in enumerate(given_answers)]
    sheet = Sheet(1, tuple(counted), right="a", points=full, limit_ms=seconds * 1_000)
    played = Played(
        full,
        seconds * 1_000,
        tuple(Answer(one.person, one.answer == "a", one.elapsed_ms) for one in counted),
    )
    assert tuple(points(mode, sheet).values()) == compute_points(mode, 0, [played])[0]


def test_who_is_alone_at_a_place_wins_and_who_shares_one_is_tied():
    total = Counter({"ada": 30, "bob": 20, "cyd": 20, "dan": 10, "eve": 0})
    assert ranks(total) == {"ada": 1, "bob": 2, "cyd": 2, "dan": 4}
    found = wins(total, ("gold", "silver", "bronze", "tin", "wood"))
    assert found.clear == {"ada": "gold", "dan": "tin"}
    assert found.ties == (Tie(2, ("bob", "cyd"), ("silver", "bronze")),)


# ----------------------------------------------------------------------- what is held against


def row(points, verdict="right", person="ada"):
    return Row(
        id="s", participant_id=person, payload={"answer": "b"}, elapsed_ms=1, verdict=verdict,
        points=points,
    )  # fmt: skip


def test_a_score_that_differs_ends_the_evening_with_both_numbers():
    sheet = Sheet(4, (Counted("ada", "b", 1),), right="b", points=10, limit_ms=5_000)
    check_points("plain", sheet, [row(10)])
    with pytest.raises(DemoFailed, match=r"round 4: ada: .*'right', 9\).*'right', 10\)"):
        check_points("plain", sheet, [row(9)])
    total = Counter({"ada": 10})
    check_standings(total, [Place(rank=1, participant_id="ada", display_name="A", points=10)])
    with pytest.raises(DemoFailed, match=r"standings, ada: .*\(2, 10\).*\(1, 10\)"):
        check_standings(total, [Place(rank=2, participant_id="ada", display_name="A", points=10)])
    people = [Person(id=one, role="PARTICIPANT", points=10) for one in ("ada", "bob")]
    with pytest.raises(DemoFailed, match="points, bob: the host says 10, the script calculated 0"):
        check_people(total, people, 2)


def told(kind, **payload):
    return Event(cursor="1", type=kind, payload={"windowId": "q-1", **payload})


def test_a_winner_who_is_another_one_or_told_too_early_ends_the_evening():
    closed, won = told("window:closed"), told("quiz:round_winner", round=1, participantId="ada")
    check_log([closed, won], {1: "ada"})
    with pytest.raises(DemoFailed, match="the winner of round, 1"):
        check_log([closed, won], {1: "bob"})
    with pytest.raises(DemoFailed, match="before it was closed"):
        check_log([won, closed], {1: "ada"})
