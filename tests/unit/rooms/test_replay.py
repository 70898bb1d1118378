"""A log adds up to one room, and one that contradicts itself is refused."""

import pytest

from mymozhem.contract import DrawStatus, RoomStatus, WindowStatus, WinnerStatus
from mymozhem.rooms.replay import LogBroken, Win, replay


def entry(kind, **payload):
    return {"type": kind, "payload": payload}


WON = entry(
    "winner:selected", winnerId="win_1", participantId="part_1", prizeId="prize_1", drawId=None
)
REVOKED = entry(
    "winner:revoked", winnerId="win_1", participantId="part_1", prizeId="prize_1", reason="away"
)
MOVED = entry(
    "winner:moved",
    winnerId="win_1",
    participantId="part_1",
    prizeId="prize_2",
    previousPrizeId="prize_1",
    reason="swapped",
)
FULFILLED = entry("winner:fulfilled", winnerId="win_1", participantId="part_1", prizeId="prize_1")


@pytest.mark.parametrize(
    ("log", "win"),
    [
        ([WON], Win("part_1", "prize_1", None, WinnerStatus.AWARDED)),
        ([WON, REVOKED], Win("part_1", "prize_1", None, WinnerStatus.REVOKED)),
        ([WON, MOVED], Win("part_1", "prize_2", None, WinnerStatus.AWARDED)),
        ([WON, MOVED, FULFILLED], Win("part_1", "prize_2", None, WinnerStatus.FULFILLED)),
    ],
)
def test_a_win_is_what_became_of_it(log, win):
    assert replay(log).wins == {"win_1": win}


def test_status_people_state_and_points_are_the_latest_or_the_sum():
    room = replay(
        [
            entry("room:status_changed", status="DRAFT", previous=None),
            entry("room:status_changed", status="ACTIVE", previous="DRAFT"),
            entry("participant:count", count=1),
            entry("participant:count", count=2),
            entry("state:changed", part="public", state={"round": 1}, stateVersion=2),
            entry("state:changed", part="public", state={"round": 2}, stateVersion=3),
            entry("scores:changed", participantId="part_1", points=5, reason="right"),
            entry("scores:changed", participantId="part_1", points=-2, reason="late"),
            entry("some-app:happened", anything="at all"),
        ]
    )
    assert (room.events, room.status, room.people) == (9, RoomStatus.ACTIVE, 2)
    assert room.state == {"public": {"round": 2}, "organizer": {}, "private": {}}
    assert room.scores == {"part_1": 3}


def test_own_data_belongs_to_the_stream_it_is_in():
    own = entry("state:own_changed", own={"code": "K7"}) | {"stream": "part_1"}
    assert replay([own]).own == {"part_1": {"code": "K7"}}


def test_a_draw_is_revealed_with_its_last_prize():
    committed = entry("draw:committed", drawId="draw_1")
    half = entry("draw:revealed", drawId="draw_1", complete=False)
    whole = entry("draw:revealed", drawId="draw_1", complete=True)
    assert replay([committed, half]).draws == {"draw_1": DrawStatus.COMMITTED}
    assert replay([committed, half, whole]).draws == {"draw_1": DrawStatus.REVEALED}


def window(kind, **payload):
    return entry(f"window:{kind}", windowId="w", **payload)


OPENED, PAUSED = window("opened"), window("paused", leftMs=1)
TALLYING, CLOSED = window("tallying", reason="deadline"), window("closed", counted=2)
VOIDED, MENDED = window("corrected", void=True), window("corrected", void=False)


@pytest.mark.parametrize(
    ("log", "status"),
    [
        ([OPENED], WindowStatus.OPEN),
        ([OPENED, PAUSED], WindowStatus.PAUSED),
        ([OPENED, PAUSED, window("changed", reason="extended")], WindowStatus.PAUSED),
        ([OPENED, PAUSED, window("changed", reason="resumed")], WindowStatus.OPEN),
        ([OPENED, window("changed", reason="downtime")], WindowStatus.OPEN),
        ([OPENED, TALLYING], WindowStatus.TALLYING),
        ([OPENED, TALLYING, CLOSED], WindowStatus.CLOSED),
        ([OPENED, TALLYING, CLOSED, window("revealed")], WindowStatus.CLOSED),
        ([OPENED, TALLYING, CLOSED, MENDED], WindowStatus.CLOSED),
        ([OPENED, VOIDED], WindowStatus.VOID),
        ([OPENED, TALLYING, CLOSED, VOIDED, MENDED], WindowStatus.CLOSED),
        ([OPENED, TALLYING, CLOSED, window("shared", fields=["payload"])], WindowStatus.CLOSED),
    ],
)
def test_a_window_is_where_its_last_move_left_it(log, status):
    assert replay(log).windows == {"w": status}


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ([WON | {"seq": 2}], "gap"),
        ([WON | {"seq": 1}, REVOKED | {"seq": 1}], "gap"),
        ([WON, WON], "twice"),
        ([REVOKED], "never given"),
        ([WON, MOVED, MOVED], "not for"),
        ([OPENED, OPENED], "opened twice"),
        ([TALLYING], "never opened"),
        ([PAUSED], "never opened"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(log, said):
    with pytest.raises(LogBroken, match=said):
        replay(log)
