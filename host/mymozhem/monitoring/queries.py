"""Incidents and checks as they are read, and taken note of."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import NotFound

from .tables import AlertRow, HealthCheckRow


class AlertFilter(NamedTuple):
    """Which incidents; None leaves a filter out."""

    is_open: bool | None = None
    app_id: str | None = None


async def alerts(
    session: AsyncSession, wanted: AlertFilter, *, offset: int, limit: int
) -> tuple[Sequence[AlertRow], int]:
    """Return a part of the incidents, and how many there are: open ones first, newest first."""
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
    """Note that somebody looks after an incident; the first one stays. Raises `NotFound`."""
    row = await unit.session.get(AlertRow, alert_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such alert.", code="ALERT_NOT_FOUND")
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = unit.now, user_id
    return row


async def checks_of(session: AsyncSession, app_id: str) -> Sequence[HealthCheckRow]:
    """Return how the last health checks of an app ended, by version."""
    query = select(HealthCheckRow).where(HealthCheckRow.app_id == app_id)
    return (await session.scalars(query.order_by(HealthCheckRow.version))).all()
