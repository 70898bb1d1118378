"""Who may manage an app: admins, its owner, and the operator at the command line."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.principal import Caller, Operator, Principal
from mymozhem.auth.users import current_user
from mymozhem.registry.remote_apps import Owner, owner_of

from .services import AppServices


@dataclass(frozen=True)
class Manager:
    """A caller and an app: whether the caller is an admin, and whether they own the app."""

    owner: Owner
    is_admin: bool
    is_owner: bool


async def require_manager(
    services: AppServices, caller: Caller, app_id: str, endpoint: str
) -> bool:
    """Return whether the caller is an admin, or the operator; only they can consent for operators.

    Raises `Forbidden` unless the row of the endpoint admits the caller, `NotFound` if there is no
    such app.
    """
    if isinstance(caller, Operator):
        return True
    async with services.database.read() as session:
        manager = await find_manager(session, caller, app_id)
    check_manager(manager, caller, endpoint)
    return manager.is_admin


async def find_owner(services: AppServices, caller: Principal, app_id: str) -> Owner | None:
    """Return the owner of an app; None if the caller does not manage it."""
    async with services.database.read() as session:
        manager = await find_manager(session, caller, app_id)
    return manager.owner if manager.is_admin or manager.is_owner else None


async def find_manager(session: AsyncSession, caller: Principal, app_id: str) -> Manager:
    """Return the caller's relation to an app; raises `NotFound` if there is no such app."""
    user = await current_user(session, caller)
    owner = await owner_of(session, app_id)
    return Manager(owner, is_admin=user.is_admin, is_owner=owner.user_id == user.id)


def check_manager(manager: Manager, caller: Principal, endpoint: str) -> None:
    """Raise `Forbidden` unless the row of an endpoint admits the caller."""
    check(rule_for(endpoint), caller, None, admin=manager.is_admin, own=manager.is_owner)
