"""Messages to people in a room."""

from sqlalchemy import insert, select

from mymozhem.contract import Level, ParticipantStatus
from mymozhem.contract.events import NotificationSent
from mymozhem.db.base import new_id

from .seats import HELPERS
from .state import require_participants
from .tables import NotificationRow, ParticipantRow
from .writer import RoomWriter


async def send(
    writer: RoomWriter, *, to: Level | tuple[str, ...], title: str, message: str
) -> None:
    """Write a message to everybody of a level, or to the participants named.

    `public` reaches all active people of the room, `organizer` those who help to run it, `private`
    nobody.
    """
    recipients = await _recipients(writer, to)
    rows = [
        {
            "id": new_id("note"),
            "room_id": writer.room.id,
            "user_id": user_id,
            "title": title,
            "message": message,
            "created_at": writer.now,
        }
        for user_id in recipients
    ]
    if rows:
        await writer.session.execute(insert(NotificationRow), rows)
        first = str(rows[0]["id"])
        writer.record(NotificationSent(notification_id=first, recipients=len(rows)))


async def _recipients(writer: RoomWriter, to: Level | tuple[str, ...]) -> list[str]:
    if not isinstance(to, Level):
        return [row.user_id for row in (await require_participants(writer, to)).values()]
    if to is Level.PRIVATE:
        return []
    people = select(ParticipantRow.user_id).where(
        ParticipantRow.room_id == writer.room.id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
    )
    if to is Level.ORGANIZER:
        people = people.where(ParticipantRow.role.in_(HELPERS))
    return list(await writer.session.scalars(people))
