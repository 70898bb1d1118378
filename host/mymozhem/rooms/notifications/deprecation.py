"""Notify organizers that the version of their room was deprecated, or no longer is.

The transaction that decides stores who is to be notified. The notifications are written afterwards,
part by part, so that other writers get their turn in between. If the process dies half-way, the job
writes the rest.
"""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from mymozhem.contract import ParticipantStatus, RoomStatus
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.registry.manifest_history import Published
from mymozhem.rooms.core.membership import STAFF
from mymozhem.rooms.tables.notifications import NotificationRow, UnsentNoticesRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

#: notifications in one transaction; other writers get their turn after each
AT_ONCE = 500

_GOING_ON = (RoomStatus.DRAFT, RoomStatus.ACTIVE)


async def plan_notices(unit: UnitOfWork, version: Published) -> tuple[int, list[str]]:
    """Store notices to the organizers of rooms in DRAFT or ACTIVE on this version.

    Returns how many there are, and the ids of their parts: send them after the commit. Apps and the
    rooms' logs receive nothing: this is between platform and organizers.
    """
    title, message = _letter(version)
    found = await unit.session.execute(
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
        .order_by(ParticipantRow.id)
    )
    people = [[row.room_id, row.user_id] for row in found]
    parts = [
        {
            "id": new_id("notices"),
            "title": title,
            "message": message,
            "people": people[start : start + AT_ONCE],
            "due_at": unit.now,
        }
        for start in range(0, len(people), AT_ONCE)
    ]
    if parts:
        await unit.session.execute(insert(UnsentNoticesRow), parts)
    return len(people), [str(part["id"]) for part in parts]


async def send(database: Database, parts: Sequence[str]) -> None:
    """Send notices part by part."""
    for part in parts:
        await send_part(database, part)


async def send_part(database: Database, part_id: str) -> None:
    """Send the notices of a part; do nothing if they were sent. Idempotent."""
    async with database.write() as unit:
        part = (
            await unit.session.execute(
                delete(UnsentNoticesRow)
                .where(UnsentNoticesRow.id == part_id)
                .returning(
                    UnsentNoticesRow.title, UnsentNoticesRow.message, UnsentNoticesRow.people
                )
            )
        ).one_or_none()
        if part is None:
            return
        rows = [
            {
                "id": new_id("note"),
                "room_id": room_id,
                "user_id": user_id,
                "title": part.title,
                "message": part.message,
                "created_at": unit.now,
            }
            for room_id, user_id in part.people
        ]
        await unit.session.execute(insert(NotificationRow), rows)


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
