"""Teams: how people get in, and what a team has."""

import pytest

from mymozhem.contract import ActionCall, ActionRequest, ParticipantStatus, Refuse
from mymozhem_quiz import handle_action

TEAMS = ["Red", "Blue"]


def members(room):
    found = {}
    for person, one in room.people.items():
        found.setdefault(one.data.own.get("team"), []).append(person)
    return found


def table(room):
    return {one["name"]: (one["members"], one["mean"]) for one in room.state.public["teams"]}


def test_balanced_teams_are_dealt_at_the_start(ten):
    room = ten(people=7, teams="balanced", teamNames=TEAMS)
    room.act("start")
    assert sorted(len(one) for one in members(room).values()) == [3, 4]
    assert set(members(room)) == set(TEAMS)


def test_the_deal_is_the_rooms_own(ten):
    deals = set()
    for calls in range(20):
        room = ten(people=4, teams="balanced", teamNames=TEAMS)
        room.calls = calls
        room.act("start")
        deals.add(tuple(members(room)["Red"]))
    assert len(deals) > 1


def test_latecomers_go_to_the_smallest_team_when_a_question_closes_and_nobody_moves(ten):
    room = ten(people=3, teams="balanced", teamNames=TEAMS)
    room.play(action="start")
    before = members(room)
    small = min(before, key=lambda name: len(before[name]))
    room.people["late"] = room.person("late")
    room.play()
    assert members(room)[small] == [*before[small], "late"]
    assert table(room) == {"Red": (2, 0.0), "Blue": (2, 0.0)}


def test_a_team_has_the_mean_of_its_active_members(ten):
    room = ten(people=4, teams="assigned", teamNames=TEAMS, mode="plain")
    for person, team in (("p1", "Red"), ("p2", "Red"), ("p3", "Blue"), ("p4", "Blue")):
        room.act("assignTeam", participantId=person, team=team)
    room.people["p4"] = room.people["p4"].model_copy(update={"status": ParticipantStatus.LEFT})
    room.play(("p1", "b"), ("p2", "a"), ("p3", "b"))
    assert table(room) == {"Red": (2, 50.0), "Blue": (1, 100.0)}
    room.act("correct", questionId="q1", answer="Rome")
    room.fire()
    assert table(room) == {"Red": (2, 50.0), "Blue": (1, 0.0)}


def test_means_say_nothing_of_results_that_are_held_back(ten):
    room = ten(teams="assigned", teamNames=TEAMS, revealAnswers="byHand")
    room.act("assignTeam", participantId="p1", team="Red")
    room.play(("p1", "b"))
    assert table(room)["Red"] == (1, 0.0)
    room.act("reveal")
    assert table(room)["Red"] == (1, 100.0)


def test_means_come_with_the_end_where_no_standings_are_shown(ten):
    room = ten(teams="assigned", teamNames=TEAMS, showStandings=False)
    room.act("assignTeam", participantId="p1", team="Red")
    room.play(("p1", "b"))
    assert table(room)["Red"] == (1, None)
    room.act("end")
    assert table(room)["Red"] == (1, 100.0)
    assert room.told("finished")[0]["teams"][0] == {"name": "Red", "mean": 100.0}


def test_an_import_can_name_teams(ten):
    room = ten(teams="assigned", teamNames=TEAMS)
    room.people["p1"] = room.person("p1", metadata={"team": " red "})
    room.people["p2"] = room.person("p2", metadata={"team": "Green"})
    room.play(("p1", "b"))
    assert table(room)["Red"] == (1, 100.0)


def test_people_choose_and_change_their_minds_before_the_start(ten):
    room = ten(teams="chosen", teamNames=TEAMS)
    room.act("chooseTeam", by="p1", team="red")
    room.act("chooseTeam", by="p1", team="Blue")
    assert members(room)["Blue"] == ["p1"]
    room.fire()
    assert table(room) == {"Red": (0, 0.0), "Blue": (1, 0.0)}
    room.act("start")
    with pytest.raises(Refuse, match="TEAM_CHOSEN"):
        room.act("chooseTeam", by="p1", team="Red")
    room.act("chooseTeam", by="p2", team="Red")
    assert members(room)["Red"] == ["p2"]


def test_an_organizer_moves_people_at_any_time(ten):
    room = ten(teams="balanced", teamNames=TEAMS, people=1)
    room.act("start")
    room.act("assignTeam", participantId="p1", team="Blue")
    assert members(room) == {"Blue": ["p1"]}
    room.act("assignTeam", participantId="p1", team=None)
    assert members(room) == {None: ["p1"]}


@pytest.mark.parametrize(
    ("settings", "team", "code"),
    [
        ({}, "Red", "NO_TEAMS"),
        ({"teams": "balanced", "teamNames": TEAMS}, "Red", "NO_TEAMS"),
        ({"teams": "chosen", "teamNames": TEAMS}, "Green", "TEAM_UNKNOWN"),
    ],
)
def test_what_cannot_be_chosen(ten, settings, team, code):
    with pytest.raises(Refuse, match=code):
        ten(**settings).act("chooseTeam", by="p1", team=team)


def test_choices_that_travel_together_stand_or_fall_alone(ten):
    room = ten(teams="chosen", teamNames=TEAMS)
    calls = []
    for person, team in (("p1", "Red"), ("p2", "Green"), ("p3", "Blue")):
        one = room.people[person]
        actor = {"participant_id": person, "role": one.role, "kind": one.kind}
        calls.append(ActionCall(actor=actor, payload={"team": team}, received_at=room.now))
    request = ActionRequest(action="chooseTeam", calls=tuple(calls))
    answers = handle_action(context=room.context(), request=request).answers
    assert [one.refuse and one.refuse.code for one in answers] == [None, "TEAM_UNKNOWN", None]


def test_teams_are_refused_where_there_are_none(ten):
    with pytest.raises(Refuse, match="NO_TEAMS"):
        ten().act("assignTeam", participantId="p1", team="Red")


def test_who_is_nobody_in_the_room_has_no_team_to_choose(ten):
    with pytest.raises(Refuse, match="NO_TEAMS"):
        ten(teams="chosen", teamNames=TEAMS).act("chooseTeam", team="Red")


def test_a_balanced_team_is_the_apps_word_and_not_that_of_an_import(ten):
    room = ten(people=2, teams="balanced", teamNames=TEAMS)
    for person in ("p1", "p2"):
        room.people[person] = room.person(person, metadata={"team": "Red"})
    room.act("start")
    assert sorted(members(room)) == ["Blue", "Red"]
