"""The catalog of a host that would start now, computed in the command; nothing is written."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import KEY_FILE, Keys
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.registry import discovery, manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.catalog_source import Source
from mymozhem.registry.isolated.environments import Environments
from mymozhem.registry.loaded_code import AppCode, IsolatedCode, Refused
from mymozhem.registry.loader import load_installed
from mymozhem.registry.manifest_history import Published


async def preview(database: Database, settings: Settings, keys: Keys | None) -> Catalog:
    """Return the apps of a host that starts now: enabled plugins, isolated code, remote apps.

    Plugins are imported, in this process. Nothing is published; a version that was published with
    other content is refused, as in a host. Without `keys`, remote apps have no addresses.
    """
    async with database.read() as session:
        enabled = await manifest_history.active_plugins(session)
        published = await manifest_history.versions(session)
    wanted = sorted(enabled | set(settings.enable_apps))
    with _quietly():
        found = discovery.by_id(discovery.discover())
        loaded = [
            await asyncio.to_thread(load_installed, app_id, found.get(app_id, ()))
            for app_id in wanted
        ]
        apart = await asyncio.to_thread(Environments(settings.isolated_dir).read)
        able = [_admitted(each, published) for each in (*loaded, *apart.codes)]
        catalog = Catalog(
            (each for each in able if isinstance(each, AppCode)),
            (),
            (*(each for each in able if isinstance(each, Refused)), *apart.refused),
            (each for each in able if isinstance(each, IsolatedCode)),
        )
        await catalog.follow(Source(database, keys or _others()))
    return catalog


def keys_of(settings: Settings) -> Keys | None:
    """Return the keys of the host; None if it has none yet. Raises `KeysRefused`."""
    if settings.secret_key is None and not (settings.data_dir / KEY_FILE).exists():
        return None
    return Keys.load(settings)


def _others() -> Keys:
    """Return temporary keys, which decrypt nothing of this host."""
    return Keys(derive_material(secrets.token_hex()))


def _admitted(
    code: AppCode | IsolatedCode | Refused, published: tuple[Published, ...]
) -> AppCode | IsolatedCode | Refused:
    if isinstance(code, Refused):
        return code
    for each in published:
        same = (each.app_id, each.manifest.version) == (code.app_id, code.manifest.version)
        if same and each.manifest.digest != code.manifest.digest:
            version = code.manifest.version
            reason = f"version {version} of it was published with other content"
            return Refused(code.app_id, (reason,))
    return code


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence the log: the command reports problems as sentences."""
    logger = logging.getLogger("mymozhem.registry")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
