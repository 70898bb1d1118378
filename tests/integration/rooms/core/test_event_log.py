"""Reading a room's log: each level its own, without holes to count."""

from contextlib import suppress

import pytest

from mymozhem.auth.principal import Principal
from mymozhem.contract import RoomStatus
from mymozhem.errors import BadRequest, Refused
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.event_log import VisibleEvent, current_cursor, read_events
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, principal

pytestmark = pytest.mark.both_engines


async def seen(
    host: HostHarness, room: RoomRow, caller: Principal, after: str | None = None, limit: int = 100
) -> list[VisibleEvent]:
    async with host.services.database.read() as session:
        seat = await find_membership(session, room.id, caller)
        return await read_events(session, seat, after=after, limit=limit)


async def test_each_level_sees_its_own_streams_without_holes(host: HostHarness) -> None:
    room = await host.start("bazaar")
    first, second = [principal(joined) for joined in await host.guests(room, 2)]
    whisper = {"effect": "emit", "type": "bazaar:whispered", "payload": {}, "to": "private"}
    aside = {"effect": "emit", "type": "bazaar:whispered", "payload": {}, "to": "organizer"}
    said = {"effect": "emit", "type": "bazaar:said", "payload": {"text": "x"}}
    for _ in range(3):
        await perform(
            host.services, room.id, host.organizer, "do", {"effects": [whisper, aside, said]}
        )

    events = await host.events(room.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for stream in {event.stream for event in events}:
        numbers = [event.stream_no for event in events if event.stream == stream]
        assert numbers == list(range(1, len(numbers) + 1))
    guests = await seen(host, room, first)
    assert {event.type for event in guests} == {
        "room:status_changed", "participant:count", "bazaar:said",
    }  # fmt: skip
    assert [int(event.cursor.split(".")[0]) for event in guests] == list(range(1, len(guests) + 1))
    organizers = await seen(host, room, host.organizer)
    assert sum(event.type == "bazaar:whispered" for event in organizers) == 3
    assert [e.type for e in guests] == [e.type for e in await seen(host, room, second)]


async def test_what_is_undone_in_a_savepoint_leaves_no_hole(host: HostHarness) -> None:
    room = await host.start("bazaar")
    person = (await host.guest(room)).participant.id
    async with room_transaction(host.services, room.id) as transaction:
        for name in ("kept", "undone", "kept too"):
            with suppress(Refused):
                async with transaction.apart():
                    for to in ("public", "organizer", person):
                        transaction.record_raw("bazaar:said", {"text": name}, to=to)
                    if name == "undone":
                        raise Refused("No.", code="NO")

    events = await host.events(room.id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    said = [event for event in events if event.type == "bazaar:said"]
    assert [event.payload["text"] for event in said] == ["kept"] * 3 + ["kept too"] * 3
    for stream in ("public", "organizer", person):
        numbers = [event.stream_no for event in events if event.stream == stream]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_the_cursor_of_an_action_is_the_end_of_the_log(host: HostHarness) -> None:
    room = await host.start("bazaar")
    guest = principal(await host.guest(room))
    said = {"effect": "emit", "type": "bazaar:said", "payload": {"text": "x"}}
    for caller in (host.organizer, guest):
        for effects in ([], [said], [said, said]):
            acted = await perform(host.services, room.id, caller, "do", {"effects": effects})
            async with host.services.database.read() as session:
                seat = await find_membership(session, room.id, caller)
                assert acted.cursor == await current_cursor(session, seat)


async def test_a_cursor_goes_on_where_it_stands(host: HostHarness) -> None:
    room = await host.start("bazaar")
    await host.guests(room, 3)
    whole = await seen(host, room, host.organizer)
    after: str | None = None
    pieces: list[VisibleEvent] = []
    while page := await seen(host, room, host.organizer, after, limit=2):
        pieces += page
        after = page[-1].cursor
    assert pieces == whole
    async with host.services.database.read() as session:
        seat = await find_membership(session, room.id, host.organizer)
        assert await current_cursor(session, seat) == after


@pytest.mark.parametrize(
    "cursor",
    ["", "1", "1.2.3.4", "a.b", "-1.0", "1.²", "9" * 40, "1.2.2147483648", "9" * 15 + ".0.0"],
)
async def test_a_cursor_of_somebody_else_is_refused(host: HostHarness, cursor: str) -> None:
    room = await host.start("bazaar")
    with pytest.raises(BadRequest):
        await seen(host, room, host.organizer, cursor)


async def test_an_actions_cursor_is_where_its_effects_are(host: HostHarness) -> None:
    room = await host.start("bazaar")
    said = {"effect": "emit", "type": "bazaar:said", "payload": {"text": "x"}}
    acted = await perform(host.services, room.id, host.organizer, "do", {"effects": [said]})
    assert await seen(host, room, host.organizer, acted.cursor) == []
    await host.change(room.id, status=RoomStatus.COMPLETED)
    (event,) = await seen(host, room, host.organizer, acted.cursor)
    assert event.type == "room:status_changed"
