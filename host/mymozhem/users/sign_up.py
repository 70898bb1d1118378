"""Invitations, and the accounts that people create with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from mymozhem.audit.trail import audit, audit_person
from mymozhem.auth.access import require_access
from mymozhem.auth.accounts import create_user, find_account, normal_email
from mymozhem.auth.name_rules import visible_name
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.principal import Caller
from mymozhem.auth.tables import LinkKind, OneTimeLinkRow, UserRow
from mymozhem.auth.users import User
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Forbidden, Invalid, NotFound
from mymozhem.monitoring.mail_queue import enqueue

from .links import LinkInvalid, OneTimeLink, count_recent, create_link, use_link
from .mails import invitation_mail

#: invitations that one address gets in an hour without an admin
MOST_IN_AN_HOUR = 3


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as admins see it; its link is shown once, to whoever created it."""

    id: str
    email: str | None
    is_admin: bool
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class SignUp:
    """The ways to an account of a host, as its settings allow them."""

    def __init__(self, database: Database, passwords: Passwords, settings: Settings) -> None:
        self._database = database
        self._passwords = passwords
        self._settings = settings

    async def invite(
        self, caller: Caller, *, email: str | None = None, is_admin: bool = False
    ) -> OneTimeLink:
        """Invite somebody; with an address, only that can be used, and gets a mail if possible.

        Raises `Forbidden` unless the caller administers the platform, `Invalid` for an address that
        can never be one, and `Forbidden` SIGN_UP_CLOSED if the host takes no new accounts.
        """
        await require_access(self._database, caller, "POST /admin/invitations")
        if self._settings.sign_up == "closed":
            raise _closed()
        address = None if email is None else normal_email(email)
        async with self._database.write() as unit:
            link = create_link(
                unit,
                LinkKind.INVITATION,
                public_url=self._settings.effective_public_url,
                by=caller.user_id,
                email=address,
                is_admin=is_admin,
            )
            if address is not None and self._settings.smtp_url is not None:
                enqueue(unit, address, invitation_mail(link, self._settings.effective_public_url))
            audit(unit, "invitation.create", actor_id=caller.user_id, isAdmin=is_admin)
        return link

    async def invitations(self, caller: Caller) -> Sequence[Invitation]:
        """Return the latest hundred invitations, the newest first; for admins."""
        await require_access(self._database, caller, "GET /admin/invitations")
        async with self._database.read() as session:
            rows = await session.scalars(
                select(OneTimeLinkRow)
                .where(OneTimeLinkRow.kind == LinkKind.INVITATION)
                .order_by(OneTimeLinkRow.created_at.desc(), OneTimeLinkRow.id.desc())
                .limit(100)
            )
            return [
                Invitation(
                    row.id, row.email, row.is_admin, row.created_at, row.expires_at, row.used_at
                )
                for row in rows
            ]

    async def withdraw(self, caller: Caller, invitation_id: str) -> datetime:
        """Delete an invitation that was not used; return when. Raises `NotFound` for any other."""
        await require_access(self._database, caller, "DELETE /admin/invitations/{id}")
        async with self._database.write() as unit:
            row = await unit.session.get(OneTimeLinkRow, invitation_id, with_for_update=True)
            if row is None or row.kind is not LinkKind.INVITATION or row.used_at is not None:
                raise NotFound
            await unit.session.delete(row)
            audit(unit, "invitation.withdraw", actor_id=caller.user_id, invitation=invitation_id)
            return unit.now

    async def request(self, email: str) -> None:
        """Send an invitation to an address that asks for one, if everybody may sign up.

        Nothing tells whether an account exists: no mail is sent to an address that has one, to one
        of a domain that may not sign up, or more often than three times in an hour. Raises
        `Forbidden` SIGN_UP_CLOSED unless sign-up is open.
        """
        settings = self._settings
        if settings.sign_up != "open" or settings.smtp_url is None:
            raise _closed()
        address = normal_email(email)
        allowed = settings.sign_up_domains
        if allowed and address.rpartition("@")[2] not in allowed:
            return
        async with self._database.write(turn=f"sign-up {address}") as unit:
            since = unit.now - timedelta(hours=1)
            sent = await count_recent(unit.session, LinkKind.INVITATION, address, since=since)
            if sent >= MOST_IN_AN_HOUR or await find_account(unit.session, address) is not None:
                return
            link = create_link(
                unit,
                LinkKind.INVITATION,
                public_url=settings.effective_public_url,
                by=None,
                email=address,
                proves_email=True,
            )
            enqueue(unit, address, invitation_mail(link, settings.effective_public_url))

    async def sign_up(self, token: str, *, email: str, name: str, password: str) -> User:
        """Create an account with an invitation, and return it.

        Raises `LinkInvalid`, also if the invitation is for another address; `Invalid` for an
        invalid field, `Conflict` EMAIL_TAKEN, and `Forbidden` SIGN_UP_CLOSED. The invitation stays
        valid after an error.
        """
        if self._settings.sign_up == "closed":
            raise _closed()
        address, shown = normal_email(email), visible_name(name)
        if not token:
            raise Invalid(fields={"/invitation": ["An account needs an invitation."]})
        hashed = await self._passwords.hash(password)
        async with self._database.write() as unit:
            link = await use_link(unit, LinkKind.INVITATION, token)
            if link.email not in (None, address):
                raise LinkInvalid
            user = await create_user(
                unit, email=address, name=shown, password_hash=hashed, is_admin=link.is_admin
            )
            if link.proves_email:
                row = await unit.session.get_one(UserRow, user.id)
                row.email_verified = True
                user = User.of(row)
            link.user_id = user.id
            audit_person(unit, "user.sign-up", user.id, by=user.id, invitation=link.id)
        return user


def _closed() -> Forbidden:
    return Forbidden("This host takes no new accounts in this way.", code="SIGN_UP_CLOSED")
