"""Winners get code, colour and word of it, however many there are."""

import pytest

from mymozhem.contract import (
    Change,
    ChangeKind,
    Effects,
    Notify,
    RoomChangeRequest,
    RoomData,
    SetParticipants,
    SetState,
    WinnerStatus,
    Wins,
)
from mymozhem_lottery import on_room_changed
from mymozhem_lottery.claim_codes import token_of

KNOWN = RoomData(private={"secret": "ab" * 32})


def change(*people, what="selected"):
    wins = Wins(
        winner_id=tuple(f"win_{n}" for n in range(len(people))),
        participant_id=people,
        prize_id=tuple(f"prize_{n}" for n in range(len(people))),
        status=(WinnerStatus.AWARDED,) * len(people),
    )
    return RoomChangeRequest(change=Change(kind=ChangeKind.WINNER, what=what, wins=wins))


def test_a_winner_sees_what_the_stage_shows_and_a_claim_of_their_own(context, wire):
    effects = wire(on_room_changed(context=context(state=KNOWN), request=change("a")).effects)
    token = token_of("ab" * 32, "a")
    assert effects[:2] == [
        {
            "effect": "setParticipants",
            "participantId": ["a"],
            "own": [{"code": token.code, "colour": token.colour, "claim": token.claim}],
        },
        {
            "effect": "emit",
            "type": "lottery:codes_given",
            "payload": {"participantId": ["a"], "code": [token.code], "colour": [token.colour]},
            "to": "public",
        },
    ]


def test_the_claim_reaches_nobody_else(context, wire):
    first, *rest = wire(on_room_changed(context=context(), request=change("a", "b")).effects)
    claims = {token_of(first["private"]["secret"], one).claim for one in ("a", "b")}
    shown = [one for one in rest if one["effect"] != "setParticipants"]
    assert shown
    assert not any(claim in str(one) for claim in claims for one in shown)


def test_the_rooms_secret_is_made_once_from_the_seed(context):
    first = on_room_changed(context=context(), request=change("a")).effects[0]
    again = on_room_changed(context=context(call_id="call_2"), request=change("a")).effects[0]
    other = on_room_changed(context=context(seed="00" * 32), request=change("a")).effects[0]
    assert first == again != other
    told = context(state=RoomData(private=first.private), seed="00" * 32)
    effects = on_room_changed(context=told, request=change("a")).effects
    assert not any(isinstance(effect, SetState) for effect in effects)


def test_without_a_seed_the_id_of_the_call_makes_the_secret(context):
    secrets = {
        on_room_changed(context=context(seed=None, call_id=one), request=change("a"))
        .effects[0]
        .private["secret"]
        for one in ("call_1", "call_2")
    }
    assert len(secrets) == 2


@pytest.mark.parametrize(
    ("what", "title", "codes"),
    [
        ("selected", "You have won!", True),
        ("moved", "Your prize has changed", True),
        ("revoked", "Your prize goes to somebody else", False),
    ],
)
def test_people_are_told(context, what, title, codes):
    effects = on_room_changed(context=context(), request=change("a", what=what)).effects
    assert [(e.to, e.title) for e in effects if isinstance(e, Notify)] == [(("a",), title)]
    assert any(isinstance(effect, SetParticipants) for effect in effects) is codes


@pytest.mark.parametrize("what", ["fulfilled", "something newer"])
def test_of_the_rest_they_know_already(context, what):
    assert on_room_changed(context=context(), request=change("a", what=what)) == Effects()


@pytest.mark.parametrize("kind", [ChangeKind.DRAW, ChangeKind.PRIZE, ChangeKind.JOINED])
def test_other_changes_change_nothing(context, kind):
    request = RoomChangeRequest(change=Change(kind=kind, what="x"))
    assert on_room_changed(context=context(), request=request) == Effects()


def test_who_won_several_prizes_is_told_once(context):
    request = change("a", "b", "a")
    effects = on_room_changed(context=context(), request=request).effects
    assert [e.to for e in effects if isinstance(e, Notify)] == [("a", "b")]


def test_the_answer_to_a_thousand_wins_is_small_enough_for_every_transport(context):
    people = tuple(f"part_{number:032x}" for number in range(1_000))
    answer = on_room_changed(context=context(), request=change(*people))
    assert len(answer.model_dump_json(by_alias=True)) < 512 * 1024


@pytest.mark.parametrize("transport", ["inprocess"], indirect=True)  # the host tells a thousand
@pytest.mark.parametrize("count", [1, 200, 201, 10_000, 100_000])
def test_any_number_of_winners_fits_one_answer(context, count):
    people = tuple(f"part_{number}" for number in range(count))
    effects = on_room_changed(context=context(), request=change(*people)).effects
    told = [one for effect in effects if isinstance(effect, Notify) for one in effect.to]
    given = [p for e in effects if isinstance(e, SetParticipants) for p in e.participant_id]
    assert told == given == list(people)
    assert len(effects) <= 200
