"""The use cases of accounts, for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mymozhem.auth.keys import Keys
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.principal import OPERATOR, Operator
from mymozhem.auth.revocations import Revocations
from mymozhem.auth.sessions import Sessions
from mymozhem.config import Settings
from mymozhem.users.administration import UserAdministration
from mymozhem.users.passwords import PasswordChanges
from mymozhem.users.sign_up import SignUp

from .database import opened_database


@dataclass(frozen=True)
class UserServices:
    """The use cases of accounts; a running host learns of them from the database."""

    sign_up: SignUp
    passwords: PasswordChanges
    administration: UserAdministration
    caller: Operator = OPERATOR


@asynccontextmanager
async def opened_user_services(settings: Settings) -> AsyncIterator[UserServices]:
    """Open the configured database for the use cases of accounts; see `opened_database`."""
    async with opened_database(settings, exclusive=False) as database:
        passwords = Passwords()
        sessions = Sessions(database, Keys.load(settings), settings, Revocations(database))
        try:
            yield UserServices(
                sign_up=SignUp(database, passwords, settings),
                passwords=PasswordChanges(database, passwords, sessions, settings),
                administration=UserAdministration(database, sessions),
            )
        finally:
            passwords.close()
