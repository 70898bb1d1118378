"""Reads what is left in a room: what is due, what is stuck, and whether the log replays."""

from datetime import datetime

from sqlalchemy import func, select

from mymozhem.contract import WindowStatus
from mymozhem.rooms.core.revision import room_state
from mymozhem.rooms.replay import LogBroken
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.tables.windows import WindowRow

from .harness import HostHarness


async def tallying(host: HostHarness, room: RoomRow) -> list[str]:
    """Return the windows that are not settled, by their keys."""
    async with host.services.database.read() as session:
        keys = select(WindowRow.key).where(
            WindowRow.room_id == room.id, WindowRow.status == WindowStatus.TALLYING
        )
        return list(await session.scalars(keys))


async def next_due(host: HostHarness, room: RoomRow) -> datetime | None:
    """Return when the next timer or window of a room is due; None if nothing is."""
    async with host.services.database.read() as session:
        timer = await session.scalar(
            select(func.min(TimerRow.next_at)).where(TimerRow.room_id == room.id)
        )
        window = await session.scalar(
            select(func.min(WindowRow.due_at)).where(WindowRow.room_id == room.id)
        )
    return min((each for each in (timer, window) if each is not None), default=None)


async def refused_effects(host: HostHarness, room: RoomRow) -> list[str]:
    """Return the effects that the host refused, of calls without a user's action."""
    told = [event.payload for event in await host.events(room.id, "app:fallback_used")]
    refused = (each for each in told if each["code"] == "EFFECT_REFUSED")
    return [f"{each['hook']}: {each['message']}" for each in refused]


async def log_problems(host: HostHarness, room: RoomRow) -> list[str]:
    """Return the differences between the log and the room."""
    try:
        told = await host.replayed(room.id)
    except LogBroken as error:
        return [str(error)]
    async with host.services.database.read() as session:
        row = await session.get_one(RoomRow, room.id)
        state = await room_state(session, room.id)
        people = await session.scalars(
            select(ParticipantRow).where(ParticipantRow.room_id == room.id)
        )
        points = {each.id: each.points for each in people if each.points}
    facts = (
        ("status", told.status, row.status),
        ("public state", told.state["public"], state.public),
        ("organizers' state", told.state["organizer"], state.organizer),
        ("points", {name: count for name, count in told.scores.items() if count}, points),
    )
    return [f"{what} is {said!r} in the log and {is_!r} in the room" for what, said, is_ in facts
            if said != is_]  # fmt: skip
