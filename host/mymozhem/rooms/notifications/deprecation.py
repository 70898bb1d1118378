"""Notify organizers that the version of their room was deprecated, or no longer is."""

from sqlalchemy import insert, select

from mymozhem.contract import ParticipantStatus, RoomStatus
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.core.membership import STAFF
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

#: notifications in one statement; some milliseconds of the event loop
AT_ONCE = 500

_GOING_ON = (RoomStatus.DRAFT, RoomStatus.ACTIVE)


async def notify_organizers(unit: UnitOfWork, version: Published) -> int:
    """Notify the organizers of rooms in DRAFT or ACTIVE on this version; return how many.

    Apps and the rooms' logs receive nothing: this is between platform and organizers.
    """
    title, message = _letter(version)
    people = await unit.session.execute(
        select(ParticipantRow.room_id, ParticipantRow.user_id)
        .join(RoomRow, RoomRow.id == ParticipantRow.room_id)
        .where(
            RoomRow.app_id == version.app_id,
            RoomRow.app_manifest_version == version.manifest.version,
            RoomRow.status.in_(_GOING_ON),
            RoomRow.deleted_at.is_(None),
            ParticipantRow.role.in_(STAFF),
            ParticipantRow.status == ParticipantStatus.ACTIVE,
        )
    )
    rows = [
        {
            "id": new_id("note"),
            "room_id": room_id,
            "user_id": user_id,
            "title": title,
            "message": message,
            "created_at": unit.now,
        }
        for room_id, user_id in people
    ]
    for start in range(0, len(rows), AT_ONCE):
        await unit.session.execute(insert(NotificationRow), rows[start : start + AT_ONCE])
    return len(rows)


def _letter(version: Published) -> tuple[str, str]:
    name = f"{version.manifest.meta.name} {version.manifest.version}"
    if version.deprecated_at is None:
        return f"{name} is offered again", "New rooms can have it; nothing changes for this one."
    until = f" It receives fixes until {version.deadline:%Y-%m-%d}." if version.deadline else ""
    message = (
        f"{version.reason}{until} This room keeps the version and is not affected; while it is a "
        "draft it can be moved to a newer one."
    )
    return f"{name} is deprecated", message
