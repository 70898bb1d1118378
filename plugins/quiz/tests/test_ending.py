"""The end: standings, prizes down them, and ties broken as the organizer chose."""

import pytest

from mymozhem.contract import (
    Award,
    Candidates,
    Effects,
    ParticipantStatus,
    PersonKind,
    PrepareDrawRequest,
    Refuse,
    Role,
)
from mymozhem_quiz import prepare_draw


def scored(room, *points):
    """Give p1, p2, … these points, as earlier rounds would have."""
    room.play()
    for person, one in zip(list(room.people), points, strict=False):
        room.people[person] = room.people[person].model_copy(update={"points": one})
    return room


def won(room):
    return [(one.participant_id, one.prize_id) for one in room.winners]


def test_prizes_go_down_the_standings(ten, prize):
    room = scored(ten(people=4), 50, 300, 0, 200)
    room.prizes = [prize("gold"), prize("silver", left=2), prize("tin", left=9)]
    reply = room.act("end")
    assert won(room) == [("p2", "gold"), ("p4", "silver"), ("p1", "silver")]
    assert (reply["finished"], reply["awarded"], reply["left"]) == (True, 3, 0)
    assert room.winners[0].metadata == {"place": 1, "points": 300}
    (told,) = room.told("finished")
    assert [(one["rank"], one["participantId"]) for one in told["standings"]] == [
        (1, "p2"),
        (2, "p4"),
        (3, "p1"),
    ]
    assert room.status == "FINISHED"


def test_ties_are_shown_as_ties(ten):
    room = scored(ten(people=4), 100, 200, 200, 50)
    room.act("end")
    ranks = [(one["rank"], one["points"]) for one in room.state.public["standings"]]
    assert ranks == [(1, 200), (1, 200), (3, 100), (4, 50)]


@pytest.mark.parametrize(
    "more",
    [{"role": Role.ORGANIZER}, {"role": Role.VIEWER}, {"status": ParticipantStatus.LEFT}],
)
def test_who_does_not_take_part_wins_nothing(ten, prize, more):
    room = scored(ten(people=1), 100)
    room.people["boss"] = room.person("boss", points=500, **more)
    room.prizes = [prize("gold")]
    room.act("end")
    assert won(room) == [("p1", "gold")]


def test_nobody_gets_a_prize_twice(ten, prize):
    room = scored(ten(people=2), 100, 50)
    room.prizes = [prize("gold", left=3)]
    room.apply(Effects.of(Award(participant_id="p1", prize_id="gold")))
    room.act("end")
    assert won(room) == [("p1", "gold"), ("p2", "gold")]


SHARED = [
    pytest.param((1,), (100, 100), [], id="one prize for two"),
    pytest.param((1, 1), (100, 100), [], id="two different prizes for two"),
    pytest.param((2, 1), (100, 100, 50), [0, 0, 1], id="as many units of one prize"),
    pytest.param((1, 1), (100, 50, 50), [0], id="a tie below a clear place"),
    pytest.param((1, 1, 1), (100, 100, 50), [2], id="a tie above a clear place"),
]


@pytest.mark.parametrize(("units", "points", "given"), SHARED)
def test_a_shared_place_gets_what_there_is_for_all_of_it(ten, prize, units, points, given):
    room = scored(ten(people=3), *points)
    room.prizes = [prize(f"prize{n}", left=left) for n, left in enumerate(units)]
    reply = room.act("end")
    assert [prize for _, prize in won(room)] == [f"prize{n}" for n in given]
    tied = sum(units) - len(given)
    assert sum(len(one["prizeId"]) for one in reply["undecided"]) == min(tied, tied and 2)
    assert room.told("finished")[0]["undecided"] == reply["undecided"]


def test_sudden_death_asks_the_tied_alone_and_changes_no_points(ten, prize):
    room = scored(ten(people=3, tieBreak="suddenDeath"), 100, 100, 50)
    room.prizes = [prize("gold"), prize("silver")]
    assert room.act("end") == {"finished": False, "tied": ["p1", "p2"]}
    window = room.windows["q-2"].declared
    assert (window.participants, window.points) == (("p1", "p2"), 0)
    assert (room.prompt()["tie"], room.state.public["tied"]) == (True, 2)
    room.answer("p2", "b").answer("p1", "b").close()
    assert room.points == {"p1": 100, "p2": 100, "p3": 50}
    assert room.act("end")["finished"]
    assert won(room) == [("p2", "gold"), ("p1", "silver")]


def test_sudden_death_goes_on_until_somebody_is_ahead_or_no_question_is_left(room, question, prize):
    played = room(*(question(f"q{n}") for n in range(3)), people=2, tieBreak="suddenDeath")
    scored(played, 100, 100).prizes = [prize("gold")]
    for _ in range(2):
        assert not played.act("end")["finished"]
        played.answer("p1", "a").answer("p2", "a").close()
    reply = played.act("end")
    assert reply["undecided"] == [{"rank": 1, "participantId": ["p1", "p2"], "prizeId": ["gold"]}]
    assert won(played) == []


def test_a_later_sudden_death_never_undoes_an_earlier_one(ten, prize):
    room = scored(ten(people=3, tieBreak="suddenDeath"), 100, 100, 100)
    room.prizes = [prize("gold"), prize("silver"), prize("tin")]
    room.act("end")
    room.answer("p3", "b").answer("p1", "a").answer("p2", "a").close()
    room.act("end")
    assert room.windows["q-3"].declared.participants == ("p1", "p2")
    room.answer("p2", "b").close()
    room.act("end")
    assert won(room) == [("p3", "gold"), ("p2", "silver"), ("p1", "tin")]


def test_a_void_sudden_death_breaks_no_tie(ten, prize):
    room = scored(ten(people=2, tieBreak="suddenDeath"), 100, 100)
    room.prizes = [prize("gold")]
    room.act("end")
    room.answer("p2", "b").close()
    room.act("correct", questionId="q2", answer="Rome")
    assert room.act("end")["tied"] == ["p1", "p2"]
    room.answer("p2", "b").close()
    room.act("void", questionId="q3")
    assert room.act("end")["tied"] == ["p1", "p2"]


def to_draw(*people, key="tie-1", points=100):
    return PrepareDrawRequest(
        draw_id="draw_1",
        key=key,
        prizes=(),
        candidates=Candidates(
            id=people,
            person_id=people,
            kind=(PersonKind.GUEST,) * len(people),
            metadata=({},) * len(people),
            points=tuple(points if one != "p3" else 50 for one in people),
            last_seen_at=(None,) * len(people),
        ),
    )


def test_a_draw_is_among_the_tied_with_one_ticket_each(ten, prize):
    room = scored(ten(people=3, tieBreak="draw"), 100, 100, 50)
    room.prizes = [prize("gold"), prize("silver"), prize("tin")]
    assert room.act("end")["draws"] == ["tie-1"]
    assert won(room) == [("p3", "tin")]
    (drawn,) = room.draws
    assert [(one.prize_id, one.count) for one in drawn.prizes] == [("gold", 1), ("silver", 1)]
    assert drawn.run
    found = prepare_draw(context=room.context(), request=to_draw("p1", "p2", "p3"))
    assert found.entries.participants == ("p1", "p2")
    assert found.entries.tickets == (1, 1)


def test_a_draw_leaves_out_who_went_and_is_refused_without_anybody(ten, prize):
    room = scored(ten(people=3, tieBreak="draw"), 100, 100, 50)
    room.prizes = [prize("gold")]
    room.act("end")
    found = prepare_draw(context=room.context(), request=to_draw("p2", "p3"))
    assert found.entries.participants == ("p2",)
    with pytest.raises(Refuse, match="NO_ONE_TIED"):
        prepare_draw(context=room.context(), request=to_draw("p3"))


def test_a_draw_that_an_organizer_asks_for_is_for_everybody(ten):
    found = prepare_draw(context=ten().context(), request=to_draw("p1", key="other"))
    assert (found.entries.where, found.entries.tickets) == (True, 1)


def test_more_prizes_than_one_answer_gives_are_reported(ten, prize):
    room = ten(people=250)
    for number, person in enumerate(list(room.people)):
        room.people[person] = room.person(person, points=1_000 - number)
    room.play().prizes = [prize("pin", left=250)]
    reply = room.act("end")
    assert reply["awarded"] + reply["left"] == 250
    assert reply["awarded"] == len(room.winners) > 180


def test_the_end_reveals_what_is_still_held_back(ten):
    room = ten(revealAnswers="byHand").play(("p1", "b"))
    room.act("end")
    assert room.revealed == ["q-1"]
    assert room.told("finished")[0]["standings"][0]["points"] == room.points["p1"] == 100
    assert [one.type for one in room.log][-4:] == [
        "quiz:round_winner",
        "quiz:answer_revealed",
        "quiz:finished",
        "quiz:status_changed",
    ]


@pytest.mark.parametrize("mode", ["first", "speed", "plain"])
def test_the_first_in_commit_order_wins_a_sudden_death_in_every_mode(ten, prize, mode):
    room = scored(ten(people=2, tieBreak="suddenDeath", mode=mode), 100, 100)
    room.prizes = [prize("gold")]
    room.act("end")
    room.answer("p2", "b", ms=3_000).answer("p1", "b", ms=1_000).close()
    assert room.told("round_winner")[-1]["participantId"] == "p2"
    room.act("end")
    assert won(room) == [("p2", "gold")]
