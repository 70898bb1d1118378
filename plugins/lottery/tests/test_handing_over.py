"""A prize goes to whoever shows the winner's own claim, or a code that fits one winner."""

import pytest

from mymozhem.contract import ActionRequest, Refuse, RoomData, WinnerStatus
from mymozhem_lottery import handle_action, prize_handover
from mymozhem_lottery.claim_codes import token_of

SECRET = "ab" * 32
STATE = RoomData(private={"secret": SECRET})


def hand_over(context, **payload):
    request = ActionRequest(action="handOver", payload=payload)
    *fulfilled, reply = handle_action(context=context, request=request).effects
    return [one.winner_id for one in fulfilled], reply.data


@pytest.mark.parametrize(("shown", "scanned"), [("claim", True), ("code", False)])
def test_everything_that_somebody_won_is_handed_over(context, winner, shown, scanned):
    winners = (winner("a"), winner("b"), winner("a", prize="prize_2"))
    told = context(winners=winners, state=STATE)
    wins, reply = hand_over(told, code=getattr(token_of(SECRET, "a"), shown))
    assert wins == ["win_a_prize_1", "win_a_prize_2"]
    assert reply == {
        "participantId": "a",
        "prizes": ["prize_1", "prize_2"],
        "scanned": scanned,
        "left": 0,
    }


def test_one_prize_can_be_chosen(context, winner):
    told = context(winners=(winner("a"), winner("a", prize="prize_2")), state=STATE)
    wins, _ = hand_over(told, code=token_of(SECRET, "a").claim, prizeId="prize_2")
    assert wins == ["win_a_prize_2"]


@pytest.mark.parametrize("status", [WinnerStatus.FULFILLED, WinnerStatus.REVOKED])
def test_nothing_is_handed_over_twice_or_after_it_was_taken_back(context, winner, status):
    told = context(winners=(winner("a", status=status),), state=STATE)
    with pytest.raises(Refuse, match="NOTHING_TO_HAND_OVER"):
        hand_over(told, code=token_of(SECRET, "a").claim)


def test_a_true_claim_of_nobody_who_won_gets_nothing(context, winner):
    told = context(winners=(winner("a"),), state=STATE)
    with pytest.raises(Refuse, match="NOTHING_TO_HAND_OVER"):
        hand_over(told, code=token_of(SECRET, "b").claim)


@pytest.mark.parametrize("shown", ["ABC-DEF", "a.FORGED", "", "."])
def test_an_unknown_code_is_refused(context, winner, shown):
    with pytest.raises(Refuse, match="CODE_UNKNOWN"):
        hand_over(context(winners=(winner("a"),), state=STATE), code=shown)


def test_before_anybody_won_no_code_is_known(context):
    with pytest.raises(Refuse, match="CODE_UNKNOWN"):
        hand_over(context(), code="ABC-DEF")


def test_a_code_that_two_winners_have_is_not_enough(context, winner):
    seen: dict[str, str] = {}
    number = 0
    while (code := token_of(SECRET, f"p{number}").code) not in seen:
        seen[code] = f"p{number}"
        number += 1
    told = context(winners=(winner(seen[code]), winner(f"p{number}")), state=STATE)
    with pytest.raises(Refuse, match="CODE_SHARED"):
        hand_over(told, code=code)


def test_more_prizes_than_one_answer_holds_are_handed_over_in_turns(context, winner):
    count = prize_handover.MOST_AT_ONCE + 5
    winners = tuple(winner("a", prize=f"prize_{number}") for number in range(count))
    told = context(winners=winners, state=STATE)
    wins, reply = hand_over(told, code=token_of(SECRET, "a").claim)
    assert len(wins) == prize_handover.MOST_AT_ONCE
    assert reply["left"] == 5
