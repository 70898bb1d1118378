"""Actions: the app decides, the host does all of it or nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from mymozhem.auth.access_rules import RevocationsUnknown
from mymozhem.contract import JsonObject
from mymozhem.errors import Conflict, Forbidden, Invalid, MymozhemError, NotFound, Refused
from mymozhem.rooms.actions.perform import ActionResponse, perform
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.host import HostHarness, principal

pytestmark = pytest.mark.both_engines


async def do(host: HostHarness, room: RoomRow, *effects: Mapping[str, Any]) -> ActionResponse:
    payload: JsonObject = {"effects": [dict(effect) for effect in effects]}
    return await perform(host.services, room.id, host.organizer, "do", payload)


async def state_of(host: HostHarness, room: RoomRow) -> RoomStateRow:
    async with host.services.database.read() as session:
        return (await session.scalars(select(RoomStateRow).filter_by(room_id=room.id))).one()


async def test_an_action_takes_few_statements(host: HostHarness) -> None:
    room = await host.start("bazaar")
    effects = (
        {"effect": "setState", "public": {"open": True}},
        {"effect": "emit", "type": "bazaar:said", "payload": {"text": "hello"}},
    )
    await do(host, room, *effects)  # from now on the room's lock is known
    read: list[str] = []
    written: list[str] = []

    def keep(_connection, _cursor, statement, _parameters, _context, _many) -> None:
        (read if statement.startswith("SELECT") else written).append(statement)

    event.listen(Engine, "before_cursor_execute", keep)
    await do(host, room, *effects)
    event.remove(Engine, "before_cursor_execute", keep)

    # before the call; then the room's row under the lock, and the rest
    assert len(read) == 3, read
    # the streams, the room, its state, the events
    assert len(written) == 4, written


async def test_staff_may_not_act_while_revocations_are_unknown(host: HostHarness) -> None:
    room = await host.start("bazaar")
    stale = replace(host.organizer, is_stale=True)
    with pytest.raises(RevocationsUnknown):
        await perform(host.services, room.id, stale, "do", {"effects": []})


async def test_every_effect_is_applied_in_one_commit(host: HostHarness) -> None:
    room = await host.start("bazaar")
    prize, guest = await host.prize(room), await host.guest(room)
    person = guest.participant.id

    acted = await do(
        host,
        room,
        {"effect": "emit", "type": "bazaar:said", "payload": {"text": "hello"}},
        {"effect": "emit", "type": "bazaar:whispered", "payload": {}, "to": "organizer"},
        {"effect": "emit", "type": "bazaar:said", "payload": {"text": "you"}, "to": [person]},
        {"effect": "setState", "public": {"open": True}, "private": {"hidden": 1}},
        {"effect": "setParticipants", "participantId": [person], "own": [{"seat": 4}],
         "private": [{"note": "x"}]},
        {"effect": "adjust", "participantId": person, "points": -3, "reason": "late"},
        {"effect": "award", "participantId": person, "prizeId": prize},
        {"effect": "schedule", "name": "bell", "afterMs": 60000, "payload": {"n": 1}},
        {"effect": "notify", "to": [person], "title": "You won", "message": "Come"},
        {"effect": "setSettings", "patch": {"banner": "Sold"}},
        {"effect": "reply", "data": {"ok": True}},
    )  # fmt: skip

    assert acted.reply == {"ok": True}
    state = await state_of(host, room)
    assert (state.public, state.organizer, state.private) == ({"open": True}, {}, {"hidden": 1})
    async with host.services.database.read() as session:
        row = await session.get_one(ParticipantRow, person)
        assert (row.own, row.private, row.points) == ({"seat": 4}, {"note": "x"}, -3)
        assert (await session.scalars(select(ScoreRow.points))).all() == [-3]
        assert (await session.scalars(select(WinnerRow.prize_id))).all() == [prize]
        titles = (await session.scalars(select(NotificationRow.title))).all()
        assert titles == ["You won", "Congratulations!"]
        timer = (await session.scalars(select(TimerRow))).one()
        assert (timer.key, timer.payload) == ("bell", {"n": 1})
        assert (await session.get_one(RoomRow, room.id)).app_settings["banner"] == "Sold"
    streams = {event.type: event.stream for event in await host.events(room.id)}
    assert streams["bazaar:whispered"] == "organizer"
    assert streams["state:own_changed"] == person
    assert streams["scores:changed"] == "private"
    said = await host.events(room.id, "bazaar:said")
    assert [event.stream for event in said] == ["public", person]


REFUSED = [
    ({"effect": "emit", "type": "bazaar:unknown"}, "EVENT_UNDECLARED"),
    ({"effect": "emit", "type": "bazaar:said", "payload": {}}, "PAYLOAD_INVALID"),
    ({"effect": "emit", "type": "bazaar:whispered", "to": "public"}, "VISIBILITY_TOO_WIDE"),
    ({"effect": "emit", "type": "bazaar:whispered", "to": ["part_x"]}, "VISIBILITY_TOO_WIDE"),
    (
        {"effect": "emit", "type": "bazaar:said", "payload": {"text": ""}, "to": ["part_x"]},
        "PARTICIPANT_NOT_FOUND",
    ),
    ({"effect": "adjust", "participantId": "part_x", "points": 1, "reason": "x"},
     "PARTICIPANT_NOT_FOUND"),
    ({"effect": "award", "participantId": "part_x", "prizeId": "prize_x"},
     "PARTICIPANT_NOT_FOUND"),
    ({"effect": "setState", "public": {"big": "x" * 140_000}}, "STATE_TOO_LARGE"),
    ({"effect": "setSettings", "patch": {"limit": 5}}, "SETTINGS_FROZEN"),
    ({"effect": "setSettings", "patch": {"banner": 5}}, "SETTINGS_INVALID"),
    ({"effect": "openWindow", "id": "w", "accepts": {"$ref": "#/$defs/no"}}, "SCHEMA_REFUSED"),
    ({"effect": "openWindow", "id": "w", "accepts": {}, "prompt": {"t": "x" * 40_000}},
     "WINDOW_TOO_LARGE"),
    ({"effect": "openWindow", "id": "w", "accepts": {}, "participants": ["part_x"]},
     "PARTICIPANT_NOT_FOUND"),
    ({"effect": "closeWindow", "id": "w"}, "WINDOW_NOT_FOUND"),
    ({"effect": "rejudge", "windowId": "w", "void": True}, "WINDOW_NOT_FOUND"),
    ({"effect": "runDraw", "key": "none"}, "DRAW_NOT_FOUND"),
    ({"effect": "fulfill", "winnerId": "win_x"}, "WINNER_NOT_FOUND"),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "code"), REFUSED)
async def test_an_effect_that_may_not_be_had_undoes_all(
    host: HostHarness, effect: JsonObject, code: str
) -> None:
    room = await host.start("bazaar")
    before = len(await host.events(room.id))
    with pytest.raises(MymozhemError) as caught:
        await do(host, room, {"effect": "setState", "public": {"on": True}}, effect)
    assert caught.value.status == 409
    assert caught.value.code == "EFFECT_REFUSED"
    assert caught.value.details["code"] == code
    assert caught.value.details["index"] == 1
    assert (await state_of(host, room)).public == {}
    assert len(await host.events(room.id)) == before


async def test_refusing_is_the_apps_own_word(host: HostHarness) -> None:
    room = await host.start("bazaar")
    with pytest.raises(Refused) as caught:
        await perform(host.services, room.id, host.organizer, "do", {"refuse": True})
    assert (caught.value.code, caught.value.details) == ("TOO_LOW", {"least": 5})


async def test_actions_are_for_those_whom_the_manifest_names(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = principal(await host.guest(room))
    services = host.services
    assert (await perform(services, room.id, guest, "count", {})).reply == 1
    with pytest.raises(Forbidden):
        await perform(services, room.id, host.organizer, "count", {})
    with pytest.raises(NotFound):
        await perform(services, room.id, guest, "nothing", {})
    with pytest.raises(Invalid):
        await perform(services, room.id, guest, "count", {"extra": 1})
    with pytest.raises(Conflict) as caught:
        await perform(services, room.id, host.organizer, "prepare", {})
    assert caught.value.code == "ACTION_NOT_NOW"


async def test_a_timer_of_the_same_name_is_replaced(host: HostHarness) -> None:
    room = await host.start("bazaar")
    at = datetime(2030, 6, 1, tzinfo=UTC)
    for payload in ({"n": 1}, {"n": 2}):
        timer = {"effect": "schedule", "name": "bell", "at": at.isoformat(), "payload": payload}
        await do(host, room, timer)
    async with host.services.database.read() as session:
        timer = (await session.scalars(select(TimerRow))).one()
    assert (timer.generation, timer.payload, timer.due_at) == (2, {"n": 2}, at)
    await do(host, room, {"effect": "cancel", "name": "bell"})
    assert await host.count(TimerRow) == 0
