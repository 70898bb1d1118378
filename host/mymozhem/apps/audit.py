"""The audit entry of a use case."""

from mymozhem.audit.trail import audit
from mymozhem.auth.principal import Caller
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.idempotency.keys import mark_done


async def audited(
    unit: UnitOfWork, caller: Caller, app_id: str, action: str, **details: object
) -> None:
    """Write the audit entry, and mark the request as done, both in the transaction of the act."""
    audit(unit, action, actor_id=caller.user_id, appId=app_id, **details)
    await mark_done(unit.session)
