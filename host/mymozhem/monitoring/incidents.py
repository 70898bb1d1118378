"""The rows of alerts: opened, made worse and closed as the rules find problems."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.registry.tables import VERSION_LENGTH

from .alert_rules import Alert
from .sources import AffectedRooms, Sources
from .tables import CODE_LENGTH, AlertRow, Severity

logger = structlog.stdlib.get_logger(__name__)

#: an alert is over if it was not found for this long, so that a flickering one is one alert
SETTLE = timedelta(minutes=2)


async def reconcile(unit: UnitOfWork, found: Sequence[Alert], sources: Sources) -> None:
    """Open new alerts, raise the severity of those that got worse, and close those that are over.

    Safe in several processes concurrently: the database allows one open alert per key.
    """
    current = await _open(unit)
    for finding in found:
        row = current.get(finding.key)
        if row is None:
            await _begin(unit, finding, sources)
        else:
            await _go_on(unit, row, finding, sources)
    keys = {finding.key for finding in found}
    for row in current.values():
        if row.key not in keys and unit.now - row.seen_at >= SETTLE:
            row.recovered_at = unit.now
            logger.info("alert over", alert=row.id, rule=row.rule.value, app=row.app_id)


async def _open(unit: UnitOfWork) -> Mapping[str, AlertRow]:
    query = select(AlertRow).where(AlertRow.recovered_at.is_(None)).order_by(AlertRow.id)
    return {row.key: row for row in await unit.session.scalars(query.with_for_update())}


async def _begin(unit: UnitOfWork, finding: Alert, sources: Sources) -> None:
    row = AlertRow(key=finding.key, rule=finding.rule, opened_at=unit.now)
    _describe(row, finding, await _affected_rooms(unit, finding, sources), unit.now)
    try:
        async with unit.session.begin_nested():
            unit.session.add(row)
    except IntegrityError:  # another process was first: its row is the alert
        return
    _log(row)


async def _go_on(unit: UnitOfWork, row: AlertRow, finding: Alert, sources: Sources) -> None:
    row.seen_at = unit.now
    if row.severity is Severity.WARNING and finding.severity is Severity.CRITICAL:
        _describe(row, finding, await _affected_rooms(unit, finding, sources), unit.now)
        _log(row)


def _describe(row: AlertRow, finding: Alert, affected_rooms: AffectedRooms, now: datetime) -> None:
    row.severity = finding.severity
    row.app_id, row.capability = finding.app_id, finding.capability
    row.version = finding.version and finding.version[:VERSION_LENGTH]
    row.code = finding.code and finding.code[:CODE_LENGTH]
    row.summary, row.advice = finding.summary, finding.advice
    row.rooms = [{"id": room.id, "name": room.name} for room in affected_rooms.rooms]
    row.room_count = affected_rooms.count
    row.changed_at = row.seen_at = now


async def _affected_rooms(unit: UnitOfWork, finding: Alert, sources: Sources) -> AffectedRooms:
    if finding.app_id is None:
        return AffectedRooms()
    return await sources.affected_rooms(unit.session, finding.app_id)


def _log(row: AlertRow) -> None:
    logger.warning(
        "alert",
        alert=row.id,
        rule=row.rule.value,
        severity=row.severity.value,
        app=row.app_id,
        capability=row.capability,
        code=row.code,
        rooms=row.room_count,
    )
