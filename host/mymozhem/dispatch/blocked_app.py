"""The app that blocked the event loop until its host ended itself: a file for the next start.

A host that ends because its event loop is blocked can write nothing into the database. Its next
start opens the circuit breakers of the app, so that the app is tried with single calls only.
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from mymozhem.contract.hooks import HOOKS
from mymozhem.errors import NotFound
from mymozhem.registry.catalog import Catalog

from .breakers.breaker import Key
from .breakers.registry import Breakers
from .loop_blocks import CODE

__all__ = ["CODE", "open_breakers", "take", "write"]

FILE = "blocked-app.json"


def write(data_dir: Path, app_id: str) -> None:
    """Store the id of the app for the next start; raises OSError if the folder is read-only."""
    target = os.open(data_dir / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(target, "w", encoding="utf-8") as file:
        json.dump({"appId": app_id}, file)


def take(data_dir: Path) -> str | None:
    """Return the stored id and delete the file; None if there is none, or it cannot be read."""
    path = data_dir / FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = None
    with suppress(OSError):
        path.unlink()
    app_id = stored.get("appId") if isinstance(stored, dict) else None
    return app_id if isinstance(app_id, str) else None


def open_breakers(breakers: Breakers, apps: Catalog, app_id: str) -> list[Key]:
    """Open the breakers of all known versions of an app; return their keys, none if unknown."""
    try:
        versions = [each.manifest for each in apps.get(app_id).versions]
    except NotFound:
        return []
    hooked = {hook.capability for hook in HOOKS}
    keys = [
        Key(app_id, manifest.version, capability)
        for manifest in versions
        for capability in sorted(hooked.intersection(manifest.capabilities))
    ]
    for key in keys:
        breakers.trip(key, CODE)
    return keys
