"""The kill switch: a stopped app is not called until it is started again."""

import logging
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import Database, UnitOfWork

from .catalog import Catalog
from .manifest_history import no_such_app
from .remote_apps import touch
from .tables import REASON_LENGTH, AppRow, StopCause

logger = logging.getLogger(__name__)


async def stop(
    unit: UnitOfWork, app_id: str, reason: str, *, cause: StopCause = StopCause.OPERATOR
) -> bool:
    """Stop an app, remote or installed; return False if it was stopped already. Idempotent.

    Raises `NotFound`.
    """
    row = await _row(unit, app_id)
    if row.stopped_at is not None:
        return False
    row.stopped_at, row.stop_cause, row.stop_reason = unit.now, cause, reason[:REASON_LENGTH]
    touch(unit, row)
    return True


async def start(unit: UnitOfWork, app_id: str) -> bool:
    """Start a stopped app; return False if it was not stopped. Raises `NotFound`."""
    row = await _row(unit, app_id)
    if row.stopped_at is None:
        return False
    row.stopped_at = row.stop_cause = row.stop_reason = None
    touch(unit, row)
    return True


async def disable(database: Database, catalog: Catalog, app_id: str, reason: str) -> bool:
    """Stop an app that said itself that it is gone; return False if it was stopped already.

    Opens its own transaction, and refreshes the catalog of this process before it returns. Raises
    `NotFound`.
    """
    async with database.write(turn=app_id) as unit:
        stopped = await stop(unit, app_id, reason, cause=StopCause.GONE)
    if stopped:
        logger.warning("app %s is disabled: %s", app_id, reason)
        await catalog.refresh()
    return stopped


async def reasons(session: AsyncSession) -> Mapping[str, str]:
    """Return the reasons of stopped apps, by app."""
    query = select(AppRow.app_id, AppRow.stop_reason).where(
        AppRow.stopped_at.is_not(None), AppRow.deleted_at.is_(None)
    )
    return {app_id: reason or "" for app_id, reason in (await session.execute(query)).all()}


async def _row(unit: UnitOfWork, app_id: str) -> AppRow:
    query = select(AppRow).where(AppRow.app_id == app_id, AppRow.deleted_at.is_(None))
    row = (await unit.session.scalars(query.with_for_update())).one_or_none()
    if row is None:
        raise no_such_app(app_id)
    return row
