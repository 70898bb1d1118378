"""Change a password, and choose a new one with a link."""

from datetime import timedelta

from sqlalchemy import Select, select, update

from mymozhem.audit.trail import audit_person
from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.accounts import LOCAL, comparable_email, find_account
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.principal import Principal
from mymozhem.auth.sessions import Sessions
from mymozhem.auth.tables import IdentityRow, LinkKind, RevocationReason, UserRow
from mymozhem.auth.users import User
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, NotFound, Unauthenticated
from mymozhem.monitoring.mail_queue import enqueue

from .links import LinkInvalid, OneTimeLink, count_recent, create_link, use_link
from .mails import password_mail

#: mails with a link to a new password that one account gets in an hour
MOST_IN_AN_HOUR = 3


class PasswordChanges:
    """Changes the passwords of a host's accounts; a change signs out the person's devices."""

    def __init__(
        self, database: Database, passwords: Passwords, sessions: Sessions, settings: Settings
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._settings = settings

    async def change(self, caller: Principal, *, current: str, new: str) -> None:
        """Change the caller's password, and end their other sessions.

        Raises `Forbidden` for guests, `Unauthenticated` INVALID_CREDENTIALS if the current password
        is wrong, `Invalid` for a new one that cannot be used, and `Conflict` NO_PASSWORD if they
        sign in without one.
        """
        check(rule_for("POST /auth/password"), caller, None)
        async with self._database.read() as session:
            stored = await session.scalar(_hashes_of(caller.user_id))
        if stored is None:
            raise Conflict("This account signs in without a password.", code="NO_PASSWORD")
        if not await self._passwords.matches(current, stored):
            message = "The current password is not right."
            raise Unauthenticated(message, code="INVALID_CREDENTIALS")
        hashed = await self._passwords.hash(new)
        async with self._database.write(turn=caller.user_id) as unit:
            await self._store(unit, caller.user_id, hashed, keep=caller.session_id)

    async def request_link(self, email: str) -> None:
        """Send a link to a new password, if an account has this address; says nothing about that.

        An account gets at most three in an hour. Without a mail server nothing is sent.
        """
        address = comparable_email(email)
        if self._settings.smtp_url is None or not address:
            return
        async with self._database.write(turn=f"password {address}") as unit:
            user = await find_account(unit.session, address)
            since = unit.now - timedelta(hours=1)
            sent = await count_recent(unit.session, LinkKind.PASSWORD, address, since=since)
            if user is None or sent >= MOST_IN_AN_HOUR:
                return
            link = self._link(unit, user)
            enqueue(unit, address, password_mail(link, self._settings.effective_public_url))

    async def link_for(self, email: str) -> OneTimeLink:
        """Return a link to a new password, for the operator; `NotFound` without such an account."""
        async with self._database.write() as unit:
            user = await find_account(unit.session, comparable_email(email))
            if user is None:
                raise NotFound("There is no account with this address.", code="USER_NOT_FOUND")
            audit_person(unit, "user.password-link", user.id, by=None)
            return self._link(unit, user)

    async def choose(self, token: str, *, password: str) -> None:
        """Set the password of a link's account, and end all its sessions.

        Raises `LinkInvalid`, and `Invalid` for a password that cannot be used; the link stays valid
        after that.
        """
        hashed = await self._passwords.hash(password)
        async with self._database.write() as unit:
            link = await use_link(unit, LinkKind.PASSWORD, token)
            if link.user_id is None:
                raise LinkInvalid
            user = await unit.session.get(UserRow, link.user_id)
            if user is None or not user.is_active:
                raise LinkInvalid
            await self._store(unit, user.id, hashed, keep=None)

    def _link(self, unit: UnitOfWork, user: User) -> OneTimeLink:
        return create_link(
            unit,
            LinkKind.PASSWORD,
            public_url=self._settings.effective_public_url,
            by=None,
            email=user.email,
            user_id=user.id,
            proves_email=True,
        )

    async def _store(
        self, unit: UnitOfWork, user_id: str, hashed: str, *, keep: str | None
    ) -> None:
        await unit.session.execute(
            update(IdentityRow)
            .where(IdentityRow.provider == LOCAL, IdentityRow.user_id == user_id)
            .values(secret_hash=hashed)
        )
        reason = RevocationReason.PASSWORD_CHANGED
        await self._sessions.end_of(unit, user_id, reason=reason, by=user_id, keep=keep)
        audit_person(unit, "user.password", user_id, by=user_id)


def _hashes_of(user_id: str) -> Select[str | None]:
    return (
        select(IdentityRow.secret_hash)
        .join(UserRow, UserRow.id == IdentityRow.user_id)
        .where(
            IdentityRow.provider == LOCAL,
            IdentityRow.user_id == user_id,
            UserRow.deleted_at.is_(None),
        )
    )
