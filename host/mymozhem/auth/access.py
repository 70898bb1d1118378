"""Access outside of rooms: find out who the caller is, and whether the table admits them."""

from mymozhem.db.unit_of_work import Database

from .access_table import check, rule_for
from .principal import Caller, Operator
from .users import current_user


async def require_access(database: Database, caller: Caller, endpoint: str) -> None:
    """Raise `Forbidden` unless the row of an endpoint admits the caller, also as an admin.

    Raises `Unauthenticated` for a person who was deleted since they signed in.
    """
    if isinstance(caller, Operator):
        return
    async with database.read() as session:
        user = await current_user(session, caller)
    check(rule_for(endpoint), caller, None, admin=user.is_admin)
