"""The log of a room with windows: it adds up to what the tables hold, at every moment."""

import json
from typing import Any

import orjson
import pytest

from mymozhem.cli.room_reports import as_json, export_lines, find_room, stored
from mymozhem.rooms.replay import Replayed, replay
from tests.support.api_room import Evening
from tests.support.apps.window_app import RULES

JUDGED = {"rules": RULES, "judge": "rules", "points": 5}


async def exported(evening: Evening) -> list[dict[str, Any]]:
    """Return the operator's export, line by line, as it is written and read."""
    async with evening.house.database.read() as session:
        room = await find_room(session, evening.room["id"])
        assert room is not None
        return [json.loads(json.dumps(line)) async for line in export_lines(session, room)]


async def replayed(evening: Evening) -> Replayed:
    """Return what the log adds up to, once the tables are found to say the same."""
    _, *entries, _ = await exported(evening)
    found = replay(entries)
    async with evening.house.database.read() as session:
        room = await find_room(session, evening.room["id"])
        assert room is not None
        assert as_json(found) == as_json(await stored(session, room))
    return found


async def test_the_log_follows_a_window_through_its_whole_life(evening: Evening):
    steps = [
        ("pause", None, "paused"), ("extend", {"byMs": 9}, "paused"), ("resume", None, "open"),
        ("close", None, "tallying"), ("settle", None, "closed"), ("reveal", None, "closed"),
        ("rejudge", {"void": True}, "void"), ("rejudge", {"rules": RULES}, "closed"),
    ]  # fmt: skip
    await evening.open(results="onReveal", **JUDGED)
    await evening.submitted({"n": 4}, {"n": 3})
    assert (await replayed(evening)).windows == {"w": "open"}
    for act, body, status in steps:
        assert (await evening.control(act, body)).status == 200
        assert (await replayed(evening)).windows == {"w": status}
    assert dict((await replayed(evening)).scores) == {evening.ids[0]: 5}


async def test_a_paused_window_that_its_app_closes_is_open_for_its_last_moment(evening: Evening):
    await evening.open()
    await evening.control("pause")
    await evening.do({"effect": "closeWindow", "id": "w"})
    await replayed(evening)
    await evening.house.work()
    assert (await replayed(evening)).windows == {"w": "closed"}


async def test_a_room_that_is_called_off_voids_what_is_open(evening: Evening):
    await evening.open()
    await evening.organizer.patch(evening.path, {"status": "CANCELLED"})
    assert (await replayed(evening)).windows == {"w": "void"}


async def test_points_that_are_held_back_are_in_nobody_s_export(evening: Evening):
    style = {"effect": "adjust", "points": 40_961, "reason": "style"}
    evening.desk.closing = lambda _: {"effects": [style | {"participantId": evening.ids[2]}]}
    await evening.open(rules=RULES, judge="rules", points=51_437, results="onReveal")
    await evening.submitted({"n": 4}, {"n": 3})
    await evening.close()
    hidden = orjson.dumps(await exported(evening))
    theirs = (await evening.organizer.get(f"{evening.path}/export")).raw
    for points in (b"40961", b"51437"):
        assert points not in hidden
        assert points not in theirs
    assert (await replayed(evening)).scores == {}
    await evening.control("reveal")
    found, points = await replayed(evening), {evening.ids[0]: 51_437, evening.ids[2]: 40_961}
    assert dict(found.scores) == points
    assert (await exported(evening))[-1]["end"]["scores"] == points


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_organizers_export_replays_to_what_they_see(evening: Evening):
    await evening.open("a", **JUDGED)
    await evening.close("a")
    await evening.open("b", **JUDGED)
    await evening.control("pause", name="b")
    lines = (await evening.organizer.get(f"{evening.path}/export")).raw.splitlines()
    first, *events = map(orjson.loads, lines)
    assert first["format"] == "mymozhem-room-1"
    assert replay(events).windows == {"a": "closed", "b": "paused"}
