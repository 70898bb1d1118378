"""Messages to people in a room."""

from collections.abc import Sequence

from sqlalchemy import insert, select

from mymozhem.contract import Level, ParticipantStatus
from mymozhem.contract.events import NotificationSent
from mymozhem.contract.hooks import DELIVER_NOTIFICATION
from mymozhem.contract.payloads import NotificationRequest
from mymozhem.db.base import new_id
from mymozhem.rooms.core.app_outbox import Told
from mymozhem.rooms.core.membership import HELPERS
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.transaction import RoomWriter
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow


async def send(
    writer: RoomWriter, *, to: Level | tuple[str, ...], title: str, message: str
) -> None:
    """Write a message to everybody of a level, or to the participants named.

    `public` reaches all active people of the room, `organizer` those who help to run it, `private`
    nobody.
    """
    people = await _recipients(writer, to)
    rows = [
        {
            "id": new_id("note"),
            "room_id": writer.room.id,
            "user_id": person.user_id,
            "title": title,
            "message": message,
            "created_at": writer.now,
        }
        for person in people
    ]
    if rows:
        await writer.session.execute(insert(NotificationRow), rows)
        first = str(rows[0]["id"])
        writer.record(NotificationSent(notification_id=first, recipients=len(rows)))
        writer.tell(Told(DELIVER_NOTIFICATION, _request(first, title, message, people)))


def _request(
    notification_id: str, title: str, message: str, people: Sequence[ParticipantRow]
) -> NotificationRequest:
    return NotificationRequest(
        notification_id=notification_id,
        title=title,
        message=message,
        recipients=tuple(person.id for person in people),
    )


async def _recipients(writer: RoomWriter, to: Level | tuple[str, ...]) -> list[ParticipantRow]:
    if not isinstance(to, Level):
        return list((await require_participants(writer, to)).values())
    if to is Level.PRIVATE:
        return []
    people = select(ParticipantRow).where(
        ParticipantRow.room_id == writer.room.id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
    )
    if to is Level.ORGANIZER:
        people = people.where(ParticipantRow.role.in_(HELPERS))
    return list(await writer.session.scalars(people))
