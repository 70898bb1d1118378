"""Call the health checks of apps and store the results."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.registry.catalog import Catalog

from .alert_rules import CheckedApp
from .sources import AskHealth, Checked
from .tables import AppStatus, HealthCheckRow

CAPABILITY = "health"
#: apps that are checked concurrently
AT_ONCE = 8
_WELL = frozenset({AppStatus.OK, AppStatus.DEGRADED})


class Target(NamedTuple):
    """A version of an app that has a health check."""

    app_id: str
    version: str


def targets(catalog: Catalog, *, off: Iterable[str]) -> list[Target]:
    """Return the newest version of each app that has the capability and is not off."""
    skipped = frozenset(off)
    newest = ((app.app_id, app.newest()) for app in catalog.apps() if app.app_id not in skipped)
    return [
        Target(app_id, manifest.version)
        for app_id, manifest in newest
        if CAPABILITY in manifest.called
    ]


async def check_all(database: Database, asked: Sequence[Target], ask: AskHealth) -> None:
    """Check every target, a few concurrently, and store the results."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> tuple[Target, Checked]:
        async with places:
            return target, await ask(*target)

    answers = dict(await asyncio.gather(*(one(target) for target in asked)))
    async with database.write() as unit:
        await _keep(unit, answers)


async def checked(session: AsyncSession) -> list[CheckedApp]:
    """Return the results of the last checks."""
    rows = await session.scalars(select(HealthCheckRow).order_by(HealthCheckRow.app_id))
    return [CheckedApp(row.app_id, row.version, row.status, row.failures_in_a_row) for row in rows]


async def _keep(unit: UnitOfWork, answers: Mapping[Target, Checked]) -> None:
    """Store the results; delete those of versions that are no longer checked."""
    query = select(HealthCheckRow).order_by(HealthCheckRow.id).with_for_update()
    rows = {Target(row.app_id, row.version): row for row in await unit.session.scalars(query)}
    for target, row in rows.items():
        if target not in answers:
            await unit.session.delete(row)
    for target, answer in answers.items():
        row = rows.get(target) or _new(unit, target, answer)
        if row.status is not answer.status:
            row.since = unit.now
        well = answer.status in _WELL
        row.failures_in_a_row = 0 if well else row.failures_in_a_row + 1
        row.status, row.details, row.checked_at = answer.status, answer.details, unit.now


def _new(unit: UnitOfWork, target: Target, answer: Checked) -> HealthCheckRow:
    row = HealthCheckRow(
        app_id=target.app_id,
        version=target.version,
        status=answer.status,
        since=unit.now,
        failures_in_a_row=0,
    )
    unit.session.add(row)
    return row
