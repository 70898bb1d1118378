"""The log of a room with windows: it adds up to what the tables hold, at every moment."""

import json
from typing import Any

import orjson
import pytest

from mymozhem.cli.room_reports import as_json, export_lines, find_room, stored
from mymozhem.rooms.replay import Replayed, replay
from tests.support.api_room import ApiRoom
from tests.support.apps.window_app import RULES

JUDGED = {"rules": RULES, "judge": "rules", "points": 5}


async def exported(api_room: ApiRoom) -> list[dict[str, Any]]:
    """Return the operator's export, line by line, as it is written and read."""
    async with api_room.host.database.read() as session:
        room = await find_room(session, api_room.room["id"])
        assert room is not None
        return [json.loads(json.dumps(line)) async for line in export_lines(session, room)]


async def replayed(api_room: ApiRoom) -> Replayed:
    """Return what the log adds up to, once the tables are found to say the same."""
    _, *entries, _ = await exported(api_room)
    found = replay(entries)
    async with api_room.host.database.read() as session:
        room = await find_room(session, api_room.room["id"])
        assert room is not None
        assert as_json(found) == as_json(await stored(session, room))
    return found


async def test_the_log_follows_a_window_through_its_whole_life(api_room: ApiRoom):
    steps = [
        ("pause", None, "paused"), ("extend", {"byMs": 9}, "paused"), ("resume", None, "open"),
        ("close", None, "tallying"), ("settle", None, "closed"), ("reveal", None, "closed"),
        ("rejudge", {"void": True}, "void"), ("rejudge", {"rules": RULES}, "closed"),
    ]  # fmt: skip
    await api_room.open(results="onReveal", **JUDGED)
    await api_room.submitted({"n": 4}, {"n": 3})
    assert (await replayed(api_room)).windows == {"w": "open"}
    for act, body, status in steps:
        assert (await api_room.control(act, body)).status == 200
        assert (await replayed(api_room)).windows == {"w": status}
    assert dict((await replayed(api_room)).scores) == {api_room.ids[0]: 5}


async def test_a_paused_window_that_its_app_closes_is_open_for_its_last_moment(api_room: ApiRoom):
    await api_room.open()
    await api_room.control("pause")
    await api_room.do({"effect": "closeWindow", "id": "w"})
    await replayed(api_room)
    await api_room.host.work()
    assert (await replayed(api_room)).windows == {"w": "closed"}


async def test_a_room_that_is_called_off_voids_what_is_open(api_room: ApiRoom):
    await api_room.open()
    await api_room.organizer.patch(api_room.path, {"status": "CANCELLED"})
    assert (await replayed(api_room)).windows == {"w": "void"}


async def test_points_that_are_held_back_are_in_nobody_s_export(api_room: ApiRoom):
    style = {"effect": "adjust", "points": 40_961, "reason": "style"}
    api_room.desk.closing = lambda _: {"effects": [style | {"participantId": api_room.ids[2]}]}
    await api_room.open(rules=RULES, judge="rules", points=51_437, results="onReveal")
    await api_room.submitted({"n": 4}, {"n": 3})
    await api_room.close()
    hidden = orjson.dumps(await exported(api_room))
    theirs = (await api_room.organizer.get(f"{api_room.path}/export")).raw
    for points in (b"40961", b"51437"):
        assert points not in hidden
        assert points not in theirs
    assert (await replayed(api_room)).scores == {}
    await api_room.control("reveal")
    found, points = await replayed(api_room), {api_room.ids[0]: 51_437, api_room.ids[2]: 40_961}
    assert dict(found.scores) == points
    assert (await exported(api_room))[-1]["end"]["scores"] == points


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_organizers_export_replays_to_what_they_see(api_room: ApiRoom):
    await api_room.open("a", **JUDGED)
    await api_room.close("a")
    await api_room.open("b", **JUDGED)
    await api_room.control("pause", name="b")
    lines = (await api_room.organizer.get(f"{api_room.path}/export")).raw.splitlines()
    first, *events = map(orjson.loads, lines)
    assert first["format"] == "mymozhem-room-1"
    assert replay(events).windows == {"a": "closed", "b": "paused"}
