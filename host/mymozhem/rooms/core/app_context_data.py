"""Who came next in a room's draws, as apps are told: nothing of a draw that is not revealed."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import DrawStatus, ParticipantStatus, Reserves, Role
from mymozhem.rooms.tables.rooms import DrawRow, ParticipantRow

#: ids in one query
IDS_AT_ONCE = 1_000


async def reserves_of(session: AsyncSession, room_id: str) -> Reserves:
    """Return everybody in reserve, draw after draw, the oldest first, each in their order."""
    found = await session.execute(
        select(DrawRow.id, DrawRow.reserves)
        .where(
            DrawRow.room_id == room_id,
            DrawRow.status == DrawStatus.REVEALED,
            DrawRow.reserves.is_not(None),
        )
        .order_by(DrawRow.created_at, DrawRow.id)
    )
    rows = [(draw_id, each) for draw_id, reserves in found for each in reserves or ()]
    people = [str(each["participantId"]) for _, each in rows]
    active = await _active(session, people)
    return Reserves(
        draw_id=tuple(draw_id for draw_id, _ in rows),
        prize_id=tuple(each.get("prizeId") for _, each in rows),
        participant_id=tuple(people),
        active=tuple(person in active for person in people),
    )


async def _active(session: AsyncSession, people: Sequence[str]) -> set[str]:
    """Return who of these takes part now, as a participant."""
    active: set[str] = set()
    unique = tuple(dict.fromkeys(people))
    for start in range(0, len(unique), IDS_AT_ONCE):
        active.update(
            await session.scalars(
                select(ParticipantRow.id).where(
                    ParticipantRow.id.in_(unique[start : start + IDS_AT_ONCE]),
                    ParticipantRow.status == ParticipantStatus.ACTIVE,
                    ParticipantRow.role == Role.PARTICIPANT,
                    ParticipantRow.deleted_at.is_(None),
                )
            )
        )
    return active
