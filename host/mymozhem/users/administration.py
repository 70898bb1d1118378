"""What admins do with accounts: find them, deactivate them, sign them out, read their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.audit.tables import AuditRow
from mymozhem.audit.trail import audit_person
from mymozhem.auth.access import require_access
from mymozhem.auth.principal import Caller
from mymozhem.auth.sessions import Sessions
from mymozhem.auth.tables import RevocationReason, TokenBlacklistRow, UserRow
from mymozhem.contract import JsonObject, PersonKind
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, NotFound

LONGEST_LIST = 100


@dataclass(frozen=True, slots=True)
class Account:
    """A person as admins see them."""

    id: str
    email: str | None
    name: str
    kind: PersonKind
    is_admin: bool
    email_verified: bool
    created_at: datetime
    deactivated_at: datetime | None
    deactivated_reason: str | None


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Something that happened to an account: by whom (None for the host), and why."""

    at: datetime
    action: str
    by: str | None
    details: JsonObject


class UserAdministration:
    """The acts of admins on the accounts of a host; all are in the audit trail."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def find(
        self,
        caller: Caller,
        *,
        text: str | None = None,
        status: Literal["active", "deactivated"] | None = None,
        before: str | None = None,
        limit: int = LONGEST_LIST,
    ) -> Sequence[Account]:
        """Return accounts, the newest first: those whose name or address contains a text.

        `before` is the id of the last account of the part before. Raises `Forbidden` unless the
        caller administers the platform, as all methods do.
        """
        await require_access(self._database, caller, "GET /admin/users")
        query = select(UserRow).where(
            UserRow.kind == PersonKind.REGISTERED, UserRow.deleted_at.is_(None)
        )
        if text:
            query = query.where(
                UserRow.email.icontains(text, autoescape=True)
                | UserRow.name.icontains(text, autoescape=True)
            )
        if status is not None:
            inactive = UserRow.deactivated_at.is_not(None)
            query = query.where(inactive if status == "deactivated" else ~inactive)
        if before is not None:
            query = query.where(UserRow.id < before)
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(UserRow.id.desc()).limit(limit))
            return [_account(row) for row in rows]

    async def deactivate(self, caller: Caller, user_id: str, reason: str) -> Account:
        """Let an account sign in no more, and end everything of it. Idempotent.

        Raises `NotFound`, and `Conflict` LAST_ADMIN for the last active administrator.
        """
        await require_access(self._database, caller, "POST /admin/users/{id}/deactivate")
        async with self._database.write(turn=user_id) as unit:
            row = await _locked(unit, user_id)
            if row.is_admin and row.deactivated_at is None:
                await _require_another_admin(unit.session, user_id)
            if row.deactivated_at is None:
                row.deactivated_at = row.updated_at = unit.now
            row.deactivated_reason = reason
            await self._sessions.revoke_person(
                unit, user_id, reason=RevocationReason.DEACTIVATED, by=caller.user_id
            )
            audit_person(unit, "user.deactivate", user_id, by=caller.user_id, reason=reason)
            return _account(row)

    async def activate(self, caller: Caller, user_id: str) -> Account:
        """Let a deactivated account sign in again. Idempotent. Raises `NotFound`."""
        await require_access(self._database, caller, "POST /admin/users/{id}/activate")
        async with self._database.write(turn=user_id) as unit:
            row = await _locked(unit, user_id)
            if row.deactivated_at is not None:
                row.deactivated_at = row.deactivated_reason = None
                row.updated_at = unit.now
                audit_person(unit, "user.activate", user_id, by=caller.user_id)
            return _account(row)

    async def revoke(self, caller: Caller, user_id: str, reason: str) -> datetime:
        """Sign an account out everywhere; return when. It may sign in again. Raises `NotFound`."""
        await require_access(self._database, caller, "POST /admin/users/{id}/revoke")
        async with self._database.write(turn=user_id) as unit:
            await _locked(unit, user_id)
            await self._sessions.revoke_person(
                unit, user_id, reason=RevocationReason.MANUAL_REVOKE, by=caller.user_id
            )
            audit_person(unit, "user.revoke", user_id, by=caller.user_id, reason=reason)
            return unit.now

    async def history(self, caller: Caller, user_id: str) -> Sequence[AccountEvent]:
        """Return the latest hundred events of an account, the newest first. Raises `NotFound`.

        Those are the acts of admins, changes of the password, and what was revoked, as long as a
        token of it may be valid.
        """
        await require_access(self._database, caller, "GET /admin/users/{id}/history")
        async with self._database.read() as session:
            if await session.get(UserRow, user_id) is None:
                raise NotFound
            acts = await session.scalars(
                select(AuditRow)
                .where(AuditRow.subject == user_id)
                .order_by(AuditRow.created_at.desc())
                .limit(LONGEST_LIST)
            )
            ends = await session.scalars(
                select(TokenBlacklistRow)
                .where(TokenBlacklistRow.user_id == user_id)
                .order_by(TokenBlacklistRow.revoked_at.desc())
                .limit(LONGEST_LIST)
            )
            events = [AccountEvent(e.created_at, e.action, e.actor_id, e.details) for e in acts]
            events += [
                AccountEvent(e.revoked_at, f"revoke.{e.kind}", e.revoked_by, {"reason": e.reason})
                for e in ends
            ]
        return sorted(events, key=lambda event: event.at, reverse=True)[:LONGEST_LIST]


async def _locked(unit: UnitOfWork, user_id: str) -> UserRow:
    row = await unit.session.get(UserRow, user_id, with_for_update=True)
    if row is None or row.deleted_at is not None or row.kind is not PersonKind.REGISTERED:
        raise NotFound
    return row


async def _require_another_admin(session: AsyncSession, user_id: str) -> None:
    others = select(UserRow.id).where(
        UserRow.is_admin,
        UserRow.id != user_id,
        UserRow.deleted_at.is_(None),
        UserRow.deactivated_at.is_(None),
    )
    if await session.scalar(others.limit(1)) is None:
        message = "This is the last administrator; make another one first."
        raise Conflict(message, code="LAST_ADMIN")


def _account(row: UserRow) -> Account:
    return Account(
        id=row.id,
        email=row.email,
        name=row.name,
        kind=row.kind,
        is_admin=row.is_admin,
        email_verified=row.email_verified,
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        deactivated_reason=row.deactivated_reason,
    )
