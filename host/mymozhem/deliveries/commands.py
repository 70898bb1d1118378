"""Commands of operators on dead letters and bodies; each writes its own audit entry.

The caller checks access. `actor_id` is None for a command on the operator's command line.
"""

from datetime import datetime

from mymozhem.audit.trail import audit
from mymozhem.clock import iso
from mymozhem.contract import JsonObject
from mymozhem.db.unit_of_work import Database
from mymozhem.idempotency.keys import mark_done

from . import dead_letters
from .inspect import body_of
from .outbox import Outbox


async def retry_dead_letter(
    database: Database, outbox: Outbox, delivery_id: str, *, actor_id: str | None
) -> None:
    """Put a dead letter at the end of its stream. Raises `NotFound`, `NotDead`."""
    async with database.write(turn=delivery_id) as unit:
        row = await dead_letters.retry(unit, outbox, delivery_id)
        audit(unit, "delivery.retry", actor_id=actor_id, id=delivery_id, appId=row.app_id)
        await mark_done(unit.session)


async def retry_dead_letters(
    database: Database,
    outbox: Outbox,
    since: datetime,
    *,
    app_id: str | None = None,
    actor_id: str | None,
) -> int:
    """Retry every letter that died at `since` or later, of one app or of all; return how many.

    Idempotent, since retried letters are no longer dead.
    """
    retried = await dead_letters.retry_since(database, outbox, since, app_id=app_id)
    details = {"since": iso(since), "appId": app_id, "retried": retried}
    async with database.write() as unit:
        audit(unit, "delivery.retry", actor_id=actor_id, **details)
        await mark_done(unit.session)
    return retried


async def delete_dead_letter(
    database: Database, delivery_id: str, *, actor_id: str | None
) -> datetime:
    """Delete a dead letter permanently, and return when. Raises `NotFound`, `NotDead`."""
    async with database.write(turn=delivery_id) as unit:
        row = await dead_letters.remove(unit, delivery_id)
        audit(unit, "delivery.delete", actor_id=actor_id, id=delivery_id, appId=row.app_id)
        await mark_done(unit.session)
        return unit.now


async def read_body(database: Database, delivery_id: str, *, actor_id: str | None) -> JsonObject:
    """Return context and request as the app receives them, including secrets. Raises `NotFound`."""
    async with database.write() as unit:
        audit(unit, "delivery.read", actor_id=actor_id, id=delivery_id)
        return await body_of(unit.session, delivery_id)
