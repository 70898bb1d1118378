"""What operators see of the platform: the audit log, and totals."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.audit.tables import AuditRow
from mymozhem.auth.tables import UserRow
from mymozhem.contract import DrawStatus, JsonObject, PersonKind, RoomStatus
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.locks.serving import ORPHANED, RUNNING
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.locks import LockDriftRow
from mymozhem.rooms.tables.rooms import RoomRow

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page

AUDIT_BY: Columns = {"id": AuditRow.id, "createdAt": AuditRow.created_at}


@dataclass(frozen=True)
class AuditFilter:
    """Filters of audit entries; None leaves a filter out."""

    room_id: str | None = None
    actor_id: str | None = None
    action: str | None = None


class AuditView(View):
    """An audit entry: who did what, and when."""

    id: str
    actor_id: str | None
    action: str
    room_id: str | None
    subject: str | None
    details: JsonObject
    created_at: Timestamp


class RefusedApp(View):
    """An enabled app that may not run, and the reason."""

    app_id: str
    reasons: list[str]


class Overview(View):
    """Totals of the platform.

    `orphanedRooms` are rooms in DRAFT or ACTIVE that nothing serves, `driftedRooms` those for which
    a remote app has replied under another lock.
    """

    rooms: dict[RoomStatus, int]
    people: dict[PersonKind, int]
    draws_held: int
    draws_open: int
    apps: int
    refused_apps: list[RefusedApp]
    orphaned_rooms: int
    drifted_rooms: int


async def audit_trail(
    database: Database, wanted: AuditFilter, part: PageRequest
) -> ResultPage[AuditView]:
    """Return audit entries, the newest first."""
    rows = select(AuditRow)
    for column, value in (
        (AuditRow.room_id, wanted.room_id),
        (AuditRow.actor_id, wanted.actor_id),
        (AuditRow.action, wanted.action),
    ):
        if value is not None:
            rows = rows.where(column == value)
    newest = PageRequest(part.page, part.limit, ("-createdAt",))
    async with database.read() as session:
        found, total = await fetch_page(session, rows, newest, AUDIT_BY)
    return ResultPage([_audit(row) for (row,) in found], total)


async def overview(services: Services) -> Overview:
    """Return the totals of everything that is not deleted."""
    async with services.database.read() as session:
        return await _overview(session, services)


async def _overview(session: AsyncSession, services: Services) -> Overview:
    rooms = await session.execute(
        select(RoomRow.status, func.count())
        .where(RoomRow.deleted_at.is_(None))
        .group_by(RoomRow.status)
    )
    people = await session.execute(
        select(UserRow.kind, func.count())
        .where(UserRow.deleted_at.is_(None))
        .group_by(UserRow.kind)
    )
    running = (RoomRow.status.in_(RUNNING), RoomRow.deleted_at.is_(None))
    orphaned = select(func.count()).where(RoomRow.served_target == ORPHANED, *running)
    drifted = (
        select(func.count(LockDriftRow.room_id.distinct()))
        .join(RoomRow, RoomRow.id == LockDriftRow.room_id)
        .where(*running)
    )
    going = (DrawStatus.REQUESTED, DrawStatus.COMMITTED, DrawStatus.DRAWN)
    held = select(func.count()).where(DrawRow.held_code.is_not(None), DrawRow.status.in_(going))
    return Overview(
        rooms=dict.fromkeys(RoomStatus, 0) | dict(rooms.all()),
        people=dict.fromkeys(PersonKind, 0) | dict(people.all()),
        draws_held=await session.scalar(held) or 0,
        draws_open=await session.scalar(select(func.count()).where(DrawRow.status.in_(going))) or 0,
        apps=len(services.catalog.apps()),
        refused_apps=[
            RefusedApp(app_id=each.app_id, reasons=list(each.reasons))
            for each in services.catalog.refused
        ],
        orphaned_rooms=await session.scalar(orphaned) or 0,
        drifted_rooms=await session.scalar(drifted) or 0,
    )


def _audit(row: AuditRow) -> AuditView:
    return AuditView(
        id=row.id,
        actor_id=row.actor_id,
        action=row.action,
        room_id=row.room_id,
        subject=row.subject,
        details=row.details,
        created_at=row.created_at,
    )
