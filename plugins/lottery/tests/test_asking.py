"""Organizers ask for draws by prize, again for who is absent, or at another time."""

import pytest

from mymozhem.contract import ActionRequest, Refuse, WinnerStatus
from mymozhem_lottery import handle_action

LATE = "2026-12-31T23:30:00Z"
DIE = {"kind": "numbers", "count": 1, "min": 1, "max": 6}


def act(context, action, **payload):
    request = ActionRequest(action=action, payload=payload)
    return handle_action(context=context, request=request).effects


def test_without_prizes_all_that_is_left_is_drawn(context, wire, prize):
    draw, reply = wire(act(context(prizes=(prize(),)), "draw"))
    assert draw == {
        "effect": "draw",
        "key": draw["key"],
        "run": True,
        "reveal": "now",
        "publicSources": [],
        "reserves": 0,
        "data": {},
    }
    assert reply["data"] == {"key": draw["key"], "run": True, "reveal": "now"}


def test_prizes_are_drawn_in_the_order_asked_for(context, prize):
    stock = (prize("a", left=3, quantity=3), prize("b", left=2, quantity=5))
    draw, _ = act(
        context(prizes=stock), "draw", prizes=[{"prizeId": "b"}, {"prizeId": "a", "count": 1}]
    )
    assert [(one.prize_id, one.count) for one in draw.prizes] == [("b", 2), ("a", 1)]


REFUSED = [
    ([{"prizeId": "c"}], "PRIZE_UNKNOWN"),
    ([{"prizeId": "a"}, {"prizeId": "a"}], "PRIZE_TWICE"),
    ([{"prizeId": "a", "count": 3}], "PRIZE_SHORT"),
    ([{"prizeId": "empty"}], "PRIZE_SHORT"),
]


@pytest.mark.parametrize(("prizes", "code"), REFUSED)
def test_prizes_that_cannot_be_drawn(context, prize, prizes, code):
    stock = (prize("a", left=2, quantity=2), prize("empty", left=0))
    with pytest.raises(Refuse, match=code):
        act(context(prizes=stock), "draw", prizes=prizes)


def test_without_any_prize_left_there_is_nothing_to_draw(context, prize):
    with pytest.raises(Refuse, match="NO_PRIZES_LEFT"):
        act(context(prizes=(prize(left=0),)), "draw")


@pytest.mark.parametrize(
    ("payload", "settings", "run", "reveal"),
    [
        ({}, {}, True, "now"),
        ({"run": False}, {}, False, "now"),
        ({}, {"reveal": "manual"}, True, "manual"),
        ({"reveal": "now"}, {"reveal": "manual"}, True, "now"),
        ({"publicSources": [{"name": "A die", "due": LATE, "format": DIE}]}, {}, False, "now"),
        ({}, {"publicSources": [{"name": "A die", "due": LATE, "format": DIE}]}, False, "now"),
    ],
)
def test_how_a_draw_is_run_and_shown(context, prize, payload, settings, run, reveal):
    draw, _ = act(context(prizes=(prize(),), **settings), "draw", **payload)
    assert (draw.run, draw.reveal) == (run, reveal)


@pytest.mark.parametrize(
    ("payload", "note"),
    [
        ({}, {}),
        ({"onlyPresent": True}, {"onlyPresent": True}),
        ({"onlyPresent": False}, {"onlyPresent": False}),
    ],
)
@pytest.mark.parametrize("action", ["draw", "redraw"])
def test_a_draw_is_noted_to_be_of_people_present_whatever_the_setting(
    context, prize, winner, action, payload, note
):
    told = context(prizes=(prize(),), winners=(winner("a"),), reserves_=4)
    which = {"winnerId": "win_a_prize_1"} if action == "redraw" else {}
    (draw,) = (one for one in act(told, action, **which, **payload) if one.effect == "draw")
    assert (draw.data, draw.reserves) == (note, 4)


def test_the_same_call_asks_for_the_same_draw(context, prize):
    keys = [
        act(context(prizes=(prize(),), call_id=call), "draw")[0].key
        for call in ("call_1", "call_1", "call_2")
    ]
    assert keys[0] == keys[1] != keys[2]


def test_rfc3797_needs_sources(context, prize):
    told = context(prizes=(prize(),), selectionMethod="rfc3797")
    with pytest.raises(Refuse, match="SOURCES_MISSING"):
        act(told, "draw")


@pytest.mark.parametrize("due", ["2026-12-31T19:00:00Z", "2026-12-31T20:00:00Z"])
def test_a_source_whose_value_may_be_known_is_refused(context, prize, due):
    told = context(prizes=(prize(),))
    with pytest.raises(Refuse, match="SOURCE_TOO_EARLY"):
        act(told, "draw", publicSources=[{"name": "A die", "due": due}])


@pytest.mark.parametrize("form", [None, {"kind": "numbers", "count": 1}, {"kind": "hex"}])
def test_a_source_whose_value_could_be_written_in_many_ways_is_refused(context, prize, form):
    source = {"name": "A die", "due": LATE, **({"format": form} if form else {})}
    with pytest.raises(Refuse, match="FORMAT_MISSING"):
        act(context(prizes=(prize(),)), "draw", publicSources=[source])


def test_the_format_of_a_source_becomes_part_of_the_draw(context, prize, wire):
    source = {"name": "A die", "due": LATE, "format": DIE}
    effects = wire(act(context(prizes=(prize(),)), "draw", publicSources=[source]))
    assert effects[0]["publicSources"][0]["format"] == {**DIE, "ordered": False}


def test_who_is_absent_gives_the_prize_back_and_it_is_drawn_again(context, wire, winner):
    effects = wire(
        act(context(winners=(winner("a"),)), "redraw", winnerId="win_a_prize_1", reason="absent")
    )
    assert effects[0] == {"effect": "revoke", "winnerId": "win_a_prize_1", "reason": "absent"}
    assert effects[1]["prizes"] == [{"prizeId": "prize_1", "count": 1}]
    assert effects[1]["replaces"] == "win_a_prize_1"


def test_a_win_that_was_taken_back_is_only_drawn_again(context, winner):
    told = context(winners=(winner("a", status=WinnerStatus.REVOKED),))
    effects = act(told, "redraw", winnerId="win_a_prize_1")
    assert [one.effect for one in effects] == ["draw", "reply"]


@pytest.mark.parametrize(
    ("winner_id", "code"),
    [
        ("win_a_prize_1", "WINNER_FULFILLED"),
        ("win_b_prize_1", "WINNER_UNKNOWN"),
        ("win_c_prize_1", "WINNER_REPLACED"),
    ],
)
@pytest.mark.parametrize("action", ["redraw", "moveUp"])
def test_wins_whose_prize_nobody_else_can_get(context, winner, action, winner_id, code):
    winners = (
        winner("a", status=WinnerStatus.FULFILLED),
        winner("c", status=WinnerStatus.REVOKED),
        winner("d", draw=None, replaces="win_c_prize_1"),
    )
    with pytest.raises(Refuse, match=code):
        act(context(winners=winners), action, winnerId=winner_id)


def test_the_draw_date_and_its_timer_move_together(context, wire):
    effects = wire(act(context(), "schedule", at=LATE))
    assert effects[0] == {
        "effect": "setSettings",
        "patch": {"drawDate": "2026-12-31T23:30:00.000Z"},
    }
    assert [one["effect"] for one in effects[1:]] == ["schedule", "setState", "emit", "reply"]


def test_a_draw_can_be_called_off(context, wire):
    effects = wire(act(context(drawDate=LATE), "schedule", at=None))
    assert effects[0]["patch"] == {"drawDate": None}


def test_nobody_draws_in_the_past(context):
    with pytest.raises(Refuse, match="DRAW_DATE_PAST"):
        act(context(), "schedule", at="2026-12-31T19:00:00Z")


def test_an_action_that_does_not_exist_is_refused(context):
    with pytest.raises(Refuse, match="ACTION_UNKNOWN"):
        act(context(), "win")
