"""Check the manifest that a caller submits for a remote app."""

from functools import partial

import orjson

from mymozhem.config import Settings
from mymozhem.contract import JsonObject
from mymozhem.manifests.model import Manifest
from mymozhem.outbound.guard import Guard
from mymozhem.registry.remote_apps import validate_remote_manifest

from .services import AppServices


async def read_manifest(services: AppServices, app_id: str, document: JsonObject) -> Manifest:
    """Return a document as the manifest of a remote app, or raise `Invalid` with every problem.

    Raises `AddressForbidden` for an address that the host may not reach. A large manifest takes
    seconds, so the costly pool checks it.
    """
    work = partial(_checked, document, app_id, services.settings)
    await services.costly.run(work, size=len(orjson.dumps(document)))
    return Manifest.of(document, registered_as=app_id)


def _checked(document: JsonObject, app_id: str, settings: Settings) -> None:
    validate_remote_manifest(document, app_id, Guard.of(settings).check_url)
