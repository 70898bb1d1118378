"""Accounts of a demo, with passwords that only its data folder has."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select

from mymozhem.auth.accounts import Accounts
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database

FILE = "demo-logins.json"
_PASSWORD_BYTES = 9


@dataclass(frozen=True)
class Login:
    """An account that can sign in to a demo."""

    email: str
    name: str
    password: str
    is_admin: bool = False


ORGANIZER = ("organizer@demo.example", "Ada Organizer", False)
ADMIN = ("admin@demo.example", "Grace Admin", True)


def logins(folder: Path) -> tuple[Login, Login]:
    """Return organizer and admin of a demo's data folder; created once, kept in a private file."""
    path = folder / FILE
    if path.is_file():
        known = [Login(**each) for each in json.loads(path.read_text())]
        return known[0], known[1]
    made = tuple(_login(*person) for person in (ORGANIZER, ADMIN))
    path.touch(mode=0o600)
    path.write_text(json.dumps([asdict(each) for each in made], indent=2))
    return made[0], made[1]


def strangers() -> tuple[Login, Login]:
    """Return organizer and admin with random passwords that are not shown."""
    organizer, admin = (_login(*person) for person in (ORGANIZER, ADMIN))
    return organizer, admin


async def ensure_account(database: Database, login: Login) -> Principal:
    """Create an account unless its e-mail address exists; return it as a caller."""
    found = await find_account(database, login.email)
    if found is not None:
        return found
    passwords = Passwords()
    try:
        user = await Accounts(database, passwords).create_user(
            login.email, name=login.name, password=login.password, is_admin=login.is_admin
        )
    finally:
        passwords.close()
    return Principal(user.id, PersonKind.REGISTERED, None, "")


async def find_account(database: Database, email: str) -> Principal | None:
    """Return the account with an e-mail address as a caller, None if missing."""
    query = select(UserRow.id).where(
        UserRow.email == email,
        UserRow.kind == PersonKind.REGISTERED,
        UserRow.deleted_at.is_(None),
    )
    async with database.read() as session:
        user_id = await session.scalar(query)
    return None if user_id is None else Principal(user_id, PersonKind.REGISTERED, None, "")


def _login(email: str, name: str, is_admin: bool) -> Login:  # noqa: FBT001  a row of a table
    return Login(email, name, secrets.token_urlsafe(_PASSWORD_BYTES), is_admin)
