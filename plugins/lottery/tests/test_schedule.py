"""The timer follows the draw date, fires once, and draws what is left."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.contract import (
    AppRef,
    Change,
    ChangeKind,
    Context,
    Draw,
    Effects,
    RoomChangeRequest,
    RoomData,
    RoomStatus,
    RoomView,
    SetState,
    TimerRequest,
)
from mymozhem_lottery import on_room_changed, on_timer
from mymozhem_lottery.schedule import stamp

SOON, LATE = "2026-12-31T21:00:00+03:00", "2026-12-31T23:30:00Z"
STARTED = RoomChangeRequest(change=Change(kind=ChangeKind.STATUS, what="status_changed"))
CHANGED = RoomChangeRequest(change=Change(kind=ChangeKind.SETTINGS, what="updated"))
DUE = TimerRequest(name="draw")


NOW = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)


def room(at, state=None):
    """A running room whose draw is at that moment."""
    return Context(
        contract="1.0",
        call_id="call_1",
        app=AppRef(id="lottery", version="2.1.0"),
        room=RoomView(
            id="room_1",
            name="The room",
            status=RoomStatus.ACTIVE,
            locale="en",
            settings={"drawDate": at.isoformat()},
            state=state or RoomData(),
        ),
        now=NOW,
        deadline_ms=2_000,
    )


def planned(at):
    return RoomData(public={"drawAt": at})


def test_a_room_that_starts_sets_the_timer(context, wire):
    effects = on_room_changed(context=context(drawDate=LATE), request=STARTED).effects
    assert wire(effects) == [
        {"effect": "schedule", "name": "draw", "at": "2026-12-31T23:30:00Z", "payload": {}},
        {"effect": "setState", "public": {"drawAt": "2026-12-31T23:30:00.000Z"}},
        {
            "effect": "emit",
            "type": "lottery:draw_scheduled",
            "payload": {"at": "2026-12-31T23:30:00.000Z"},
            "to": "public",
        },
    ]


def test_a_draw_date_that_moves_takes_the_timer_along(context, wire):
    told = context(drawDate=LATE, state=planned("2026-12-31T22:00:00.000Z"))
    effects = on_room_changed(context=told, request=CHANGED).effects
    assert wire(effects)[0]["at"] == "2026-12-31T23:30:00Z"


def test_a_draw_date_that_is_taken_away_cancels_the_timer(context, wire):
    told = context(state=planned("2026-12-31T22:00:00.000Z"))
    effects = on_room_changed(context=told, request=CHANGED).effects
    assert [one["effect"] for one in wire(effects)] == ["cancel", "setState", "emit"]


@pytest.mark.parametrize(
    ("status", "settings", "state"),
    [
        (RoomStatus.DRAFT, {"drawDate": LATE}, None),
        (RoomStatus.COMPLETED, {"drawDate": LATE}, None),
        (RoomStatus.ACTIVE, {}, None),
        (RoomStatus.ACTIVE, {"drawDate": LATE}, planned("2026-12-31T23:30:00.000Z")),
        (RoomStatus.ACTIVE, {"drawDate": SOON}, planned(None)),  # drawn two hours ago
    ],
)
@pytest.mark.parametrize("request_", [STARTED, CHANGED])
def test_nothing_happens_where_nothing_has_to(context, request_, status, settings, state):
    told = context(status=status, state=state, **settings)
    assert on_room_changed(context=told, request=request_) == Effects()


@pytest.mark.parametrize("transport", ["inprocess"], indirect=True)  # hundreds of calls each
@given(hours=st.floats(0.01, 10_000))
def test_doing_what_was_said_leaves_nothing_to_do(hours):
    """Applied once, the answer to the same question is nothing: no chain of hooks without end."""
    at = NOW + timedelta(hours=hours)
    first = on_room_changed(context=room(at), request=CHANGED).effects
    (state,) = (effect for effect in first if isinstance(effect, SetState))
    after = RoomData(public=state.public)
    assert on_room_changed(context=room(at, after), request=CHANGED) == Effects()


def test_what_is_left_is_drawn_when_the_time_has_come(context, wire, prize, now):
    stock = (prize(left=0), prize("prize_2"))
    told = context(prizes=stock, due_at=now, reveal="manual", reserves_=3)
    assert wire(on_timer(context=told, request=DUE).effects) == [
        {"effect": "setState", "public": {"drawAt": None}},
        {
            "effect": "draw",
            "key": "scheduled-20261231T200000.000000",
            "run": True,
            "reveal": "manual",
            "publicSources": [],
            "reserves": 3,
            "data": {},
        },
    ]


def test_with_public_sources_it_is_committed_and_waits_for_them(context, prize, later):
    sources = [{"name": "Numbers", "due": later(1).isoformat()}]
    told = context(prizes=(prize(),), publicSources=sources)
    _, draw = on_timer(context=told, request=DUE).effects
    assert draw.run is False


@pytest.mark.parametrize("left", [(), (0,), (0, 0)])
def test_without_a_prize_organizers_are_told(context, wire, prize, left):
    told = context(prizes=tuple(prize(f"prize_{n}", left=n) for n in left))
    effects = wire(on_timer(context=told, request=DUE).effects)
    assert [one["effect"] for one in effects] == ["setState", "emit"]
    assert effects[1]["type"] == "lottery:draw_skipped"


def test_another_due_time_is_another_draw(context, prize, later):
    keys = set()
    for hours in (0, 1, 1):
        told = context(prizes=(prize(),), due_at=later(hours))
        keys |= {e.key for e in on_timer(context=told, request=DUE).effects if isinstance(e, Draw)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("status", "name"), [(RoomStatus.COMPLETED, "draw"), (RoomStatus.ACTIVE, "other")]
)
def test_other_timers_and_rooms_that_are_over_draw_nothing(context, prize, status, name):
    told = context(status=status, prizes=(prize(),))
    assert on_timer(context=told, request=TimerRequest(name=name)) == Effects()


@pytest.mark.parametrize(("moment", "text"), [(None, None), (SOON, "2026-12-31T18:00:00.000Z")])
def test_moments_are_told_in_utc(moment, text):
    assert stamp(moment and datetime.fromisoformat(moment)) == text
