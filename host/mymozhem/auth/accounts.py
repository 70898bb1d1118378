"""Create people and sign them in: accounts with a password, and guests of one room."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from sqlalchemy import Select, and_, insert, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import PersonKind
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, Forbidden, Invalid, Unauthenticated

from .name_rules import visible_name
from .passwords import Passwords
from .tables import IdentityRow, UserRow
from .users import User

LOCAL = "local"
MAX_EMAIL = 254
MAX_LOCAL_PART = 64
# A literal in the statement, since engines cannot match a parameter to the partial index.
_REGISTERED = literal(PersonKind.REGISTERED, UserRow.kind.type, literal_execute=True)
_COLUMNS = tuple(column.key for column in UserRow.__mapper__.column_attrs)
_SPECIAL = frozenset(' ",:;<>()[]\\')


class Accounts:
    """Local accounts: created by an operator; people sign in with e-mail and password."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def create_user(
        self, email: str, *, name: str, password: str, is_admin: bool = False
    ) -> User:
        """Create an account and return it, once it is durable.

        Raises `Invalid` for an invalid field, and `Conflict` EMAIL_TAKEN, also at a second call.
        """
        address, shown = normal_email(email), visible_name(name)
        hashed = await self._passwords.hash(password)  # before the transaction: it takes long
        async with self._database.write() as uow:
            return await create_user(
                uow, email=address, name=shown, password_hash=hashed, is_admin=is_admin
            )

    async def login(self, email: str, password: str) -> User:
        """Return the person with this e-mail and password.

        Raises `Unauthenticated` INVALID_CREDENTIALS, the same and after the same time whether the
        e-mail, the password or both are unknown; `Forbidden` ACCOUNT_DEACTIVATED to callers with
        the right password; `Unavailable` if too many sign in concurrently.
        """
        row, hashed = await self._find(email)
        if not await self._passwords.matches(password, hashed) or row is None:
            raise Unauthenticated(
                "E-mail and password do not belong together.", code="INVALID_CREDENTIALS"
            )
        if row.deactivated_at is not None:
            message = "This account was deactivated; ask an administrator."
            raise Forbidden(message, code="ACCOUNT_DEACTIVATED")
        return User.of(row)

    async def _find(self, email: str) -> tuple[UserRow | None, str | None]:
        address = comparable_email(email)
        async with self._database.read() as session:
            found = (await session.execute(login_query(address))).first()
        return (found[0], found[1]) if found else (None, None)


async def find_account(session: AsyncSession, address: str) -> User | None:
    """Return the id of the account with a normalized address; None if there is none."""
    found = (await session.execute(login_query(address))).first()
    return User.of(found[0]) if found else None


def login_query(address: str) -> Select[UserRow, str | None]:
    """Return the query for the account with a normalized address, and its password hash."""
    local = and_(IdentityRow.provider == LOCAL, IdentityRow.subject == UserRow.id)
    return (
        select(UserRow, IdentityRow.secret_hash)
        .join(IdentityRow, local)
        .where(
            UserRow.email == address,
            UserRow.kind == _REGISTERED,
            UserRow.deleted_at.is_(None),
        )
    )


async def create_user(
    uow: UnitOfWork, *, email: str, name: str, password_hash: str, is_admin: bool = False
) -> User:
    """Create an account inside a transaction, for callers that create several things in one.

    `Passwords.hash` computes the hash, before the transaction. Raises as `Accounts.create_user`
    does; after EMAIL_TAKEN, the transaction cannot continue.
    """
    row = _person(uow, PersonKind.REGISTERED, name)
    row.email, row.is_admin = normal_email(email), is_admin
    uow.session.add(row)
    try:
        await uow.session.flush()
    except IntegrityError as error:
        raise Conflict("Somebody has this e-mail address already.", code="EMAIL_TAKEN") from error
    uow.session.add(
        IdentityRow(
            provider=LOCAL,
            subject=row.id,
            user_id=row.id,
            secret_hash=password_hash,
            created_at=uow.now,
        )
    )
    await uow.session.flush()
    return User.of(row)


async def create_guest(uow: UnitOfWork, name: str) -> UserRow:
    """Create a guest inside the transaction in which they join; not idempotent.

    Raises `Invalid` for a name that cannot be shown.
    """
    return (await create_guests(uow, (name,)))[0]


async def create_guests(uow: UnitOfWork, names: Iterable[str]) -> list[UserRow]:
    """Create many guests, in the order of their names; raises as `create_guest` does."""
    rows = [new_guest(uow, name) for name in names]
    await store_guests(uow, rows)
    return rows


async def add_guests(uow: UnitOfWork, names: Sequence[str]) -> list[str]:
    """Create many guests whose names were checked; return their ids, in the order of the names."""
    rows = [
        {
            "id": new_id("usr"),
            "name": name,
            "kind": PersonKind.GUEST,
            "is_admin": False,
            "email_verified": False,
            "created_at": uow.now,
            "updated_at": uow.now,
        }
        for name in names
    ]
    if rows:
        await uow.session.execute(insert(UserRow), rows)
    return [str(row["id"]) for row in rows]


def new_guest(uow: UnitOfWork, name: str) -> UserRow:
    """Return a guest who is not stored yet; raises as `create_guest` does."""
    return _person(uow, PersonKind.GUEST, name)


async def store_guests(uow: UnitOfWork, guests: Iterable[UserRow]) -> None:
    """Store new guests with one statement; the session does not keep their rows."""
    rows = [{key: getattr(guest, key) for key in _COLUMNS} for guest in guests]
    if rows:
        await uow.session.execute(insert(UserRow), rows)


def normal_email(given: str) -> str:
    """Return an address as it is compared: in NFC, trimmed, in lower case.

    Raises `Invalid` only for texts that can never be an address; whether an address works, only a
    mail to it can show.
    """
    address = unicodedata.normalize("NFC", given[: 2 * MAX_EMAIL]).strip().lower()
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    if (
        len(given) > MAX_EMAIL
        or not (local and at and all(labels))
        or len(local) > MAX_LOCAL_PART
        or "@" in local
        or not address.isprintable()
        or _SPECIAL.intersection(address)
    ):
        problem = "Give an address like name@example.com."
        raise Invalid("This is not an e-mail address.", fields={"email": [problem]})
    return address


def comparable_email(given: str) -> str:
    """Return an address as it is compared; an empty text, which is nobody's, for no address."""
    try:
        return normal_email(given)
    except Invalid:
        return ""


def _person(uow: UnitOfWork, kind: PersonKind, name: str) -> UserRow:
    return UserRow(
        id=new_id("usr"),
        name=visible_name(name),
        kind=kind,
        is_admin=False,
        email_verified=False,
        created_at=uow.now,
        updated_at=uow.now,
    )
