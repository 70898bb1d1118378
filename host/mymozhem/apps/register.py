"""Register a remote app with its first manifest."""

from mymozhem.auth.access_table import check, rule_for
from mymozhem.auth.accounts import find_account, normal_email
from mymozhem.auth.principal import Caller, Operator
from mymozhem.auth.users import current_user
from mymozhem.contract import JsonObject
from mymozhem.errors import Invalid
from mymozhem.registry import remote_apps
from mymozhem.registry.remote_apps import Owner, Registered

from .audit import audited
from .manifests import read_manifest
from .services import AppServices, refresh_catalog


async def register_app(
    services: AppServices,
    caller: Caller,
    app_id: str,
    document: JsonObject,
    *,
    owner_email: str | None,
) -> Registered:
    """Register a remote app, and return its secret, which is never shown again.

    Without `owner_email`, the caller owns it; nobody if that is the operator. Raises `Forbidden`,
    `Invalid` for an invalid manifest or address, and `Conflict` APP_ID_TAKEN.
    """
    owner = await _find_owner(services, caller, owner_email)
    manifest = await read_manifest(services, app_id, document)
    async with services.database.write(turn=app_id) as unit:
        registered = await remote_apps.register(unit, services.keys, app_id, manifest, owner=owner)
        await audited(unit, caller, app_id, "app.register", version=manifest.version)
    await refresh_catalog(services)
    return registered


async def _find_owner(services: AppServices, caller: Caller, email: str | None) -> Owner:
    """Return the owner of a new app; raises `Forbidden` if the caller may not register apps."""
    async with services.database.read() as session:
        own = Owner(None, None)
        if not isinstance(caller, Operator):
            user = await current_user(session, caller)
            check(rule_for("POST /apps"), caller, None, admin=user.is_admin)
            own = Owner(user.id, user.email)
        if email is None:
            return own
        address = _normal_email(email)
        found = await find_account(session, address)
        return Owner(found.id if found else None, address)


def _normal_email(given: str) -> str:
    try:
        return normal_email(given)
    except Invalid as error:
        problem = "Give an address like name@example.com."
        raise Invalid(error.message, fields={"/ownerEmail": [problem]}) from error
