"""Read all apps from the database in one snapshot, and find out whether something changed."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from mymozhem.db.unit_of_work import Database
from mymozhem.errors import MymozhemError
from mymozhem.manifests.model import Manifest

from . import app_keys, manifest_history
from .app_keys import AppKey, Sealer
from .manifest_history import Published
from .snapshot import AppFacts, Stopped, Version
from .tables import AppKind, AppRow, AppSecretRow, StopCause

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceFacts:
    """What the database contains about apps.

    `stamp` grows with every change; `until` is when the first key expires, None if none does.
    """

    published: tuple[Published, ...]
    facts: Mapping[str, AppFacts]
    stamp: int
    until: datetime | None


class Source:
    """Reads apps from a database; the sealer unseals their keys."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def read(self, known: Mapping[Version, Manifest]) -> SourceFacts:
        """Return everything; known manifests never change, so they are not read again."""
        now = await self._database.now()
        async with self._database.read() as session:
            rows = (await session.scalars(select(AppRow))).all()
            published = await manifest_history.versions(session, known=known)
            sealed = await app_keys.good_keys(session, now)
        keys = self._opened(sealed)
        facts = {row.app_id: _facts(row, tuple(keys[row.app_id])) for row in rows}
        ends = [row.expires_at for row in sealed if row.expires_at is not None]
        stamp = sum(row.revision for row in rows)
        return SourceFacts(published, facts, stamp, min(ends, default=None))

    async def is_news(self, stamp: int, until: datetime | None) -> bool:
        """Return whether something changed since a stamp, or a key expired; one cheap query."""
        if until is not None and await self._database.now() >= until:
            return True
        async with self._database.read() as session:
            return (
                await session.scalar(select(func.coalesce(func.sum(AppRow.revision), 0))) != stamp
            )

    def _opened(self, rows: Iterable[AppSecretRow]) -> defaultdict[str, list[AppKey]]:
        keys: defaultdict[str, list[AppKey]] = defaultdict(list)
        for row in rows:
            try:
                keys[row.app_id].append(app_keys.opened(row, self._sealer))
            except (MymozhemError, ValueError):  # the others still work; this app cannot be called
                logger.exception("a key of app %s cannot be opened", row.app_id)
        return keys


def _facts(row: AppRow, keys: tuple[AppKey, ...]) -> AppFacts:
    stopped = None
    if row.stopped_at is not None:
        cause = row.stop_cause or StopCause.OPERATOR
        stopped = Stopped(row.stopped_at, cause, row.stop_reason or "")
    return AppFacts(row.kind is AppKind.REMOTE, row.deleted_at is not None, stopped, keys)
