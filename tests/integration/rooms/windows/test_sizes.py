"""Windows that are open for months, and lists that are longer than one statement takes."""

from datetime import timedelta

import pytest

from mymozhem.contract import WindowStatus
from mymozhem.errors import Conflict
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core import app_context_data
from mymozhem.rooms.effects import EffectRefused
from mymozhem.rooms.windows import commands, results
from tests.integration.rooms.windows.conftest import WindowRoom
from tests.support.apps.window_app import RULES, opening

pytestmark = pytest.mark.both_engines

DAY = 86_400_000


async def test_a_window_may_be_open_for_months(window_room: WindowRoom):
    await window_room.do(opening(rules=RULES, judge="rules", points=1, durationMs=366 * DAY))
    await window_room.do(opening("late", minElapsedMs=30 * DAY, durationMs=40 * DAY))
    window_room.clock.advance(timedelta(days=31))
    accepted = await window_room.send(0, {"n": 4})
    assert accepted.elapsed_ms == 31 * DAY
    await window_room.send(0, {"n": 4}, "late")
    assert [row.elapsed_ms for row in await window_room.rows()] == [31 * DAY]


@pytest.mark.parametrize("effect", ["emit", "openWindow"])
async def test_a_list_of_people_of_any_length_is_looked_up(window_room: WindowRoom, effect: str):
    strangers = [f"part_{number:06}" for number in range(40_000)]
    asked = {
        "emit": {"effect": "emit", "type": "desk:said", "payload": {}, "to": strangers},
        "openWindow": opening(participants=[*window_room.ids, *strangers]),
    }
    with pytest.raises(EffectRefused) as refused:
        await window_room.do(asked[effect])
    assert refused.value.details["code"] == "PARTICIPANT_NOT_FOUND"


async def test_submissions_are_read_some_at_a_time_and_keep_their_order(
    window_room: WindowRoom, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(results, "AT_ONCE", 2)
    monkeypatch.setattr(app_context_data, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(app_context_data, "WINDOWS_AT_ONCE", 2)
    for name in ("c", "a", "d", "b"):
        await window_room.do(opening(name, rules=RULES, points=1))
        for guest in (2, 0, 1):
            await window_room.send(guest, {"n": 4, "text": f"{name}{guest}"}, name)
        await window_room.later(10_000)
    assert [each.payload["text"] for each in window_room.app.closed[0].submissions.rows()] == [
        "c2", "c0", "c1",
    ]  # fmt: skip
    services, room = window_room.host.services, window_room.room
    seen = await perform(services, room.id, window_room.host.organizer, "recall", {})
    texts = [payload["text"] for _, payload, _, _ in seen.reply]
    assert texts == [f"{name}{guest}" for name in "cadb" for guest in (2, 0, 1)]
    assert await window_room.points() == [4, 4, 4]
    await window_room.control(commands.rejudge, name="a", void=True)
    assert await window_room.points() == [3, 3, 3]
    await window_room.check_log()


async def test_no_end_is_moved_out_of_the_calendar(window_room: WindowRoom):
    await window_room.do(opening(rules=RULES))
    with pytest.raises(EffectRefused) as refused:
        await window_room.do(
            {"effect": "changeWindow", "id": "w", "closesAt": "9999-12-31T23:59:59Z"}
        )
    assert refused.value.details["code"] == "ENDS_TOO_LATE"
    with pytest.raises(Conflict) as late:
        await window_room.control(commands.extend, by_ms=3_661 * DAY)
    assert late.value.code == "ENDS_TOO_LATE"
    await window_room.control(commands.extend, by_ms=3_659 * DAY)
    await window_room.control(commands.pause)
    await window_room.control(commands.resume)
    await window_room.do({"effect": "changeWindow", "id": "w", "closesAt": "0001-01-01T00:00:00Z"})
    await window_room.later(0)
    assert (await window_room.window()).status == WindowStatus.CLOSED
