"""Publish another version of a remote app."""

from mymozhem.auth.principal import Caller
from mymozhem.contract import JsonObject
from mymozhem.registry import remote_apps
from mymozhem.registry.manifest_history import Published

from .access import require_manager
from .audit import audited
from .manifests import read_manifest
from .services import AppServices, refresh_catalog


async def publish_version(
    services: AppServices, caller: Caller, app_id: str, document: JsonObject, *, consent: bool
) -> Published:
    """Publish a manifest as a new version; rooms stay at the version that they have. Idempotent.

    An admin's `consent` allows what only operators may allow; an owner's has no effect. Raises
    `Forbidden`, `Invalid` for an invalid manifest, and what `remote_apps.publish` raises.
    """
    is_admin = await require_manager(services, caller, app_id, "PATCH /apps/{appId}")
    manifest = await read_manifest(services, app_id, document)
    agreed = is_admin and consent
    await remote_apps.dry_run_publish(
        services.database, app_id, manifest, consent=agreed, pool=services.costly
    )
    async with services.database.write(turn=app_id) as unit:
        published = await remote_apps.publish(unit, app_id, manifest, consent=agreed)
        await audited(unit, caller, app_id, "app.publish", version=manifest.version)
    await refresh_catalog(services)
    return published
