"""Idempotent writes: the key is reserved first, and marked as done with the effect itself.

`reserve` writes the key before the work, `mark_done` marks it in the transaction of the effect,
`complete` stores the response for repeated requests. After a crash between the last two, the key
says that the work was done, so that it is never done twice.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict

from .tables import IdempotencyRow

RUNNING, DONE = 0, 1
ABANDONED_AFTER = timedelta(minutes=1)


class IdempotencyMismatch(Conflict):
    """This idempotency key was used with another body; use a new key for a new request."""

    default_code = "IDEMPOTENCY_MISMATCH"


class InProgress(Conflict):
    """A request with this idempotency key is still running; try again in a moment."""

    default_code = "IN_PROGRESS"


class AlreadyDone(Conflict):
    """This was done already, but the response was lost; read the room to see the result."""

    default_code = "ALREADY_DONE"


@dataclass(frozen=True)
class Claim:
    """The right to do a piece of work once."""

    caller: str
    route: str
    key: str
    body_digest: str

    @property
    def turn(self) -> str:
        """Return what requests with the same key take turns by."""
        return f"{self.caller} {self.route} {self.key}"


@dataclass(frozen=True)
class Kept:
    """The stored response of the first request."""

    status: int
    body: object


_current: ContextVar[Claim | None] = ContextVar("mymozhem_idempotency", default=None)


def _where(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyRow.caller == claim.caller,
        IdempotencyRow.route == claim.route,
        IdempotencyRow.key == claim.key,
    )


async def reserve(database: Database, claim: Claim, *, hours: int) -> Kept | None:
    """Reserve a key: None means that the work must be done, a response that it was done before.

    Raises IdempotencyMismatch, InProgress or AlreadyDone. A key that was reserved and never marked
    is free again after a minute; one that was marked and never completed is AlreadyDone from then
    on.
    """
    for _ in range(2):
        try:
            return await _reserve(database, claim, hours)
        except IntegrityError:
            continue  # another request reserved it concurrently; read that one
    raise InProgress


async def _reserve(database: Database, claim: Claim, hours: int) -> Kept | None:
    async with database.write(turn=claim.turn) as unit:
        row = await unit.session.get(
            IdempotencyRow, (claim.caller, claim.route, claim.key), with_for_update=True
        )
        if row is not None and not _free(row, unit.now):
            return _kept(row, claim, unit.now)
        if row is not None:
            await unit.session.delete(row)
            await unit.session.flush()
        unit.session.add(
            IdempotencyRow(
                caller=claim.caller,
                route=claim.route,
                key=claim.key,
                body_digest=claim.body_digest,
                status=RUNNING,
                created_at=unit.now,
                expires_at=unit.now + timedelta(hours=hours),
            )
        )
    _current.set(claim)
    return None


def current_claim() -> Claim | None:
    """Return the claim of the current request, None if it has none."""
    return _current.get()


async def mark_done(session: AsyncSession) -> None:
    """Mark the current claim, if there is one, in the transaction of its effect."""
    await mark_claim_done(session, _current.get())


async def mark_claim_done(session: AsyncSession, claim: Claim | None) -> None:
    """Mark a claim, if there is one, in the transaction of its effect."""
    if claim is not None:
        await session.execute(update(IdempotencyRow).where(*_where(claim)).values(status=DONE))


async def complete(database: Database, claim: Claim, kept: Kept) -> None:
    """Store the response for repeated requests, and end the claim."""
    _current.set(None)
    async with database.write(turn=claim.turn) as unit:
        await unit.session.execute(
            update(IdempotencyRow)
            .where(*_where(claim))
            .values(status=kept.status, response=kept.body)
        )


async def release(database: Database, claim: Claim) -> None:
    """Release a claim whose work was not done, so that it may be tried again."""
    _current.set(None)
    async with database.write(turn=claim.turn) as unit:
        await unit.session.execute(
            delete(IdempotencyRow).where(*_where(claim), IdempotencyRow.status == RUNNING)
        )


async def clean(database: Database) -> int:
    """Delete keys that have expired; return how many there were."""
    return await delete_in_parts(
        database, IdempotencyRow, lambda now: IdempotencyRow.expires_at < now
    )


def _free(row: IdempotencyRow, now: datetime) -> bool:
    return (row.status == RUNNING and _is_abandoned(row, now)) or row.expires_at <= now


def _is_abandoned(row: IdempotencyRow, now: datetime) -> bool:
    return row.created_at + ABANDONED_AFTER < now


def _kept(row: IdempotencyRow, claim: Claim, now: datetime) -> Kept:
    if row.body_digest != claim.body_digest:
        raise IdempotencyMismatch
    # The response is stored a moment after the effect, so allow some time for it.
    if row.status == RUNNING or (row.status == DONE and not _is_abandoned(row, now)):
        raise InProgress
    if row.status == DONE or row.status is None:
        raise AlreadyDone
    return Kept(status=row.status, body=row.response)
