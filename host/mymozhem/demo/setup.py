"""Fills a host's data with a demo: accounts, apps, rooms in every status."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mymozhem.api.dependencies import ApiDependencies
from mymozhem.app import create_app, host_of
from mymozhem.config import Settings
from mymozhem.contract.demo import DemoFailed
from mymozhem.migrations import upgrade
from mymozhem.observability.logging import configure_logging

from .accounts import Login, ensure_account, logins
from .discovery import find_demos
from .samples import Sampled, make_samples


@dataclass(frozen=True)
class Filled:
    """The demo data in a database; `apps` are those whose code is running."""

    apps: tuple[str, ...]
    rooms: tuple[Sampled, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True)
class DemoHost:
    """A demo that is ready to be served."""

    organizer: Login
    admin: Login
    filled: Filled


async def prepare(settings: Settings) -> DemoHost:
    """Create a demo's database, accounts and rooms; idempotent.

    Raises `AlreadyRunning` if a host runs on that folder, DemoFailed for a broken demo.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await upgrade(settings.effective_database_url)
    organizer, admin = logins(settings.data_dir)
    filled = await fill(settings, organizer, admin)
    return DemoHost(organizer, admin, filled)


async def fill(settings: Settings, organizer: Login, *others: Login) -> Filled:
    """Fill a migrated database with accounts and with the sample rooms of every enabled app."""
    async with idle_host(settings) as host:
        services = host.services
        caller = await ensure_account(services.database, organizer)
        for login in others:
            await ensure_account(services.database, login)
        running = tuple(app.app_id for app in services.catalog.apps() if app.code is not None)
        rooms = [
            sampled
            for demo in find_demos(running)
            for sampled in await make_samples(services, caller, demo.app_id, demo.samples)
        ]
        refused = tuple(f"{each.app_id}: {each.reasons[0]}" for each in services.catalog.refused)
    return Filled(running, tuple(rooms), refused)


@asynccontextmanager
async def idle_host(settings: Settings) -> AsyncIterator[ApiDependencies]:
    """Yield the parts of a host that serves no requests; its jobs run only on request."""
    configure_logging(settings)
    app = create_app(settings, run_jobs=False)
    await app.startup()
    try:
        host = host_of(app)
        if host is None:
            raise DemoFailed("The host did not start.")
        yield host
    finally:
        await app.shutdown()
