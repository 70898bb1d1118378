"""The queue of mails: rows that are sent in the background, with retries."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Update, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import Clock
from mymozhem.concurrency.backoff import Backoff
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork

from .mail_texts import MailText, line
from .smtp import Mail, Mailer, MailFailed
from .tables import OutgoingMailRow

logger = structlog.stdlib.get_logger(__name__)

#: how long a process may take for one mail before another process sends it
LEASE = timedelta(minutes=2)
#: the delays between attempts to send a mail
BACKOFF = Backoff(first=60.0, longest=3_600.0)
#: a mail that could not be sent for this long is given up
GIVE_UP = timedelta(days=2)
KEEP = timedelta(days=30)
LONGEST_SUBJECT = 200


def enqueue(unit: UnitOfWork, recipient: str, letter: MailText) -> None:
    """Queue a mail, to be sent once the transaction is committed."""
    unit.session.add(
        OutgoingMailRow(
            recipient=recipient,
            subject=line(letter.subject)[:LONGEST_SUBJECT],
            body=letter.body,
            created_at=unit.now,
            next_at=unit.now,
        )
    )


@dataclass(frozen=True)
class MailSender:
    """Sends due mails; several processes may run, and each mail is taken by one."""

    database: Database
    mailer: Mailer
    clock: Clock

    async def send_due(self) -> int:
        """Send mails until none is due or one fails; return how many were sent.

        A failed mail is retried later. The rest waits with it: a server that does not respond would
        not respond for them either.
        """
        sent = 0
        while (mail := await self.take()) is not None:
            try:
                await self.mailer.send(mail)
            except MailFailed as error:
                await self._failed(mail, error)
                if error.server:
                    break
            else:
                await self._sent(mail)
                sent += 1
        return sent

    async def take(self) -> Mail | None:
        """Take the next mail that is due, with a lease of `LEASE`; None if there is none."""
        async with self.database.read() as session:  # on SQLite, every write waits for its turn
            now = self.clock.now()
            due = select(OutgoingMailRow.id).where(OutgoingMailRow.next_at <= now).limit(1)
            if await session.scalar(due) is None:
                return None
        async with self.database.write() as unit:
            query = (
                select(OutgoingMailRow)
                .where(OutgoingMailRow.next_at <= unit.now)
                .order_by(OutgoingMailRow.next_at, OutgoingMailRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = (await unit.session.scalars(query)).one_or_none()
            if row is None:
                return None
            row.attempts += 1
            row.next_at = unit.now + LEASE
            return Mail(row.id, row.attempts, row.recipient, row.subject, row.body, row.created_at)

    async def _sent(self, mail: Mail) -> None:
        async with self.database.write() as unit:
            values = {"sent_at": unit.now, "next_at": None, "problem": None}
            await unit.session.execute(_taken(mail).values(values))

    async def _failed(self, mail: Mail, error: MailFailed) -> None:
        async with self.database.write() as unit:
            given_up = unit.now - mail.created_at >= GIVE_UP
            wait = timedelta(seconds=BACKOFF.seconds(mail.attempt))
            next_at = None if given_up else unit.now + wait
            values = {"next_at": next_at, "problem": error.message}
            await unit.session.execute(_taken(mail).values(values))
        logger.warning(
            "mail not sent", mail=mail.id, attempt=mail.attempt, given_up=given_up,
            problem=error.message,
        )  # fmt: skip


async def forget_old(database: Database) -> None:
    """Delete mails that were sent, or given up, long ago: they contain addresses."""
    await delete_in_parts(
        database, OutgoingMailRow, lambda now: OutgoingMailRow.created_at < now - KEEP
    )


async def forget_recipient(session: AsyncSession, email: str) -> None:
    """Delete all mails to an address, sent or not, inside a transaction."""
    await session.execute(delete(OutgoingMailRow).where(OutgoingMailRow.recipient == email))


def _taken(mail: Mail) -> Update:
    """Change a mail's row only while this attempt is the latest."""
    return (
        update(OutgoingMailRow)
        .where(OutgoingMailRow.id == mail.id, OutgoingMailRow.attempts == mail.attempt)
        .execution_options(synchronize_session=False)
    )
