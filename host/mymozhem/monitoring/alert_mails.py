"""Who gets mails about alerts, and when: immediately, or in one digest in the morning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select

from mymozhem.db.unit_of_work import UnitOfWork

from .mail_queue import enqueue
from .mail_texts import alert_mail, digest_mail
from .quiet_hours import QuietHours
from .sources import Sources
from .tables import AlertRow, Severity


@dataclass(frozen=True)
class AlertMailer:
    """Writes the mails about alerts; without `mails`, it writes none."""

    sources: Sources
    quiet: QuietHours
    public_url: str
    mails: bool

    async def tell(self, unit: UnitOfWork) -> None:
        """Enqueue mails to all recipients about what is new, in the transaction that records it.

        Each alert is announced once when it opens, when it gets worse and when it is over. In the
        quiet hours, only critical ones are sent; in the morning, the rest goes into one mail.
        """
        rows = await _news(unit)
        at_once, held = [], []
        for row in rows:
            if row.severity is Severity.CRITICAL or not self.quiet.hold(_moment(row)):
                at_once.append(row)
            else:
                held.append(row)
        if self.quiet.hold(unit.now):
            at_once = [row for row in at_once if row.severity is Severity.CRITICAL]
            held = []
        if self.mails:
            await self._write(unit, at_once, held)
        for row in (*at_once, *held):
            _note(row, unit.now)

    async def _write(
        self, unit: UnitOfWork, at_once: Sequence[AlertRow], held: Sequence[AlertRow]
    ) -> None:
        for row in at_once:
            letter = alert_mail(row, self.public_url)
            for recipient in await self.sources.recipients(unit.session, row.app_id):
                enqueue(unit, recipient, letter)
        concerned: defaultdict[str, list[AlertRow]] = defaultdict(list)
        for row in held:
            for recipient in await self.sources.recipients(unit.session, row.app_id):
                concerned[recipient].append(row)
        for recipient, rows in concerned.items():
            enqueue(unit, recipient, digest_mail(rows, self.public_url))


async def _news(unit: UnitOfWork) -> Sequence[AlertRow]:
    """Return the alerts with unsent news, locked."""
    query = select(AlertRow).where(
        or_(
            AlertRow.told.is_(None),
            and_(AlertRow.recovered_at.is_(None), AlertRow.told != AlertRow.severity),
            and_(AlertRow.recovered_at.is_not(None), AlertRow.recovery_told_at.is_(None)),
        )
    )
    ordered = query.order_by(AlertRow.opened_at, AlertRow.id).with_for_update()
    return (await unit.session.scalars(ordered)).all()


def _moment(row: AlertRow) -> datetime:
    """Return when the first news about an alert happened."""
    if row.told is None or row.recovered_at is None:
        return row.changed_at
    return row.recovered_at


def _note(row: AlertRow, now: datetime) -> None:
    row.told, row.told_at = row.severity.value, row.told_at or now
    if row.recovered_at is not None:
        row.recovery_told_at = now
