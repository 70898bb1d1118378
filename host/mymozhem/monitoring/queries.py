"""Queries on alerts and health checks, and the acknowledgement of an alert."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import NotFound

from .tables import AlertRow, HealthCheckRow


class AlertFilter(NamedTuple):
    """A filter for alerts; None disables a condition."""

    is_open: bool | None = None
    app_id: str | None = None


async def alerts(
    session: AsyncSession, wanted: AlertFilter, *, offset: int, limit: int
) -> tuple[Sequence[AlertRow], int]:
    """Return a page of alerts, and the total: open ones first, newest first."""
    query = select(AlertRow)
    over = AlertRow.recovered_at.is_not(None)
    if wanted.is_open is not None:
        query = query.where(over != wanted.is_open)
    if wanted.app_id is not None:
        query = query.where(AlertRow.app_id == wanted.app_id)
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    ordered = query.order_by(over, AlertRow.opened_at.desc(), AlertRow.id.desc())
    rows = await session.scalars(ordered.offset(offset).limit(limit))
    return rows.all(), total


async def acknowledge(unit: UnitOfWork, alert_id: str, *, user_id: str) -> AlertRow:
    """Record who handles an alert; a second user does not replace the first. Raises `NotFound`."""
    row = await unit.session.get(AlertRow, alert_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such alert.", code="ALERT_NOT_FOUND")
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = unit.now, user_id
    return row


async def checks_of(session: AsyncSession, app_id: str) -> Sequence[HealthCheckRow]:
    """Return the results of the last health checks of an app, by version."""
    query = select(HealthCheckRow).where(HealthCheckRow.app_id == app_id)
    return (await session.scalars(query.order_by(HealthCheckRow.version))).all()
