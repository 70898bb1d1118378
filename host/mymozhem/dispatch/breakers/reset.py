"""Reset a breaker, because an operator says that the app works again."""

from mymozhem.audit.trail import audit
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import NotFound
from mymozhem.idempotency.keys import mark_done
from mymozhem.registry.catalog import Catalog

from .breaker import Key
from .registry import Breakers, BreakerSnapshot


async def reset_breaker(
    database: Database, catalog: Catalog, breakers: Breakers, key: Key, *, actor_id: str
) -> BreakerSnapshot:
    """Close a breaker in every process of the host, and return it. Idempotent.

    The caller checks access. Raises `NotFound` if the version has no such capability,
    `Unavailable` while the database is unreachable.
    """
    if key.capability not in catalog.manifest(key.app_id, key.version).called:
        raise NotFound
    await breakers.reset(key)
    details = {"appId": key.app_id, "version": key.version, "capability": key.capability}
    async with database.write() as unit:
        audit(unit, "breaker.reset", actor_id=actor_id, **details)
        await mark_done(unit.session)
    return breakers.view(key)
