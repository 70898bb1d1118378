"""Read and change people, each in a transaction of its own."""

from mymozhem.db.unit_of_work import Database
from mymozhem.idempotency.keys import mark_done

from .principal import Principal
from .users import User, UserChanges, current_user, get_user, patch_user


async def read_own_profile(database: Database, caller: Principal) -> User:
    """Return the caller; raises `Unauthenticated` if they were deleted since they signed in."""
    async with database.read() as session:
        return await current_user(session, caller)


async def read_profile(database: Database, caller: Principal, user_id: str) -> User:
    """Return a person, to themselves and to admins; raises `NotFound` for all other callers."""
    async with database.read() as session:
        return await get_user(session, caller, user_id)


async def change_profile(
    database: Database, caller: Principal, user_id: str, changes: UserChanges
) -> User:
    """Change a person and return them. Idempotent. Raises what `patch_user` raises."""
    async with database.write(turn=user_id) as unit:
        user = await patch_user(unit, caller, user_id, changes)
        await mark_done(unit.session)
    return user
