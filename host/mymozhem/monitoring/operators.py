"""What operators do with alerts and statistics: read them, and acknowledge an alert."""

from collections.abc import Sequence
from datetime import datetime

from mymozhem.audit.trail import audit
from mymozhem.db.unit_of_work import Database
from mymozhem.idempotency.keys import mark_done

from .call_statistics import CallStatistics, Window, call_statistics
from .queries import AlertFilter, acknowledge, alerts
from .tables import AlertRow


async def list_call_statistics(
    database: Database, window: Window, now: datetime
) -> Sequence[CallStatistics]:
    """Return the statistics of the calls of every app until now, by capability."""
    async with database.read() as session:
        return await call_statistics(session, window, now)


async def list_alerts(
    database: Database, wanted: AlertFilter, *, offset: int, limit: int
) -> tuple[Sequence[AlertRow], int]:
    """Return a page of alerts, and the total: open ones first, newest first."""
    async with database.read() as session:
        return await alerts(session, wanted, offset=offset, limit=limit)


async def acknowledge_alert(database: Database, alert_id: str, *, user_id: str) -> AlertRow:
    """Record that an admin handles an alert; a second admin does not replace the first.

    Raises `NotFound`.
    """
    async with database.write() as unit:
        row = await acknowledge(unit, alert_id, user_id=user_id)
        audit(unit, "alert.acknowledge", actor_id=user_id, alertId=alert_id)
        await mark_done(unit.session)
        return row
