"""Revoked tokens, sessions and people: stored in the database, and mirrored in each process.

A request is checked against the mirror, without a query. Every half second a process reads what
was revoked within the last minute, so that a revocation holds on all processes within a second.
"""

import asyncio
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork

from .tables import RevocationKind, RevocationReason, TokenBlacklistRow

#: seconds between two reads of what other processes revoked
EVERY = 0.5

#: how far back each read looks: longer than a transaction takes from its start to its commit
LOOK_BACK = timedelta(seconds=60)

#: age of the mirror, in seconds, beyond which privileged callers may not write
STALE_AFTER = 5.0

#: age of the mirror, in seconds, beyond which the process is not ready
NOT_READY_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """The parts of a token that can be revoked, and the Unix second at which it was issued."""

    token: bytes
    session: bytes
    person: bytes
    issued: int

    @classmethod
    def of(cls, *, token_id: str, session_id: str, subject: str, issued: int) -> "TokenIdentity":
        """Return the identity of a token with these claims `jti`, `sid`, `sub` and `iat`."""
        return cls(_digest(token_id), _digest(session_id), _digest(subject), issued)


@dataclass(frozen=True, slots=True)
class Revocation:
    """Something to revoke; `expires_at` is when the last token that it concerns has expired.

    `value` is a token's `jti`, a session's id, or a person's id. `not_before` is for people: it
    revokes the tokens that were issued until then.
    """

    kind: RevocationKind
    value: str
    expires_at: datetime
    user_id: str
    reason: RevocationReason
    revoked_by: str | None
    not_before: datetime | None = None


class Revocations:
    """The mirror of one process; used from one event loop."""

    def __init__(self, database: Database, *, every: float = EVERY) -> None:
        self._database = database
        self._tokens: dict[bytes, datetime] = {}
        self._sessions: dict[bytes, datetime] = {}
        self._people: dict[bytes, tuple[int, datetime]] = {}
        self._read_at = -math.inf
        self._task = PeriodicTask("revocations", self.refresh, every=every, wait_first=True)

    async def open(self) -> None:
        """Read everything that is revoked, and start to follow the others."""
        await self.refresh()
        self._task.start()

    async def close(self) -> None:
        """Stop following. Idempotent."""
        await self._task.stop()

    @property
    def age(self) -> float:
        """Seconds since the mirror was last read; infinite before the first time."""
        return asyncio.get_running_loop().time() - self._read_at

    @property
    def is_stale(self) -> bool:
        """Whether privileged callers must not write, because their tokens may be revoked."""
        return self.age > STALE_AFTER

    def is_revoked(self, identity: TokenIdentity) -> bool:
        """Return whether a token is revoked: itself, its session, or all of its person."""
        if identity.token in self._tokens or identity.session in self._sessions:
            return True
        person = self._people.get(identity.person)
        return person is not None and identity.issued <= person[0]

    async def refresh(self) -> None:
        """Read what was revoked within the last minute, and drop what has expired.

        Raises `Unavailable` while the database is unreachable; the mirror stays as it is.
        """
        began = asyncio.get_running_loop().time()
        # A mirror that was not read for longer than a read looks back is read as a whole.
        whole = began - self._read_at > LOOK_BACK.total_seconds() / 2
        now = await self._database.now()
        async with self._database.read() as session:
            rows = await _rows(session, now, since=None if whole else now - LOOK_BACK)
        for row in rows:
            self._take(row)
        self._drop_expired(now)
        self._read_at = began

    def revoke(self, unit: UnitOfWork, revocations: Iterable[Revocation]) -> None:
        """Revoke inside a transaction; this process knows at its commit, others within a second."""
        given = tuple(revocations)
        unit.session.add_all([_row(each, unit.now) for each in given])

        def take() -> None:
            for each in given:  # rows of their own: those of a session end with it
                self._take(_row(each, unit.now))

        unit.after_commit(take)

    def _take(self, row: TokenBlacklistRow) -> None:
        key = bytes.fromhex(row.key_hash)
        if row.kind == RevocationKind.TOKEN:
            self._tokens[key] = row.expires_at
        elif row.kind == RevocationKind.SESSION:
            self._sessions[key] = row.expires_at
        elif row.not_before is not None:
            second = int(row.not_before.timestamp())
            if self._people.get(key, (0, row.expires_at))[0] <= second:
                self._people[key] = (second, row.expires_at)

    def _drop_expired(self, now: datetime) -> None:
        for kept in (self._tokens, self._sessions):
            for key in [key for key, expires in kept.items() if expires <= now]:
                del kept[key]
        for key in [key for key, (_, expires) in self._people.items() if expires <= now]:
            del self._people[key]


async def delete_expired(database: Database) -> int:
    """Delete revocations whose tokens have all expired; return their number. Idempotent."""
    return await delete_in_parts(
        database, TokenBlacklistRow, lambda now: TokenBlacklistRow.expires_at <= now
    )


async def _rows(
    session: AsyncSession, now: datetime, *, since: datetime | None
) -> Sequence[TokenBlacklistRow]:
    query = select(TokenBlacklistRow).where(TokenBlacklistRow.expires_at > now)
    if since is not None:
        query = query.where(TokenBlacklistRow.revoked_at > since)
    return (await session.scalars(query)).all()


def _row(revocation: Revocation, now: datetime) -> TokenBlacklistRow:
    return TokenBlacklistRow(
        kind=revocation.kind,
        key_hash=_digest(revocation.value).hex(),
        not_before=revocation.not_before,
        expires_at=revocation.expires_at,
        user_id=revocation.user_id,
        reason=revocation.reason,
        revoked_at=now,
        revoked_by=revocation.revoked_by,
    )


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
