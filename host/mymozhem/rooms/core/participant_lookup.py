"""Find participants of a room by their ids."""

from collections.abc import Iterable

from sqlalchemy import select

from mymozhem.errors import NotFound
from mymozhem.rooms.tables.participants import ParticipantRow

from .transaction import RoomTransaction

#: people who are read with one statement; others have their turn in between
IDS_AT_ONCE = 500


async def require_participants(
    transaction: RoomTransaction, participant_ids: Iterable[str]
) -> dict[str, ParticipantRow]:
    """Return the named participants by id; NotFound if one of them is not in this room."""
    wanted = sorted(set(participant_ids))
    people: dict[str, ParticipantRow] = {}
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = ParticipantRow.id.in_(wanted[start : start + IDS_AT_ONCE])
        found = await transaction.session.scalars(
            select(ParticipantRow).where(ParticipantRow.room_id == transaction.room.id, some)
        )
        people |= {row.id: row for row in found}
    missing = [each for each in wanted if each not in people]
    if missing:
        message = f"{missing[0]!r} is no participant of this room."
        raise NotFound(message, code="PARTICIPANT_NOT_FOUND")
    return people
