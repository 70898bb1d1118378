"""Check the manifest that a caller submits for a remote app."""

import asyncio

from mymozhem.contract import JsonObject
from mymozhem.manifests.model import Manifest
from mymozhem.outbound.guard import Guard
from mymozhem.registry.remote_apps import validate_remote_manifest

from .services import AppServices


async def read_manifest(services: AppServices, app_id: str, document: JsonObject) -> Manifest:
    """Return a document as the manifest of a remote app, or raise `Invalid` with every problem.

    Raises `AddressForbidden` for an address that the host may not reach. Works in a thread, since
    a large manifest takes seconds.
    """
    check_url = Guard.of(services.settings).check_url
    return await asyncio.to_thread(validate_remote_manifest, document, app_id, check_url)
