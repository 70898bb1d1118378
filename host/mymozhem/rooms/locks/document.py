"""The lock's document: what a room is pinned to, by digest."""

from mymozhem.contract import JsonObject
from mymozhem.contract.canonical_json import digest
from mymozhem.errors import Invalid
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.core.services import Services


def lock_document(services: Services, app_id: str, manifest: Manifest) -> JsonObject:
    """Return what a room of this app and version is locked to now; its digest names the lock.

    Raises `NotFound` if there is no such app, and `Invalid` (`APP_NOT_SERVED`) if nothing serves
    the version: a room is never locked to code that cannot run.
    """
    target = services.catalog.get(app_id).target(manifest.version)
    if target is None:
        message = (
            f"Nothing serves {app_id} {manifest.version}: it has no code here, and no address."
        )
        raise Invalid(message, code="APP_NOT_SERVED")
    return {
        "appId": app_id,
        "manifestVersion": manifest.version,
        "manifestDigest": manifest.digest,
        "settingsSchemaDigest": settings_digest(manifest),
        "contract": manifest.speaks,
        "permissions": [str(permission) for permission in sorted(manifest.permissions)],
        "target": target,
    }


def settings_digest(manifest: Manifest) -> str:
    """Return the digest of a manifest's settings schema."""
    return digest(manifest.settings)
