"""Sessions: a sign-in on one device, renewed by its refresh token until it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from mymozhem.audit.trail import audit_person
from mymozhem.config import Settings
from mymozhem.db.base import new_id
from mymozhem.db.delete_in_parts import delete_in_parts
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import NotFound, Unauthenticated

from .keys import Keys
from .principal import Principal
from .refresh_tokens import RefreshTokens, digest
from .revocations import Revocation, Revocations
from .session_views import Session
from .tables import RevocationKind, RevocationReason, SessionRow, UserRow
from .users import User

#: how long the token before the current one is still answered: its response may have been lost
GRACE = timedelta(seconds=10)

#: sessions that nobody used for so long are deleted, however long their tokens are valid
UNUSED = timedelta(days=90)

MAX_DEVICE = 200
MAX_ADDRESS = 64


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from: what the client says about itself, and its address."""

    info: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Renewed:
    """A session with its next refresh token, handed out once; `expires_at` is the token's."""

    session_id: str
    user: User
    refresh_token: str
    expires_at: datetime


class Sessions:
    """The sessions of one host; `revocations` ends the access tokens of a session that ends."""

    def __init__(
        self, database: Database, keys: Keys, settings: Settings, revocations: Revocations
    ) -> None:
        self._database = database
        self._tokens = RefreshTokens(keys)
        self._lasts = timedelta(days=settings.refresh_token_days)
        self._access_lasts = timedelta(minutes=settings.access_token_minutes + 1)
        self._guest_lasts = timedelta(hours=settings.guest_token_hours, minutes=1)
        self._revocations = revocations

    async def start(self, user: User, device: Device) -> Renewed:
        """Start a session of a person who signed in; two calls start two sessions."""
        async with self._database.write(turn=user.id) as unit:
            session_id = new_id("ses")
            token = self._tokens.write(session_id, 1)
            row = SessionRow(
                id=session_id,
                user_id=user.id,
                refresh_token_hash=digest(token),
                generation=1,
                device_info=_shortened(device.info, MAX_DEVICE),
                ip_address=_shortened(device.address, MAX_ADDRESS),
                created_at=unit.now,
                last_used_at=unit.now,
                expires_at=unit.now + self._lasts,
            )
            unit.session.add(row)
            return Renewed(session_id, user, token, row.expires_at)

    async def refresh(self, token: str, device: Device) -> Renewed:
        """Exchange a refresh token for its successor.

        The token before the current one gets the same successor again for ten seconds, as long as
        that is unused. Any other old token ends its session: somebody else may have it. Raises
        `Unauthenticated` REFRESH_TOKEN_INVALID, the same for every reason.
        """
        place = self._tokens.read(token)
        if place is None:
            raise _invalid()
        async with self._database.write(turn=place.session_id) as unit:
            renewed = await self._renewed(unit, place.session_id, place.number, device)
        if renewed is None:
            raise _invalid()
        return renewed

    async def list_sessions(self, caller: Principal) -> Sequence[Session]:
        """Return the caller's sessions, the latest used first; none for a guest."""
        async with self._database.read() as session:
            now = await self._database.now()
            rows = await session.scalars(
                select(SessionRow)
                .where(SessionRow.user_id == caller.user_id, SessionRow.expires_at > now)
                .order_by(SessionRow.last_used_at.desc(), SessionRow.id)
            )
            return [Session.of(row) for row in rows]

    async def end_one(self, caller: Principal, session_id: str) -> datetime:
        """End a session of the caller's; return when. Raises `NotFound` for any other."""
        async with self._database.write(turn=caller.user_id) as unit:
            row = await unit.session.get(SessionRow, session_id, with_for_update=True)
            if row is None or row.user_id != caller.user_id:
                raise NotFound
            reason = RevocationReason.MANUAL_REVOKE
            await self._end(unit, [row], reason=reason, by=caller.user_id)
            return unit.now

    async def end_all(self, caller: Principal, *, keep: str | None = None) -> int:
        """End all sessions of the caller but `keep`; return how many. Idempotent."""
        async with self._database.write(turn=caller.user_id) as unit:
            reason = RevocationReason.MANUAL_REVOKE
            return await self.end_of(
                unit, caller.user_id, reason=reason, by=caller.user_id, keep=keep
            )

    async def end_of(
        self,
        unit: UnitOfWork,
        user_id: str,
        *,
        reason: RevocationReason,
        by: str | None,
        keep: str | None = None,
    ) -> int:
        """End the sessions of a person but `keep`, inside a transaction; return how many."""
        rows = await unit.session.scalars(
            select(SessionRow)
            .where(SessionRow.user_id == user_id)
            .order_by(SessionRow.id)
            .with_for_update()
        )
        ending = [row for row in rows if row.id != keep]
        await self._end(unit, ending, reason=reason, by=by)
        return len(ending)

    async def revoke_person(
        self, unit: UnitOfWork, user_id: str, *, reason: RevocationReason, by: str | None
    ) -> None:
        """End everything of a person, inside a transaction: sessions, and every token until now."""
        await self.end_of(unit, user_id, reason=reason, by=by)
        self._revocations.revoke(
            unit,
            [
                Revocation(
                    RevocationKind.PERSON,
                    user_id,
                    expires_at=unit.now + max(self._access_lasts, self._guest_lasts),
                    user_id=user_id,
                    reason=reason,
                    revoked_by=by,
                    not_before=unit.now,
                )
            ],
        )

    async def log_out(self, principal: Principal | None, token: str | None) -> None:
        """End the session of an access token, of a refresh token, or of both. Idempotent.

        A guest has no session: their token itself is revoked.
        """
        place = self._tokens.read(token) if token else None
        wanted = {place.session_id} if place is not None else set()
        if principal is not None:
            wanted.add(principal.session_id)
        if not wanted:
            return
        async with self._database.write() as unit:
            rows = await unit.session.scalars(
                select(SessionRow)
                .where(SessionRow.id.in_(sorted(wanted)))
                .order_by(SessionRow.id)
                .with_for_update()
            )
            found = rows.all()
            reason = RevocationReason.LOGOUT
            for row in found:
                await self._end(unit, [row], reason=reason, by=row.user_id)
            if principal is not None and principal.room_id is not None:
                self._revocations.revoke(
                    unit,
                    [
                        Revocation(
                            RevocationKind.TOKEN,
                            principal.token_id,
                            expires_at=unit.now + self._guest_lasts,
                            user_id=principal.user_id,
                            reason=reason,
                            revoked_by=principal.user_id,
                        )
                    ],
                )

    async def _renewed(
        self, unit: UnitOfWork, session_id: str, number: int, device: Device
    ) -> Renewed | None:
        row = await unit.session.get(SessionRow, session_id, with_for_update=True)
        if row is None or row.expires_at <= unit.now:
            return None
        user = await unit.session.get(UserRow, row.user_id)
        if user is None or not user.is_active:
            return None
        if number == row.generation:
            row.generation += 1
            row.refresh_token_hash = digest(self._tokens.write(row.id, row.generation))
            row.last_used_at, row.expires_at = unit.now, unit.now + self._lasts
            row.device_info = _shortened(device.info, MAX_DEVICE)
            row.ip_address = _shortened(device.address, MAX_ADDRESS)
        elif number != row.generation - 1 or unit.now - row.last_used_at > GRACE:
            audit_person(unit, "session.reuse", row.user_id, by=None, session=row.id)
            reason = RevocationReason.SECURITY_BREACH
            await self._end(unit, [row], reason=reason, by=None)
            return None
        successor = self._tokens.write(row.id, row.generation)
        return Renewed(row.id, User.of(user), successor, row.expires_at)

    async def _end(
        self,
        unit: UnitOfWork,
        rows: Sequence[SessionRow],
        *,
        reason: RevocationReason,
        by: str | None,
    ) -> None:
        if not rows:
            return
        self._revocations.revoke(
            unit,
            [
                Revocation(
                    RevocationKind.SESSION,
                    row.id,
                    expires_at=unit.now + self._access_lasts,
                    user_id=row.user_id,
                    reason=reason,
                    revoked_by=by,
                )
                for row in rows
            ],
        )
        await unit.session.execute(
            delete(SessionRow).where(SessionRow.id.in_([row.id for row in rows]))
        )


async def delete_ended(database: Database) -> int:
    """Delete sessions that have expired or were unused for 90 days; return their number."""
    return await delete_in_parts(
        database,
        SessionRow,
        lambda now: (SessionRow.expires_at <= now) | (SessionRow.last_used_at <= now - UNUSED),
    )


def _shortened(text: str | None, longest: int) -> str | None:
    if not text:
        return None
    shown = "".join(letter for letter in text if letter.isprintable())
    return shown[:longest]


def _invalid() -> Unauthenticated:
    return Unauthenticated(
        "The refresh token is not valid any more; sign in again.", code="REFRESH_TOKEN_INVALID"
    )
