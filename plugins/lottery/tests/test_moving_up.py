"""Who comes next gets an absent winner's prize, once, and nobody draws again."""

import pytest

from mymozhem.contract import ActionRequest, Refuse, Reserves, RoomData, WinnerStatus
from mymozhem_lottery import handle_action

REVOKED, FULFILLED = WinnerStatus.REVOKED, WinnerStatus.FULFILLED


def line(*rows):
    """People in reserve: (draw, prize or None, person), and False for who has left."""
    return Reserves(
        draw_id=tuple(row[0] for row in rows),
        prize_id=tuple(row[1] for row in rows),
        participant_id=tuple(row[2] for row in rows),
        active=tuple(row[3:] != (False,) for row in rows),
    )


def moved(**by_draw):
    return RoomData(organizer={"movedUp": by_draw})


NEXT = line(("draw_1", None, "x"), ("draw_1", None, "y"), ("draw_1", None, "z"))


def move_up(context, winner_id="win_a_prize_1", **payload):
    request = ActionRequest(action="moveUp", payload={"winnerId": winner_id, **payload})
    return handle_action(context=context, request=request).effects


def lucky(context, **payload):
    return next(one.participant_id for one in move_up(context, **payload) if one.effect == "award")


def test_the_next_one_gets_the_prize_in_one_step(context, wire, winner):
    told = context(winners=(winner("a"),), reserves=NEXT)
    assert wire(move_up(told, reason="absent")) == [
        {"effect": "revoke", "winnerId": "win_a_prize_1", "reason": "absent"},
        {
            "effect": "award",
            "participantId": "x",
            "prizeId": "prize_1",
            "metadata": {"drawId": "draw_1", "replaces": "win_a_prize_1"},
        },
        {"effect": "setState", "organizer": {"movedUp": {"draw_1": {"prize_1": ["x"]}}}},
        {
            "effect": "emit",
            "type": "lottery:moved_up",
            "payload": {
                "drawId": "draw_1",
                "winnerId": "win_a_prize_1",
                "participantId": "x",
                "prizeId": "prize_1",
            },
            "to": "public",
        },
        {"effect": "reply", "data": {"participantId": "x", "prizeId": "prize_1", "left": 2}},
    ]


def test_what_is_known_of_others_is_kept(context, winner):
    state = RoomData(
        organizer={"movedUp": {"draw_0": {"prize_0": ["p"]}, "draw_1": {"prize_9": ["x"]}}}
    )
    effects = move_up(context(winners=(winner("a"),), reserves=NEXT, state=state))
    (after,) = (one.organizer for one in effects if one.effect == "setState")
    assert after == {
        "movedUp": {"draw_0": {"prize_0": ["p"]}, "draw_1": {"prize_9": ["x"], "prize_1": ["y"]}}
    }


def test_who_left_moved_up_before_or_holds_a_prize_is_passed_over(context, winner):
    gone = line(("draw_1", None, "x", False), *[("draw_1", None, who) for who in "yz"])
    for told, expected in (
        (context(winners=(winner("a"),), reserves=gone), "y"),
        (context(winners=(winner("a"),), reserves=NEXT, state=moved(draw_1={"p": ["x"]})), "y"),
        (context(winners=(winner("a"), winner("x", prize="p")), reserves=NEXT), "y"),
        (
            context(winners=(winner("a"), winner("x", prize="p", status=FULFILLED)), reserves=NEXT),
            "y",
        ),
        (
            context(winners=(winner("a"), winner("x", prize="p", status=REVOKED)), reserves=NEXT),
            "x",
        ),
        (context(winners=(winner("a"), winner("x", status=REVOKED)), reserves=NEXT), "y"),
    ):
        assert lucky(told) == expected


@pytest.mark.parametrize("status", [WinnerStatus.AWARDED, REVOKED])
def test_nobody_gets_the_same_prize_twice_even_where_several_may_be_won(context, winner, status):
    told = context(
        winners=(winner("a"), winner("x", status=status)),
        reserves=line(*[("draw_1", "prize_1", who) for who in "xyz"]),
        allowMultipleWins=True,
    )
    assert lucky(told) == "y"


def test_where_several_may_be_won_each_prize_has_a_line_of_its_own(context, winner):
    told = context(
        winners=(winner("a"), winner("x", prize="prize_2")),
        reserves=line(
            ("draw_1", "prize_2", "w"), ("draw_1", "prize_1", "x"), ("draw_1", "prize_1", "y")
        ),
        state=moved(draw_1={"prize_2": ["x"]}),
        allowMultipleWins=True,
    )
    assert lucky(told) == "x"


def test_other_draws_have_lines_of_their_own(context, winner):
    reserves = line(("draw_0", None, "w"), ("draw_1", None, "x"))
    assert lucky(context(winners=(winner("a"),), reserves=reserves)) == "x"


def test_who_moved_up_and_is_absent_too_makes_room_for_the_next(context, winner):
    told = context(
        winners=(
            winner("a", status=REVOKED),
            winner("x", draw=None, drawId="draw_1", replaces="win_a_prize_1"),
        ),
        reserves=NEXT,
        state=moved(draw_1={"prize_1": ["x"]}),
    )
    assert lucky(told, winner_id="win_x_prize_1") == "y"


@pytest.mark.parametrize(
    ("reserves", "state", "code"),
    [
        (None, RoomData(), "NO_RESERVES"),
        (Reserves(), RoomData(), "NO_RESERVES"),
        (line(("draw_2", None, "x")), RoomData(), "NO_RESERVES"),
        (line(("draw_1", "prize_2", "x")), RoomData(), "NO_RESERVES"),
        (NEXT, moved(draw_1={"prize_1": ["x", "y"], "p": ["z"]}), "RESERVES_USED_UP"),
        (line(("draw_1", None, "x", False)), RoomData(), "RESERVES_USED_UP"),
        (line(("draw_1", None, "a")), RoomData(), "RESERVES_USED_UP"),
    ],
)
def test_without_anybody_left_it_is_refused(context, winner, reserves, state, code):
    with pytest.raises(Refuse, match=code):
        move_up(context(winners=(winner("a"),), reserves=reserves, state=state))


def test_a_win_that_was_taken_back_already_is_drawn_again_instead(context, winner):
    told = context(winners=(winner("a", status=REVOKED),), reserves=NEXT)
    with pytest.raises(Refuse, match="WINNER_REVOKED"):
        move_up(told)


def test_who_won_by_hand_has_nobody_in_reserve(context, winner):
    told = context(winners=(winner("a", draw=None),), reserves=NEXT)
    with pytest.raises(Refuse, match="NO_RESERVES"):
        move_up(told)
