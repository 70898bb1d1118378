"""Compare two versions of an app."""

from functools import partial

import orjson

from mymozhem.auth.access import require_access
from mymozhem.auth.principal import Caller
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import Diff, compare
from mymozhem.registry.manifest_history import Published, no_such_version

from .services import AppServices


async def compare_versions(
    services: AppServices, caller: Caller, app_id: str, before: str, after: str
) -> Diff:
    """Return what changes from one published version to another, and who must consent.

    Large schemas take long, so the costly pool compares them. Raises `Forbidden`, `NotFound` if
    there is no such app or version.
    """
    await require_access(services.database, caller, "GET /apps/{appId}/diff")
    old, new = (find_version(services, app_id, each) for each in (before, after))
    documents = [orjson.dumps(each.manifest.document) for each in (old, new)]
    size = sum(map(len, documents))
    return await services.costly.run(partial(_compared, app_id, *documents), size=size)


def _compared(app_id: str, before: bytes, after: bytes) -> Diff:
    """Compare two published documents: manifests themselves cannot be sent to a process."""
    old, new = (Manifest.of(orjson.loads(each), registered_as=app_id) for each in (before, after))
    return compare(old, new)


def find_version(services: AppServices, app_id: str, version: str) -> Published:
    """Return a published version of an app; raises `NotFound`."""
    found = services.catalog.get(app_id).published(version)
    if found is None:
        raise no_such_version()
    return found
