"""The house of `mymozhem.testing`, on the database of a test, with apps written inside the test."""

from collections.abc import Mapping
from pathlib import Path

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.core.services import Services
from mymozhem.testing import HostHarness, harness_setup, loaded, principal

__all__ = ["HostHarness", "loaded", "make_host", "make_services", "principal"]


async def make_services(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> Services:
    """Wire services with these apps, published in the database."""
    settings = Settings(data_dir=folder, environment="test")
    return await harness_setup.make_services(database, clock, settings, apps)


async def make_host(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> HostHarness:
    """Wire services with these apps, and make an organizer."""
    services = await make_services(database, clock, folder, apps)
    host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
    host.organizer = await host.person("organizer@example.com")
    return host
