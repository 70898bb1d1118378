"""Read, change, export and erase people, each inside a transaction of the caller's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, HttpUrl, TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import Invalid, NotFound, Unauthenticated

from .access_table import check, rule_for
from .name_rules import visible_name
from .principal import Principal
from .session_views import Session, sessions_of
from .tables import IdentityRow, OneTimeLinkRow, UserRow

ERASED_NAME = "Deleted"
MAX_URL = 2_048
_URL = TypeAdapter(HttpUrl)


@dataclass(frozen=True, slots=True)
class User:
    """A person as they and admins may see them; others see `id`, `name` and `avatar_url`."""

    id: str
    email: str | None
    name: str
    avatar_url: str | None
    kind: PersonKind
    is_admin: bool
    email_verified: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """Return the person of a row."""
        return cls(
            id=row.id,
            email=row.email,
            name=row.name,
            avatar_url=row.avatar_url,
            kind=row.kind,
            is_admin=row.is_admin,
            email_verified=row.email_verified,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class UserChanges(BaseModel):
    """The changes of a person; a field that is left out stays. An avatar of None removes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: str = ""
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class ExportedIdentity:
    """A way in which the person signs in; secrets are never exported."""

    provider: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserExport:
    """Everything that the tables of people contain about one person."""

    user: User
    identities: tuple[ExportedIdentity, ...]
    sessions: tuple[Session, ...]


async def current_user(session: AsyncSession, caller: Principal) -> User:
    """Return the caller; raises `Unauthenticated` if they were deleted since they signed in."""
    row = await session.get(UserRow, caller.user_id)
    if row is None or row.deleted_at is not None:
        raise Unauthenticated("This account does not exist any more.", code="TOKEN_INVALID")
    return User.of(row)


async def get_user(session: AsyncSession, caller: Principal, user_id: str) -> User:
    """Return a person, to themselves and to admins.

    Raises `NotFound` for all other callers, as if the person did not exist.
    """
    return User.of(await _allowed(session, caller, user_id, "GET /users/{id}"))


async def patch_user(
    uow: UnitOfWork, caller: Principal, user_id: str, changes: UserChanges
) -> User:
    """Change a person and return them. Idempotent.

    Raises `NotFound` as `get_user` does, `Invalid` for an invalid name or address.
    """
    row = await _allowed(uow.session, caller, user_id, "PATCH /users/{id}")
    if "name" in changes.model_fields_set:
        row.name = visible_name(changes.name)
    if "avatar_url" in changes.model_fields_set:
        row.avatar_url = _avatar_url(changes.avatar_url)
    if changes.model_fields_set:
        row.updated_at = uow.now
    await uow.session.flush()
    return User.of(row)


async def delete_user(uow: UnitOfWork, caller: Principal, user_id: str) -> None:
    """Erase a person: the row stays for its history, without name, address or way to sign in.

    The caller revokes their tokens. Raises `NotFound` as `get_user` does, also at the second
    call.
    """
    row = await _allowed(uow.session, caller, user_id, "DELETE /users/{id}")
    links = OneTimeLinkRow.user_id == row.id
    if row.email is not None:
        links |= OneTimeLinkRow.email == row.email
    await uow.session.execute(delete(OneTimeLinkRow).where(links))
    row.email = row.avatar_url = row.deactivated_reason = None
    row.name = ERASED_NAME
    row.is_admin = row.email_verified = False
    row.updated_at = row.deleted_at = uow.now
    await uow.session.execute(delete(IdentityRow).where(IdentityRow.user_id == row.id))
    await uow.session.flush()


async def export_user(session: AsyncSession, caller: Principal) -> UserExport:
    """Return everything that these tables contain about the caller, except secrets."""
    user = await current_user(session, caller)
    rows = await session.scalars(
        select(IdentityRow).where(IdentityRow.user_id == user.id).order_by(IdentityRow.id)
    )
    identities = (ExportedIdentity(each.provider, each.subject, each.created_at) for each in rows)
    return UserExport(user, tuple(identities), tuple(await sessions_of(session, user.id)))


async def _allowed(session: AsyncSession, caller: Principal, user_id: str, name: str) -> UserRow:
    """Return the row if the table admits the caller; locks it if the session writes."""
    wanted = sorted({caller.user_id, user_id})  # in a fixed order: no deadlock
    found = select(UserRow).where(UserRow.id.in_(wanted), UserRow.deleted_at.is_(None))
    locking = not name.startswith("GET ")
    statement = found.order_by(UserRow.id).with_for_update() if locking else found
    rows = {row.id: row for row in await session.scalars(statement)}
    me = rows.get(caller.user_id)
    own = me is not None and caller.user_id == user_id
    check(rule_for(name), caller, None, admin=me is not None and me.is_admin, own=own)
    if user_id not in rows:
        raise NotFound
    return rows[user_id]


def _avatar_url(given: str | None) -> str | None:
    if given is None:
        return None
    problem = f"Give an https:// address of at most {MAX_URL} characters, or null."
    refused = Invalid("The avatar cannot be used.", fields={"avatar": [problem]})
    if len(given) > MAX_URL:
        raise refused
    try:
        url = _URL.validate_python(given)
    except ValidationError:
        raise refused from None
    if url.scheme != "https" or url.username or url.password or len(str(url)) > MAX_URL:
        raise refused
    return str(url)
