"""Compare two versions of an app."""

import asyncio

from mymozhem.auth.access import require_access
from mymozhem.auth.principal import Caller
from mymozhem.manifests.referee import Diff, compare
from mymozhem.registry.manifest_history import Published, no_such_version

from .services import AppServices


async def compare_versions(
    services: AppServices, caller: Caller, app_id: str, before: str, after: str
) -> Diff:
    """Return what changes from one published version to another, and who must consent.

    Works in a thread, since large schemas take long. Raises `Forbidden`, `NotFound` if there is no
    such app or version.
    """
    await require_access(services.database, caller, "GET /apps/{appId}/diff")
    old, new = (find_version(services, app_id, each) for each in (before, after))
    return await asyncio.to_thread(compare, old.manifest, new.manifest)


def find_version(services: AppServices, app_id: str, version: str) -> Published:
    """Return a published version of an app; raises `NotFound`."""
    found = services.catalog.get(app_id).published(version)
    if found is None:
        raise no_such_version()
    return found
