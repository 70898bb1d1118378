"""Notifications to people in a room."""

from collections.abc import Sequence

from sqlalchemy import insert, select

from mymozhem.contract import Level, ParticipantStatus
from mymozhem.contract.events import NotificationSent
from mymozhem.contract.hooks import DELIVER_NOTIFICATION
from mymozhem.contract.payloads import NotificationRequest
from mymozhem.db.base import new_id
from mymozhem.rooms.core.app_outbox import AppNotification
from mymozhem.rooms.core.membership import STAFF
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow


async def send_notification(
    transaction: RoomTransaction, *, to: Level | tuple[str, ...], title: str, message: str
) -> None:
    """Notify everybody of a level, or the named participants.

    `public` reaches all active people of the room, `organizer` its staff, `private` nobody.
    """
    people = await _recipients(transaction, to)
    rows = [
        {
            "id": new_id("note"),
            "room_id": transaction.room.id,
            "user_id": person.user_id,
            "title": title,
            "message": message,
            "created_at": transaction.now,
        }
        for person in people
    ]
    if rows:
        await transaction.session.execute(insert(NotificationRow), rows)
        first = str(rows[0]["id"])
        transaction.record(NotificationSent(notification_id=first, recipients=len(rows)))
        transaction.tell(
            AppNotification(DELIVER_NOTIFICATION, _request(first, title, message, people))
        )


def _request(
    notification_id: str, title: str, message: str, people: Sequence[ParticipantRow]
) -> NotificationRequest:
    return NotificationRequest(
        notification_id=notification_id,
        title=title,
        message=message,
        recipients=tuple(person.id for person in people),
    )


async def _recipients(
    transaction: RoomTransaction, to: Level | tuple[str, ...]
) -> list[ParticipantRow]:
    if not isinstance(to, Level):
        return list((await require_participants(transaction, to)).values())
    if to is Level.PRIVATE:
        return []
    people = select(ParticipantRow).where(
        ParticipantRow.room_id == transaction.room.id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
    )
    if to is Level.ORGANIZER:
        people = people.where(ParticipantRow.role.in_(STAFF))
    return list(await transaction.session.scalars(people))
